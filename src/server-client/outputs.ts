/** The calls about what leaves a meeting, in the groups of the REST API's document. All of them throw `ServerClientError`. */
import type { Static } from 'typebox'
import type { PageOf } from '../protocol/rest.ts'
import type { Hls, Livestream, StartHlsBody, StartLivestreamBody } from '../protocol/rest/broadcasts.ts'
import type { CompositeRecording, StartCompositeBody } from '../protocol/rest/composite-recordings.ts'
import type { Recording, StartRecordingBody } from '../protocol/rest/outputs.ts'
import type {
  ParticipantRecording,
  StartParticipantRecordingBody,
  StartTrackRecordingBody,
  TrackRecording,
} from '../protocol/rest/participant-recordings.ts'
import type { StartTranscriptionBody, Transcription } from '../protocol/rest/transcriptions.ts'
import { at, everyOne, type Call } from './call.ts'
import type { PageQuery } from './groups.ts'

export type {
  CompositeRecording,
  Hls,
  Livestream,
  ParticipantRecording,
  Recording,
  TrackRecording,
  Transcription,
}

/** What a start may say beside the meeting. */
type Options<Body extends { roomId: string }> = Omit<Body, 'roomId'>
export type RecordingOptions = Options<Static<typeof StartRecordingBody>>
export type HlsOptions = Options<Static<typeof StartHlsBody>>
export type LivestreamOptions = Options<Static<typeof StartLivestreamBody>>
export type TranscriptionOptions = Options<Static<typeof StartTranscriptionBody>>
export type ParticipantRecordingOptions = Options<StartParticipantRecordingBody>
export type CompositeRecordingOptions = Options<StartCompositeBody>
export type TrackRecordingOptions = Options<StartTrackRecordingBody>

export interface OutputFilter {
  /** `roomId` or custom id. */
  roomId?: string
  sessionId?: string
}
export type ParticipantOutputFilter = OutputFilter & { participantId?: string }
export type TrackOutputFilter = ParticipantOutputFilter & { kind?: StartTrackRecordingBody['kind'] }

/** The largest page, for reading a whole list. */
const WHOLE_PAGE = 100

/** Reading outputs of one kind. */
class Listed<Output, Filter extends OutputFilter> {
  protected readonly call: Call
  protected readonly path: string

  constructor(call: Call, path: string) {
    this.call = call
    this.path = path
  }

  /** Newest first. */
  list(query: Filter & PageQuery = {} as Filter): Promise<PageOf<Output>> {
    return this.call('GET', this.path, { query: { ...(query as PageQuery) } })
  }

  /** Every matching one, newest first. */
  all(filter: Filter = {} as Filter): AsyncGenerator<Output> {
    return everyOne((page) => this.list({ ...filter, page, perPage: WHOLE_PAGE }))
  }

  /** @throws {ServerClientError} NOT_FOUND */
  get(id: string): Promise<Output> {
    return this.call('GET', this.path + at`/${id}`)
  }
}

/** They can be deleted, too. */
class Kept<Output, Filter extends OutputFilter> extends Listed<Output, Filter> {
  /** Deletes one that has ended, with its files. @throws {ServerClientError} INVALID_STATE while it goes on */
  async delete(id: string): Promise<void> {
    await this.call('DELETE', this.path + at`/${id}`)
  }
}

/** Recordings of whole meetings. Starts and stops are acknowledged at once; webhooks tell what becomes of them. */
export class Recordings extends Kept<Recording, OutputFilter> {
  constructor(call: Call) {
    super(call, '/v2/recordings')
  }

  /** @throws {ServerClientError} START_RECORDING_FAILED, RECORDING_LIMIT, ADD_ON_SERVICES_DISABLED */
  async start(roomId: string, options: RecordingOptions = {}): Promise<void> {
    await this.call('POST', `${this.path}/start`, { body: { roomId, ...options } })
  }

  /** @throws {ServerClientError} STOP_RECORDING_FAILED if there is none */
  async stop(roomId: string): Promise<void> {
    await this.call('POST', `${this.path}/end`, { body: { roomId } })
  }
}

export class HlsOutputs extends Kept<Hls, OutputFilter> {
  constructor(call: Call) {
    super(call, '/v2/hls')
  }

  /** Its addresses can be fetched when the webhook `hls-playable` says so. */
  start(roomId: string, options: HlsOptions = {}): Promise<Hls> {
    return this.call('POST', `${this.path}/start`, { body: { roomId, ...options } })
  }

  async stop(roomId: string): Promise<void> {
    await this.call('POST', `${this.path}/end`, { body: { roomId } })
  }
}

/** To RTMP servers. Their keys are in no answer. */
export class Livestreams extends Listed<Livestream, OutputFilter> {
  constructor(call: Call) {
    super(call, '/v2/livestreams')
  }

  async start(roomId: string, options: LivestreamOptions): Promise<void> {
    await this.call('POST', `${this.path}/start`, { body: { roomId, ...options } })
  }

  async stop(roomId: string): Promise<void> {
    await this.call('POST', `${this.path}/end`, { body: { roomId } })
  }
}

export class Transcriptions extends Listed<Transcription, OutputFilter> {
  constructor(call: Call) {
    super(call, '/ai/v1/realtime-transcriptions')
  }

  override async list(query: OutputFilter & PageQuery = {}): Promise<PageOf<Transcription>> {
    type Answer = Omit<PageOf<never>, 'data'> & { transcriptions: Transcription[] }
    const { pageInfo, transcriptions } = await this.call<Answer>('GET', this.path, { query: { ...query } })
    return { pageInfo, data: transcriptions }
  }

  start(roomId: string, options: TranscriptionOptions = {}): Promise<Transcription> {
    return this.call('POST', `${this.path}/start`, { body: { roomId, ...options } })
  }

  stop(roomId: string): Promise<Transcription> {
    return this.call('POST', `${this.path}/end`, { body: { roomId } })
  }
}

/** One continuous file of a participant's microphone and camera. */
export class ParticipantRecordings extends Kept<ParticipantRecording, ParticipantOutputFilter> {
  constructor(call: Call) {
    super(call, '/v2/recordings/participant')
  }

  async start(roomId: string, options: ParticipantRecordingOptions): Promise<void> {
    await this.call('POST', `${this.path}/start`, { body: { roomId, ...options } })
  }

  async stop(roomId: string, participantId: string): Promise<void> {
    await this.call('POST', `${this.path}/stop`, { body: { roomId, participantId } })
  }
}

/** A file for each time that one kind of stream of a participant is on. */
export class TrackRecordings extends Kept<TrackRecording, TrackOutputFilter> {
  constructor(call: Call) {
    super(call, '/v2/recordings/participant/track')
  }

  async start(roomId: string, options: TrackRecordingOptions): Promise<void> {
    await this.call('POST', `${this.path}/start`, { body: { roomId, ...options } })
  }

  async stop(roomId: string, participantId: string, kind: TrackRecordingOptions['kind']): Promise<void> {
    await this.call('POST', `${this.path}/stop`, { body: { roomId, participantId, kind } })
  }
}

/** Several participants in one picture, drawn when the recording has stopped. */
export class CompositeRecordings extends Kept<CompositeRecording, OutputFilter> {
  constructor(call: Call) {
    super(call, '/v2/recordings/composite')
  }

  start(
    roomId: string,
    options: CompositeRecordingOptions = {},
  ): Promise<{ recordingId: string; sessionId: string; roomId: string }> {
    return this.call('POST', `${this.path}/start`, { body: { roomId, ...options } })
  }

  async stop(roomId: string, recordingId: string): Promise<void> {
    await this.call('POST', `${this.path}/stop`, { body: { roomId, recordingId } })
  }
}
