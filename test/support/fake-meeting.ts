/** A meeting without a server: what the page reads of one, changed by the test. */
import { Emitter } from '../../src/client/emitter.ts'
import { openRules } from '../../src/protocol/rules.ts'
import { Breakouts } from '../../src/client/breakouts.ts'
import { Polls } from '../../src/client/polls.ts'
import { Outputs } from '../../src/client/outputs.ts'
import type {
  ChatMessage,
  DeviceStatus,
  EntryRequest,
  Meeting,
  MeetingEvents,
  MeetingRules,
  MeetingState,
  OwnKind,
  Participant,
  Stream,
  Timer,
} from '../../src/client/client.ts'

type Hear = (message: ChatMessage, old: boolean) => void

export class FakeMeeting extends Emitter<MeetingEvents> {
  readonly meetingId = 'aaaa-bbbb-cccc'
  state: MeetingState = 'joined'
  mediaPreparing: string | undefined
  serverRestarts = false
  readonly self = { id: 'me', name: 'Me', canAdmit: false, canModerate: false }
  readonly participants = new Map<string, Participant>()
  rules: MeetingRules = { ...openRules, coHosts: [] }
  timer: Timer | undefined
  activeSpeakerId: string | null = null
  pinnedId: string | null = null
  readonly pinnedIds = new Set<string>()
  readonly lobby = { requests: new Map<string, EntryRequest>() }
  readonly statuses: Record<OwnKind, DeviceStatus> = { mic: 'off', camera: 'off', share: 'off' }
  readonly outputs = new Outputs(
    () => Promise.resolve(),
    (event, ...values) => this.emit(event, ...values),
  )
  readonly files = {
    maxBytes: 1000,
    share: ({ size }: Blob, name: string) => Promise.resolve({ id: 'id-of-a-file', name, bytes: size }),
  }
  readonly breakouts = new Breakouts(
    () => Promise.resolve({}),
    () => this.emit('breakoutsChanged'),
  )
  readonly polls = new Polls(
    () => Promise.resolve({}),
    (poll) => this.emit('pollChanged', poll),
  )
  readonly devices = {
    mic: undefined as MediaStreamTrack | undefined,
    camera: undefined as MediaStreamTrack | undefined,
    prefer: (): void => undefined,
    status: (device: OwnKind): DeviceStatus => this.statuses[device],
  }
  readonly #listeners = new Map<string, Set<Hear>>()
  readonly published: { topic: string; text: string; options: unknown }[] = []
  /** What becomes of the next thing that is said. */
  publishing: Promise<void> = Promise.resolve()
  readonly chat = {
    listen: (topic: string, hear: Hear) => {
      const listeners = this.#listeners.get(topic) ?? new Set()
      this.#listeners.set(topic, listeners.add(hear))
      return () => listeners.delete(hear)
    },
    publish: (topic: string, text: string, options?: unknown) => {
      this.published.push({ topic, text, options })
      return this.publishing
    },
  }

  stats(): Promise<object> {
    return Promise.resolve({})
  }

  /** As what it stands for. */
  get asMeeting(): Meeting {
    return this as unknown as Meeting
  }

  tell<E extends keyof MeetingEvents>(event: E, ...values: MeetingEvents[E]): void {
    this.emit(event, ...values)
  }

  join(...ids: string[]): this {
    for (const id of ids) {
      const participant: Participant = {
        id,
        name: `Name of ${id}`,
        mode: 'SEND_AND_RECV',
        metaData: {},
        micOn: false,
        cameraOn: false,
        shareOn: false,
        streams: new Map(),
      }
      this.participants.set(id, participant)
      this.tell('participantJoined', participant)
    }
    return this
  }

  leave(id: string): void {
    const participant = this.participants.get(id)!
    this.participants.delete(id)
    this.tell('participantLeft', participant, { code: 1101, message: 'MANUAL_LEAVE_CALLED' })
  }

  change(id: string, changed: Partial<Participant>): void {
    const participant = Object.assign(this.participants.get(id)!, changed)
    this.tell('participantChanged', participant)
  }

  send(id: string, kind: Stream['kind'], track = {} as MediaStreamTrack): Stream {
    const participant = this.participants.get(id)!
    const stream: Stream = {
      id: `${kind} of ${id}`,
      participantId: id,
      kind,
      track,
      paused: false,
      locked: false,
      setQuality: () => Promise.resolve(),
      show: () => undefined,
      stats: () => Promise.reject(new Error('there is no connection')),
    }
    participant.streams.set(stream.id, stream)
    this.tell('streamAdded', stream, participant)
    return stream
  }

  rule(changed: Partial<MeetingRules>): void {
    this.rules = { ...this.rules, ...changed }
    this.tell('rulesChanged', this.rules)
  }

  speak(id: string | null): void {
    this.activeSpeakerId = id
    this.tell('activeSpeakerChanged', id)
  }

  /** Pins this participant for all, and nobody else. */
  pin(id: string | null): void {
    this.pinnedId = id
    this.pinnedIds.clear()
    if (id !== null) this.pinnedIds.add(id)
    this.tell('pinChanged', id)
  }

  ask(id: string): void {
    const request = { id, name: `Name of ${id}` }
    this.lobby.requests.set(id, request)
    this.tell('entryRequested', request)
  }

  switchDevice(device: OwnKind, status: DeviceStatus): void {
    this.statuses[device] = status
    this.tell('devicesChanged')
  }

  hear(topic: string, from: string, text: string, payload?: unknown, old = false): void {
    const message = { id: `${topic} ${text}`, topic, from, fromName: from, text, payload, at: 0, to: [] }
    for (const listener of this.#listeners.get(topic) ?? []) listener(message, old)
  }
}
