/** A meeting from one participant's view, in a browser. */
import { Devices } from './devices.ts'
import type { Encryption } from './encryption/encryption.ts'
import { GROUP_TOPIC } from './encryption/group.ts'
import type { MeetingOptions } from './events.ts'
import { Files } from './files.ts'
import { Media } from './media.ts'
import { MeetingCore } from './meeting-core.ts'
import type { Stream } from './participant.ts'

export class Meeting extends MeetingCore<Stream, Media, Devices> {
  /** Undefined: our media is not encrypted end to end. */
  readonly encryption: Encryption | undefined
  readonly files: Files

  constructor(options: MeetingOptions) {
    super(options, {
      own: ({ tell, compare }) =>
        new Devices({
          mic: options.mic,
          camera: options.camera,
          ...(options.openDevice && { open: options.openDevice }),
          ...(options.processTrack && { processTrack: options.processTrack }),
          onChange: () => {
            compare()
            tell('devicesChanged')
          },
          onProblem: (error) => tell('deviceProblem', error),
        }),
      media: (events) =>
        new Media({
          iceServers: options.iceServers,
          participantId: options.participantId,
          encryption: options.encryption,
          ...(options.newDevice && { newDevice: options.newDevice }),
          ...events,
        }),
      close: () => {
        options.encryption?.close()
        globalThis.removeEventListener('online', this.#online)
      },
    })
    this.encryption = options.encryption
    const { token, meetingId, filesUrl: url = '', maxFileBytes: maxBytes = 0 } = options
    this.files = new Files({ url, token, meetingId, maxBytes })
    globalThis.addEventListener('online', this.#online)
    if (this.encryption) void this.#agreeOnKey(this.encryption)
  }

  /** Our camera, microphone and screen. */
  get devices(): Devices {
    return this.own
  }

  stats(): Promise<{ send: RTCStatsReport | undefined; receive: RTCStatsReport | undefined }> {
    return this.media.stats()
  }

  /** Tells the server that our device does not keep up, for its diagnosis of bad media; what it answers does not matter. */
  reportDevice(report: { framesPercentDropped: number; encodesTooSlowly: boolean }): void {
    this.request('reportDevice', report).catch(() => undefined)
  }

  /** The people who are in the meeting agree on the key, and on another when somebody leaves. */
  async #agreeOnKey(encryption: Encryption): Promise<void> {
    const group = await encryption.attach({
      selfId: () => this.self.id,
      isPresent: (id) => this.participants.has(id),
      publish: (topic, text, to) => this.chat.publish(topic, text, { to }),
    })
    if (!group) return
    this.chat.listen(GROUP_TOPIC, (message) => group.hear(message))
    this.on('participantJoined', ({ id }) => group.joined(id))
    this.on('participantLeft', ({ id }) => group.left(id))
    this.on('stateChanged', (state) => {
      if (state === 'joined') group.ask()
    })
    if (this.state === 'joined') group.ask()
    group.keepAsking(() => this.state === 'joined' && this.participants.size > 0)
  }

  readonly #online = (): void => this.hurry()
}
