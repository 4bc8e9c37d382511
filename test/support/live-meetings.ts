/** Live meetings with fake members and a real store, without a server. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sfu } from '../../src/media/sfu.ts'
import type { Notification, ServerRequests } from '../../src/protocol/notifications.ts'
import type { Refusal } from '../../src/protocol/errors.ts'
import type { MeetingRecord, Store } from '../../src/store/store.ts'
import type { Grant } from '../../src/token/token.ts'
import type { Audience, Link } from '../../src/meeting/link.ts'
import type { MeetingEvents } from '../../src/meeting/meeting-events.ts'
import type { Participant } from '../../src/meeting/roster/participant.ts'
import type { MeetingSettings } from '../../src/meeting/settings.ts'
import type { Directory } from '../../src/meeting/directory.ts'
import { Events } from '../../src/meeting/events.ts'
import { LiveMeeting } from '../../src/meeting/live-meeting.ts'
import { LiveMeetings } from '../../src/meeting/live-meetings.ts'
import { meetingRecord } from './records.ts'
import { outputParts, playedEngines } from './outputs.ts'
import { openStore } from '../../src/store/open.ts'

export const PROJECT = 'a'.repeat(24)

const settings: MeetingSettings = {
  moderation: 'grant',
  lobbyTimeoutMs: 60_000,
  sessionGraceMs: 60_000,
  joinTimeoutMs: 60_000,
  maxParticipants: 4,
  maxEntryRequests: 4,
  maxProducers: 4,
  maxVideoStreams: 2,
  maxStoreKeys: 8,
  maxFileBytes: 100,
  maxSessionFileBytes: 1000,
  maxChatMessageBytes: 1000,
  maxChatTopics: 8,
  maxChatSubscriptions: 8,
  maxSessionChatBytes: 100_000,
}

let number = 0
/** 24 hex digits, like the ids of sessions. */
export const newId = (): string => (++number).toString(16).padStart(24, '0')

export function grantOf(entry: NonNullable<Grant['entry']>, tokenId = newId()): Grant {
  return { apiKey: 'key', projectId: PROJECT, entry, permissions: [], tokenId }
}

/** Records the notifications and requests that one connection received, in order. */
export class FakeLink implements Link {
  readonly baseUrl = 'https://meet.example.org'
  readonly connectionId = newId()
  readonly isOwnClient = true
  readonly heard: Notification[] = []
  readonly asked: { event: string; payload: unknown }[] = []
  closed: string | undefined
  dropped = false
  isAlive = true

  notify(...notifications: Notification[]): void {
    this.heard.push(...notifications)
  }

  request<E extends keyof ServerRequests>(event: E, payload: ServerRequests[E]): Promise<boolean> {
    this.asked.push({ event, payload })
    return Promise.resolve(true)
  }

  answers(): Promise<boolean> {
    return Promise.resolve(this.isAlive)
  }

  close(reason: { message: string }, refusal?: Refusal): void {
    this.closed = refusal?.code ?? reason.message
  }

  drop(): void {
    this.dropped = true
  }

  methods(): string[] {
    return this.heard.map(({ method }) => method)
  }
}

function openAudience(): Audience {
  const links = new Set<Link>()
  return {
    add: (link) => links.add(link),
    remove: (link) => links.delete(link),
    notify: (notification, except) => {
      for (const link of links) if (link !== except) link.notify(notification)
    },
  }
}

export interface Newcomer {
  link: FakeLink
  grant: Grant
  state: Promise<'waiting' | 'admitted'>
  /** Available after admission. */
  participant: () => Participant
}

/** Requests entry. */
export function comes(live: LiveMeeting, participantId: string, grant = grantOf('direct')): Newcomer {
  const link = new FakeLink()
  let participant: Participant | undefined
  const state = live.entrance.requestEntry({
    grant,
    participantId,
    name: participantId,
    link,
    admitted: (admitted) => (participant = admitted),
  })
  return { link, grant, state, participant: () => participant! }
}

/** Requests entry and joins. */
export async function joins(
  live: LiveMeeting,
  participantId: string,
  grant?: Grant,
): Promise<Newcomer & { self: Participant }> {
  const newcomer = comes(live, participantId, grant)
  assert.equal(await newcomer.state, 'admitted')
  const self = newcomer.participant()
  const { afterReply } = await live.roster.join(self, {})
  afterReply()
  return { ...newcomer, self }
}

export class LiveMeetingBench {
  readonly store: Store
  readonly #folder: string
  readonly engines = playedEngines()
  /** Errors that were reported to `onError`. */
  readonly errors: unknown[] = []

  private constructor(folder: string, store: Store) {
    this.#folder = folder
    this.store = store
  }

  static async open(): Promise<LiveMeetingBench> {
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-test-'))
    const store = await openStore({ folder: join(folder, 'data') })
    await store.projects.create({ projectId: PROJECT, name: 'test', webhook: null, createdAt: 1 })
    return new LiveMeetingBench(folder, store)
  }

  async createMeeting(): Promise<MeetingRecord> {
    const meeting = meetingRecord({ id: newId(), meetingId: newId(), projectId: PROJECT })
    await this.store.meetings.create(meeting)
    return meeting
  }

  /** Its events are recorded in `told`. */
  async openMeeting(
    meeting: MeetingRecord,
    sfu: Sfu,
    changes: Partial<MeetingSettings> = {},
  ): Promise<{ live: LiveMeeting; events: Events<MeetingEvents>; told: string[]; isIdle: () => boolean }> {
    const onError = (error: unknown): void => void this.errors.push(error)
    const events = new Events<MeetingEvents>(onError)
    const told: string[] = []
    let isIdle = false
    for (const name of ['sessionStarted', 'sessionEnded', 'participantJoined', 'participantLeft'] as const)
      events.on(name, () => told.push(name))
    const live = await LiveMeeting.open({
      meeting,
      settings: { ...settings, ...changes },
      store: this.store,
      sfu,
      openAudience,
      events,
      announce: () => [],
      outputs: outputParts(this.store, this.engines),
      refusalSince: () => undefined,
      lastAliveAt: undefined,
      now: () => Date.now(),
      newSessionId: newId,
      newSecretId: newId,
      onError,
      onIdle: () => (isIdle = true),
    })
    return { live, events, told, isIdle: () => isIdle }
  }

  /** Opens the live meetings of a process that shares this directory with others. */
  openMeetings(directory: Directory, sfu: Sfu, changes: Partial<MeetingSettings> = {}): LiveMeetings {
    return new LiveMeetings({
      settings: { ...settings, ...changes },
      directory,
      store: this.store,
      sfu,
      openAudience,
      announce: () => [],
      outputs: outputParts(this.store, this.engines),
      refusalSince: () => undefined,
      now: () => Date.now(),
      newSessionId: newId,
      newSecretId: newId,
      onError: (error) => void this.errors.push(error),
    })
  }

  async close(): Promise<void> {
    await this.store.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
