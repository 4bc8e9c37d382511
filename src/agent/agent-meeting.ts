/** A meeting from a program's view. */
import type { CoreOptions } from '../client/events.ts'
import { MeetingError } from '../client/errors.ts'
import { MeetingCore } from '../client/meeting-core.ts'
import type { StreamKind } from '../protocol/media.ts'
import { AgentMedia } from './media.ts'
import { PcmReading, type OpusPacket, type PcmFrame, type PcmOptions } from './opus.ts'
import { AgentStreams } from './own-streams.ts'
import { picturesOf, type PictureCodec, type PictureFrame } from './picture.ts'
import type { Publication } from './publication.ts'
import type { Reading } from './reading.ts'
import { PictureSchedule, SoundSchedule } from './schedule.ts'
import { soundPackets, type PcmChunk, type SoundOptions } from './sound.ts'
import {
  readFrames,
  readSound,
  type AgentStream,
  type FrameOptions,
  type ReadOptions,
  type SoundStream,
  type Subscribe,
  type VideoFrame,
  type VideoStream,
} from './streams.ts'

export interface AudioOptions extends SoundOptions {
  /** Default `audio`, the microphone; `shareAudio` is heard with what is shared. */
  kind?: 'audio' | 'shareAudio'
}

export interface VideoOptions {
  /** Default `video`, the camera; `share` is shown as a shared screen. */
  kind?: 'video' | 'share'
  /** Begins a file again at its end. Default false. */
  loop?: boolean
  /** Of frames that are not read from a file. Default `vp8`. */
  codec?: PictureCodec
  /** Somebody needs a key frame to begin. A file has them where they are. */
  onKeyFrameNeeded?: () => void
}

/** What an agent sees and says. Events, participants, chat, moderation and the lobby are those of `anteroom/client`. */
export class Agent extends MeetingCore<AgentStream, AgentMedia, AgentStreams> {
  constructor(options: CoreOptions) {
    super(options, {
      own: ({ tell, compare }) =>
        new AgentStreams({
          onChange: () => {
            compare()
            tell('devicesChanged')
          },
          onProblem: (error) => tell('deviceProblem', error),
        }),
      media: (events) => new AgentMedia({ ...events, iceServers: options.iceServers }),
    })
  }

  /**
   * Speaks: sends samples, or a WAV, Ogg or WebM file, at the speed at which they are heard. Samples are taken from the
   * source as they are needed, at most 200 ms in advance.
   * @throws {MeetingError} the server's refusal; ALREADY_PUBLISHED, INVALID_SOUND, UNKNOWN_FILE, FILE_UNREADABLE, INVALID_FILE
   */
  async publishAudio(
    source: string | AsyncIterable<PcmChunk> | Iterable<PcmChunk>,
    options: AudioOptions = {},
  ): Promise<Publication> {
    const { kind = 'audio' } = options
    this.own.assertFree(kind)
    const packets = await soundPackets(source, options)
    return this.own.publish(kind, {
      codec: 'opus',
      source: packets,
      schedule: new SoundSchedule(),
      appData: kind === 'shareAudio' ? { share: true } : {},
      cname: this.self.id,
    })
  }

  /**
   * Shows encoded video: an IVF (VP8) or WebM or Matroska file (VP8, H264), or frames, each when it is due.
   * @throws {MeetingError} the server's refusal; ALREADY_PUBLISHED, UNKNOWN_FILE, FILE_UNREADABLE, INVALID_FILE
   */
  async publishVideo(
    source: string | AsyncIterable<PictureFrame>,
    options: VideoOptions = {},
  ): Promise<Publication> {
    const { kind = 'video', loop = false, codec: stated = 'vp8', onKeyFrameNeeded } = options
    this.own.assertFree(kind)
    const { codec, frames } =
      typeof source === 'string' ? await picturesOf(source, loop) : { codec: stated, frames: source }
    return this.own.publish(kind, {
      codec,
      source: frames,
      schedule: new PictureSchedule(codec),
      appData: kind === 'share' ? { share: true } : {},
      cname: this.self.id,
      onKeyFrameNeeded,
    })
  }

  /**
   * What a participant says, decoded, until one of both leaves: muting and reconnections are pauses.
   * @throws {MeetingError} NOT_FOUND if there is no such participant
   */
  pcm(participantId: string, options: PcmOptions & ReadOptions = {}): Reading<PcmFrame> {
    return new PcmReading(this.packets(participantId, options), options)
  }

  /** The same, as raw Opus. */
  packets(participantId: string, options: ReadOptions = {}): Reading<OpusPacket> {
    const subscribe = this.#across<OpusPacket>(participantId, 'audio', (stream, take) =>
      (stream as SoundStream).subscribe(take, goOn),
    )
    return readSound(subscribe, options)
  }

  /**
   * The encoded frames of a participant's camera, or of what they share, until one of both leaves.
   * @throws {MeetingError} NOT_FOUND if there is no such participant
   */
  frames(
    participantId: string,
    options: FrameOptions & { kind?: 'video' | 'share' } = {},
  ): Reading<VideoFrame> {
    const { kind = 'video', width } = options
    const subscribe = this.#across<VideoFrame>(participantId, kind, (stream, take) =>
      (stream as VideoStream).subscribe(take, goOn, width),
    )
    const requestKeyFrame = (): void =>
      (this.#streamOf(participantId, kind) as VideoStream | undefined)?.requestKeyFrame()
    return readFrames(subscribe, requestKeyFrame, options)
  }

  #streamOf(participantId: string, kind: StreamKind): AgentStream | undefined {
    const streams = this.participants.get(participantId)?.streams.values() ?? []
    return [...streams].find((stream) => stream.kind === kind)
  }

  /** One stream after the other. */
  #across<T>(
    participantId: string,
    kind: StreamKind,
    subscribe: (stream: AgentStream, take: (item: T) => void) => () => void,
  ): Subscribe<T> {
    if (!this.participants.has(participantId))
      throw new MeetingError(0, 'NOT_FOUND', 'There is no such participant in the meeting.')
    return (take, end) => {
      let unsubscribe: (() => void) | undefined
      const read = (stream: AgentStream): void => {
        unsubscribe?.()
        unsubscribe = subscribe(stream, take)
      }
      const stop = (): void => {
        for (const off of listening) off()
        unsubscribe?.()
      }
      const finish = (): void => {
        stop()
        end()
      }
      const listening = [
        this.on('streamAdded', (stream) => {
          if (stream.participantId === participantId && stream.kind === kind) read(stream)
        }),
        this.on('participantLeft', ({ id }) => {
          if (id === participantId) finish()
        }),
        this.on('left', finish),
      ]
      const now = this.#streamOf(participantId, kind)
      if (now) read(now)
      return stop
    }
  }
}

const goOn = (): void => undefined
