/** The calls of the client, in the groups of the REST API's document. All of them throw `ServerClientError`. */
import type { Static } from 'typebox'
import type { PageOf } from '../protocol/rest.ts'
import type { CreateInviteBody, Invite, NewInvite } from '../protocol/rest/invites.ts'
import type { RevokedTokenAnswer } from '../protocol/rest/keys.ts'
import type { KnockSetting } from '../protocol/rest/knock.ts'
import type { CreateMeetingBody, Room, RoomWithOwner } from '../protocol/rest/rooms.ts'
import type { Diagnosis as DiagnosisShape, StatsPageQuery } from '../protocol/rest/quality.ts'
import type {
  EndSessionBody,
  Live as LiveShape,
  Message as MessageShape,
  MessageBody,
  ParticipantStats as ParticipantStatsShape,
  LetInAlways,
  Removals,
  Session,
  SessionParticipantInFull,
  SessionsQuery,
  SessionStats as SessionStatsShape,
  Value,
} from '../protocol/rest/sessions.ts'
import type { DeliveryAnswer, DeliveryQuery, WholeDeliveryAnswer } from '../protocol/rest/webhooks.ts'
import type { Minter, TokenClaims } from '../token/token.ts'
import { at, everyOne, ServerClientError, type Call } from './call.ts'

export type { CreateMeetingBody, Invite, NewInvite, Room, RoomWithOwner, Session }

/** Makes fields optional that the server fills in. */
type Given<Shape, Filled extends keyof Shape> = Omit<Shape, Filled> & Partial<Pick<Shape, Filled>>

/** Selects a page: the first is 1; 20 entries by default, 100 at most. */
export interface PageQuery {
  page?: number
  perPage?: number
}
/** The largest page, for reading a whole list. */
const WHOLE_PAGE = 100

export type NewInviteOptions = Given<CreateInviteBody, 'expiresInSeconds'>
export type RevokedToken = Static<typeof RevokedTokenAnswer>
export type SessionFilter = Omit<Static<typeof SessionsQuery>, 'page' | 'perPage'>
export type SessionParticipant = Static<typeof SessionParticipantInFull>
export type SessionStats = Static<typeof SessionStatsShape>
/** A time span in ms since the epoch. */
export type StatsPage = Static<typeof StatsPageQuery>
export type Diagnosis = DiagnosisShape
export type ParticipantStats = Static<typeof ParticipantStatsShape>
export type LiveView = Static<typeof LiveShape>
export type Message = Static<typeof MessageShape>
export type NewMessage = Given<Static<typeof MessageBody>, 'persist' | 'senderName'>
export type Delivery = DeliveryAnswer
export type WholeDelivery = WholeDeliveryAnswer
export type DeliveryFilter = Omit<Static<typeof DeliveryQuery>, 'page' | 'perPage'>
/** What can be switched off or asked for. */
export type SwitchedKind = 'audio' | 'video' | 'share'

export class Tokens {
  readonly #call: Call
  readonly #minter: Minter
  readonly #management: () => string

  constructor(call: Call, minter: Minter, management: () => string) {
    this.#call = call
    this.#minter = minter
    this.#management = management
  }

  /**
   * Signs a token for a participant. Default: joins directly, for 24 hours, any meeting of the project. Name the
   * meeting and the participant if you can.
   *
   * @throws {TypeError} if no server would accept the resulting token
   */
  participant(claims: TokenClaims = {}): string {
    return this.#minter.mint({ roles: ['rtc'], version: 2, ...claims })
  }

  /** The token of this client itself: for the REST API only, valid for a minute to an hour from now. */
  management(): string {
    return this.#management()
  }

  /** Revokes a token and disconnects everybody who used it. @param jti the token's `jti` */
  revoke(jti: string): Promise<RevokedToken> {
    return this.#call('POST', '/v2/tokens/revoke', { body: { jti } })
  }

  /** Revoked tokens, newest first. */
  revoked(query: PageQuery = {}): Promise<PageOf<RevokedToken>> {
    return this.#call('GET', '/v2/tokens/revoked', { query: { ...query } })
  }
}

export class Rooms {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  /** Creates a meeting, or returns the one that has the custom id. */
  create(options: CreateMeetingBody = {}): Promise<Room> {
    return this.#call('POST', '/v2/rooms', { body: options })
  }

  /** @param id `roomId` or custom id. @throws {ServerClientError} INVALID_MEETING_ID */
  get(id: string): Promise<RoomWithOwner> {
    return this.#call('GET', at`/v2/rooms/${id}`)
  }

  /** The meeting if it can be joined; undefined if there is none or it is deactivated. */
  async validate(id: string): Promise<Room | undefined> {
    try {
      return await this.#call<Room>('GET', at`/v2/rooms/validate/${id}`)
    } catch (error) {
      const code = error instanceof ServerClientError ? error.code : undefined
      if (code === 'INVALID_MEETING_ID' || code === 'MEETING_ID_DISABLED') return undefined
      throw error
    }
  }

  /** Newest first. @param query `query`: exactly this `roomId` or custom id */
  list(query: PageQuery & { query?: string } = {}): Promise<PageOf<Room>> {
    return this.#call('GET', '/v2/rooms', { query: { ...query } })
  }

  /** Every meeting of the project, newest first. */
  all(): AsyncGenerator<Room> {
    return everyOne((page) => this.list({ page, perPage: WHOLE_PAGE }))
  }

  /** Deactivates a meeting for ever and ends its session. @param roomId not a custom id */
  deactivate(roomId: string): Promise<Room> {
    return this.#call('POST', '/v2/rooms/deactivate', { body: { roomId } })
  }

  /** Allows or forbids asking to join at the bare address of the meeting's page. */
  setKnock(id: string, knock: boolean): Promise<KnockSetting> {
    return this.#call('PUT', at`/v2/rooms/${id}/knock`, { body: { knock } })
  }
}

export class Sessions {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  /** Newest first. */
  list(query: SessionFilter & PageQuery = {}): Promise<PageOf<Session>> {
    return this.#call('GET', '/v2/sessions', { query: { ...query } })
  }

  /** Every matching session, newest first. */
  all(filter: SessionFilter = {}): AsyncGenerator<Session> {
    return everyOne((page) => this.list({ ...filter, page, perPage: WHOLE_PAGE }))
  }

  /** The ongoing session of a meeting, if any. @param roomId or custom id */
  async ongoing(roomId: string): Promise<Session | undefined> {
    return (await this.list({ roomId, status: 'ongoing', perPage: 1 })).data[0]
  }

  get(sessionId: string): Promise<Session> {
    return this.#call('GET', at`/v2/sessions/${sessionId}`)
  }

  /** Everybody who was there, with each stay. */
  async participants(sessionId: string, query: PageQuery = {}): Promise<PageOf<SessionParticipant>> {
    type Answer = PageOf<never> & { data: { participants: SessionParticipant[] } }
    const { pageInfo, data } = await this.#call<Answer>('GET', at`/v2/sessions/${sessionId}/participants`, {
      query: { ...query },
    })
    return { pageInfo, data: data.participants }
  }

  /** The participants who are there now. */
  async activeParticipants(sessionId: string, query: PageQuery = {}): Promise<PageOf<SessionParticipant>> {
    const { pageInfo, data } = await this.#call<PageOf<{ participants: SessionParticipant[] }>>(
      'GET',
      at`/v2/sessions/${sessionId}/participants/active`,
      { query: { ...query } },
    )
    return { pageInfo, data: data.flatMap(({ participants }) => participants) }
  }

  participant(sessionId: string, participantId: string): Promise<SessionParticipant> {
    return this.#call('GET', at`/v2/sessions/${sessionId}/participants/${participantId}`)
  }

  /** The quality of media, over all participants. A long session comes in pages: ask again from `nextFrom`. */
  stats(sessionId: string, query: StatsPage = {}): Promise<SessionStats> {
    return this.#call('GET', at`/v2/sessions/${sessionId}/stats`, { query: { ...query } })
  }

  participantStats(
    sessionId: string,
    participantId: string,
    query: StatsPage = {},
  ): Promise<ParticipantStats> {
    return this.#call('GET', at`/v2/sessions/${sessionId}/participant/${participantId}/stats`, {
      query: { ...query },
    })
  }

  /** Why media was bad for a participant: who and what was the cause, in one sentence for each stretch of time. */
  diagnosis(sessionId: string, participantId: string, query: StatsPage = {}): Promise<Diagnosis> {
    return this.#call('GET', at`/v2/sessions/${sessionId}/participants/${participantId}/diagnosis`, {
      query: { ...query },
    })
  }

  /** The stored chat, as CSV. */
  chatLog(sessionId: string): Promise<string> {
    return this.#call('GET', at`/v2/sessions/${sessionId}/chat-log`, { text: true })
  }

  /**
   * Ends the ongoing session of a meeting.
   *
   * @param options `ignoreClosed`: do not fail if there is none
   * @throws {ServerClientError} NOT_FOUND if there is none
   */
  end(roomId: string, options: Pick<Static<typeof EndSessionBody>, 'sessionId' | 'ignoreClosed'> = {}) {
    return this.#call<Session>('POST', '/v2/sessions/end', { body: { roomId, ...options } })
  }
}

/** All calls except `view` need an ongoing session. */
export class Live {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  /** The participants of a meeting, with streams and quality, and the waiting entry requests. */
  view(roomId: string): Promise<LiveView> {
    return this.#call('GET', at`/v2/rooms/${roomId}/live`)
  }

  /** Admits or denies a waiting person; `always` admits for good. @throws {ServerClientError} RESPOND_ENTRY_FAILED if there is no such request */
  async respondEntry(
    roomId: string,
    participantId: string,
    decision: 'allowed' | 'denied',
    { always = false }: { always?: boolean } = {},
  ): Promise<void> {
    const body = { participantId, decision, ...(always && { always }) }
    await this.#call('POST', at`/v2/rooms/${roomId}/entry-requests/respond`, { body })
  }

  /** Switches a microphone, camera or screen off. */
  async mute(roomId: string, participantId: string, kind: SwitchedKind): Promise<void> {
    await this.#call('POST', '/v2/sessions/participants/mute', { body: { roomId, participantId, kind } })
  }

  /** Asks a participant to switch one on; it needs their consent. */
  async ask(roomId: string, participantId: string, kind: SwitchedKind): Promise<void> {
    await this.#call('POST', '/v2/sessions/participants/ask', { body: { roomId, participantId, kind } })
  }

  /** Removes a participant, who cannot return to this session until the removal is lifted. */
  async remove(roomId: string, participantId: string): Promise<void> {
    await this.#call('POST', '/v2/sessions/participants/remove', { body: { roomId, participantId } })
  }

  async removals(roomId: string): Promise<string[]> {
    const { data } = await this.#call<Static<typeof Removals>>('GET', at`/v2/rooms/${roomId}/removals`)
    return data.map(({ participantId }) => participantId)
  }

  async liftRemoval(roomId: string, participantId: string): Promise<void> {
    await this.#call('POST', at`/v2/rooms/${roomId}/removals/lift`, { body: { participantId } })
  }

  /** Who asked once and is let in always. */
  async letInAlways(roomId: string): Promise<LetInAlways['data']> {
    const { data } = await this.#call<LetInAlways>('GET', at`/v2/rooms/${roomId}/let-in-always`)
    return data
  }

  /** From the next session on, this person has to ask again. */
  async liftLetInAlways(roomId: string, participantId: string): Promise<void> {
    await this.#call('POST', at`/v2/rooms/${roomId}/let-in-always/lift`, { body: { participantId } })
  }

  /** Sends a message to a chat topic (PubSub). @returns the id of the message */
  async publish(roomId: string, message: NewMessage): Promise<string> {
    const { id } = await this.#call<{ id: string }>('POST', at`/v2/rooms/${roomId}/messages`, {
      body: message,
    })
    return id
  }

  /** The stored messages, oldest first. */
  messages(roomId: string, query: PageQuery & { topic?: string } = {}): Promise<PageOf<Message>> {
    return this.#call('GET', at`/v2/rooms/${roomId}/messages`, { query: { ...query } })
  }

  /** A value of the realtime store; null if there is none. */
  async value(roomId: string, key: string): Promise<string | null> {
    const { value } = await this.#call<Static<typeof Value>>('GET', at`/v2/rooms/${roomId}/values/${key}`)
    return value
  }

  /** @param value null deletes it */
  async setValue(roomId: string, key: string, value: string | null): Promise<void> {
    await this.#call('PUT', at`/v2/rooms/${roomId}/values/${key}`, { body: { value } })
  }
}

export class Invites {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  /** The code and its link are in this answer and nowhere else. */
  create(options: NewInviteOptions): Promise<NewInvite> {
    return this.#call('POST', '/v2/invites', { body: options })
  }

  /** Newest first. */
  list(roomId: string, query: PageQuery = {}): Promise<PageOf<Invite>> {
    return this.#call('GET', '/v2/invites', { query: { ...query, roomId } })
  }

  /** Every invite of the meeting, newest first. */
  all(roomId: string): AsyncGenerator<Invite> {
    return everyOne((page) => this.list(roomId, { page, perPage: WHOLE_PAGE }))
  }

  /** @throws {ServerClientError} NOT_FOUND if there is no such valid invite */
  async revoke(roomId: string, inviteId: string): Promise<void> {
    await this.#call('POST', at`/v2/invites/${inviteId}/revoke`, { body: { roomId } })
  }
}

export class Webhooks {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  /** PEM, for `verifyWebhook`. It stays the same as long as the server keeps its data. */
  async publicKey(): Promise<string> {
    return (await this.#call<{ publicKey: string }>('GET', '/v2/public/rsa-public-key')).publicKey
  }

  /** Newest first. */
  deliveries(query: DeliveryFilter & PageQuery = {}): Promise<PageOf<Delivery>> {
    return this.#call('GET', '/v2/webhooks/deliveries', { query: { ...query } })
  }

  /** With the body that is sent. */
  delivery(deliveryId: string): Promise<WholeDelivery> {
    return this.#call('GET', at`/v2/webhooks/deliveries/${deliveryId}`)
  }

  replay(deliveryId: string): Promise<WholeDelivery> {
    return this.#call('POST', at`/v2/webhooks/deliveries/${deliveryId}/replay`)
  }

  /** Replays all parked deliveries. @returns how many */
  async replayParked(): Promise<number> {
    const body = { state: 'parked' }
    return (await this.#call<{ replayed: number }>('POST', '/v2/webhooks/deliveries/replay', { body }))
      .replayed
  }
}
