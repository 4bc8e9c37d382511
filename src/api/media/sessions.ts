/** The sessions of WHIP and WHEP clients: each is one member of a meeting with one transport. */
import type { Logger } from 'pino'
import type { MediaStatus, Router, RouterOptions } from '../../media/sfu.ts'
import type { LiveMeetings } from '../../meeting/live-meetings.ts'
import type { MeetingRecord } from '../../store/store.ts'
import type { Grant } from '../../token/token.ts'
import type { RtpCapabilities } from '../../protocol/media.ts'
import { refusalAtDoor } from '../../meeting/door/door.ts'
import { managesFromOutside } from '../../meeting/roster/permissions.ts'
import { Refusal } from '../../protocol/errors.ts'
import { meetingIdPattern } from '../../protocol/ids.ts'
import { sharesOf } from '../../shares.ts'
import { Tally } from '../../tally.ts'
import { writeAnswer, writeFragment } from './answer.ts'
import { decidePatch, readFragment } from './fragment.ts'
import { giveToReceiver, payloadTypesOf, takeFromSender } from './negotiate.ts'
import type { Offer, Way } from './offer.ts'
import type { Opening, OpenStream, Streams, StreamSession } from './session.ts'
import { openSender } from './sender.ts'
import { Viewer } from './viewer.ts'

export interface StreamSessionOptions {
  meetings: Pick<LiveMeetings, 'requestEntry' | 'attach' | 'view' | 'refusalOfRemoved'>
  openRouter: (options?: RouterOptions) => Promise<Router>
  mediaStatus: () => MediaStatus
  /** Returns why a grant is no longer valid, if so. */
  refusalSince: (grant: Grant) => Refusal | undefined
  newSecretId: () => string
  /** WHEP viewers at once; the holders of one token may have half of them. */
  maxViewers: number
  log: Logger
}

/** A client that does not connect in this time is gone. */
const CONNECT_TIMEOUT_MS = 30_000
/** How often the tokens of viewers are checked: revoked ones, and those of removed participants. */
const CHECK_MS = 2000
const BUSY_RETRY_SECONDS = 10

export class StreamSessions implements Streams {
  readonly #options: StreamSessionOptions
  readonly #sessions = new Map<string, StreamSession>()
  readonly #checks: NodeJS.Timeout
  readonly #viewersOf = new Tally()
  #viewers = 0
  #capabilities: Promise<RtpCapabilities> | undefined

  constructor(options: StreamSessionOptions) {
    this.#options = options
    this.#checks = setInterval(() => this.#endUnwelcome(), CHECK_MS).unref()
  }

  get size(): number {
    return this.#sessions.size
  }

  async openSender(_meetingId: string, opening: Opening): Promise<{ stream: OpenStream; answer: string }> {
    const { session, answer } = await this.send(opening)
    return { stream: shown(session), answer }
  }

  async openViewer(_meetingId: string, opening: Opening): Promise<{ stream: OpenStream; answer: string }> {
    const { session, answer } = await this.receive(opening)
    return { stream: shown(session), answer }
  }

  findStream(
    meetingId: string,
    way: Way,
    id: string,
    participantId?: string,
  ): Promise<OpenStream | undefined> {
    const named = this.#sessions.get(id)
    const found =
      named ??
      [...this.#sessions.values()].find(
        (one) =>
          one.meeting.meetingId === meetingId &&
          one.way === way &&
          one.sessionId === id &&
          one.participantId === participantId,
      )
    return Promise.resolve(found?.way === way ? shown(found) : undefined)
  }

  async patchStream(
    _meetingId: string,
    id: string,
    body: string,
    ifMatch: string | undefined,
  ): Promise<{ etag: string; answer: string | undefined }> {
    const session = this.#sessions.get(id)
    if (!session) throw noSuchStream()
    const answer = await this.patch(session, body, ifMatch)
    return { etag: session.etag, answer }
  }

  endStream(_meetingId: string, id: string): Promise<void> {
    this.#sessions.get(id)?.end()
    return Promise.resolve()
  }

  /** Lets a client send. Returns the session and the SDP answer. @throws {Refusal} */
  async send(opening: Opening): Promise<{ session: StreamSession; answer: string }> {
    const { offer, meeting, participantId } = opening
    const grant = this.#admitted(opening)
    const capabilities = await this.#routerCapabilities()
    const taken = offer.media.map((media) => takeFromSender(media, capabilities))
    await this.#assertFree(meeting, participantId)
    const id = this.#newId(meeting)
    const session = await openSender(
      { ...opening, grant, id, streams: taken.map(({ rtpParameters }) => rtpParameters) },
      {
        meetings: this.#options.meetings,
        newEtag: () => this.#newEtag(),
        onEnd: (ended) => this.#forget(ended),
      },
    )
    this.#add(session)
    const media = taken.map(({ answered }) => answered)
    return { session, answer: this.#answer(session, offer, media) }
  }

  /** Lets a client watch, unseen. Returns the session and the SDP answer. @throws {Refusal} */
  async receive(opening: Opening): Promise<{ session: StreamSession; answer: string }> {
    const { offer, meeting, remotePeerId } = opening
    const { meetings, openRouter, maxViewers, log } = this.#options
    const grant = this.#admitted(opening)
    if (this.#viewers >= maxViewers)
      throw new Refusal('MEDIA_UNAVAILABLE', {
        message: 'This server has as many WHEP viewers as it allows; try again later.',
        retryAfterSeconds: BUSY_RETRY_SECONDS,
      })
    const holder = JSON.stringify([grant.projectId, grant.tokenId])
    if (this.#viewersOf.of(holder) >= sharesOf(maxViewers).token)
      throw new Refusal('RATE_LIMITED', {
        message: 'This token has its share of the WHEP viewers of this server.',
        retryAfterSeconds: BUSY_RETRY_SECONDS,
      })
    const count = (viewers: 1 | -1): void => {
      this.#viewers += viewers
      this.#viewersOf.add(holder, viewers)
    }
    count(1)
    let router: Router | undefined
    let viewer: Viewer | undefined
    let session: StreamSession | undefined
    try {
      if (remotePeerId !== undefined) await this.#assertInside(meeting, remotePeerId)
      router = await openRouter({ payloadTypes: payloadTypesOf(offer.media) })
      const { answered, rtpCapabilities } = giveToReceiver(offer.media, router.rtpCapabilities)
      const transport = await router.createTransport({ direction: 'receive' })
      await transport.connect(offer.dtls)
      const opened = new Viewer({
        id: opening.participantId,
        name: opening.name,
        transport,
        router,
        rtpCapabilities,
        kinds: offer.media.map(({ kind }) => kind),
        remotePeerId,
        onEnd: () => {
          count(-1)
          if (session) this.#forget(session)
        },
        onError: (error) => log.error({ err: error }, 'failed to deliver a stream to a WHEP viewer'),
      })
      viewer = opened
      const { sessionId, detach } = await meetings.attach(meeting.meetingId, viewer, {
        grant,
        participantId: opening.participantId,
      })
      viewer.attached(detach)
      session = {
        id: this.#newId(meeting),
        way: 'receive',
        meeting,
        sessionId,
        participantId: opening.participantId,
        grant,
        transport,
        etag: this.#newEtag(),
        ice: offer.ice,
        end: () => opened.end(),
      }
      if (viewer.isOver) throw new Refusal('INVALID_STATE')
      this.#add(session)
      return { session, answer: this.#answer(session, offer, answered) }
    } catch (error) {
      if (viewer) viewer.end()
      else {
        router?.close()
        count(-1)
      }
      throw error
    }
  }

  /**
   * Accepts candidates, or restarts ICE: then it returns the fragment of the answer.
   * @throws {Refusal}
   */
  async patch(
    session: StreamSession,
    body: string,
    ifMatch: string | undefined,
  ): Promise<string | undefined> {
    const sent = readFragment(body)
    if (decidePatch(ifMatch, sent, session) === 'trickle') return undefined
    const { transport } = session
    // Before the wait, so that of two restarts at once, the second is refused as out of date.
    session.ice = sent!
    session.etag = this.#newEtag()
    const iceParameters = await transport.restartIce()
    const { iceCandidates, dtlsParameters } = transport
    return writeFragment({ iceParameters, iceCandidates, dtlsParameters })
  }

  /** The server stops. */
  close(): void {
    clearInterval(this.#checks)
    for (const session of [...this.#sessions.values()]) session.end()
  }

  #answer(session: StreamSession, offer: Offer, media: Parameters<typeof writeAnswer>[0]['media']): string {
    return writeAnswer({
      media,
      transport: session.transport,
      way: session.way,
      setup: offer.dtls.role === 'server' ? 'active' : 'passive',
      streamId: 'anteroom',
    })
  }

  #add(session: StreamSession): void {
    const { transport, id, way, meeting, participantId } = session
    const { log } = this.#options
    this.#sessions.set(id, session)
    log.info({ meetingId: meeting.meetingId, participantId, way }, 'opened a stream session')
    const unconnected = setTimeout(() => {
      if (transport.line.dtls !== 'connected') session.end()
    }, CONNECT_TIMEOUT_MS).unref()
    transport.on('line', () => {
      const { ice, dtls } = transport.line
      if (dtls === 'connected') clearTimeout(unconnected)
      // The client was silent for the time of ICE consent, or closed the connection.
      if (ice === 'disconnected' || ice === 'closed' || dtls === 'failed' || dtls === 'closed') session.end()
    })
  }

  #forget({ id, way, meeting, participantId }: StreamSession): void {
    if (!this.#sessions.delete(id)) return
    const { log } = this.#options
    log.info({ meetingId: meeting.meetingId, participantId, way }, 'ended a stream session')
  }

  /** Whom nothing tells: a viewer is in no roster. */
  #endUnwelcome(): void {
    const { refusalSince, meetings } = this.#options
    for (const session of this.#sessions.values()) {
      const { grant, meeting, way } = session
      if (way !== 'receive') continue
      if (refusalSince(grant)) session.end()
      else
        meetings.refusalOfRemoved(meeting.meetingId, grant).then(
          (refusal) => {
            if (refusal) session.end()
          },
          () => undefined,
        )
    }
  }

  /** The grant as that of a member that is admitted at once. @throws {Refusal} */
  #admitted({ grant, meeting, participantId }: Opening): Grant {
    const { roles: _, ...rest } = grant
    const entering: Grant = { ...rest, entry: grant.entry === 'moderator' ? 'moderator' : 'direct' }
    if (meeting.settings.encryption === 'required')
      throw new Refusal('ENCRYPTION_REQUIRED', {
        message: 'This meeting is end-to-end encrypted, which WHIP and WHEP clients are not.',
      })
    const media = this.#options.mediaStatus()
    const refusal = refusalAtDoor({ grant: entering, meeting, participantId, media })
    if (refusal) throw refusal
    return entering
  }

  /** A stream does not take the place of a person. @throws {Refusal} DUPLICATE_PARTICIPANT */
  async #assertFree({ meetingId }: MeetingRecord, participantId: string): Promise<void> {
    const isOurs = [...this.#sessions.values()].some(
      (one) =>
        one.way === 'send' && one.meeting.meetingId === meetingId && one.participantId === participantId,
    )
    const { participants } = await this.#options.meetings.view(meetingId)
    if (!isOurs && participants.some((one) => one.participantId === participantId))
      throw new Refusal('DUPLICATE_PARTICIPANT', {
        message: 'Another participant with this id is in the meeting; a stream needs an id of its own.',
      })
  }

  /** @throws {Refusal} NOT_FOUND */
  async #assertInside({ meetingId }: MeetingRecord, participantId: string): Promise<void> {
    const { participants } = await this.#options.meetings.view(meetingId)
    if (!participants.some((one) => one.participantId === participantId))
      throw new Refusal('NOT_FOUND', { message: 'The participant is not in this meeting.' })
  }

  /** All routers have the same. */
  #routerCapabilities(): Promise<RtpCapabilities> {
    const asked = (this.#capabilities ??= this.#options.openRouter().then((router) => {
      const { rtpCapabilities } = router
      router.close()
      return rtpCapabilities
    }))
    asked.catch(() => (this.#capabilities = undefined))
    return asked
  }

  #newEtag(): string {
    return `"${this.#options.newSecretId()}"`
  }

  #newId({ meetingId }: MeetingRecord): string {
    return `${meetingId}-${this.#options.newSecretId()}`
  }
}

const ID = new RegExp(`${meetingIdPattern.slice(0, -1)}(?=-)`)

/** The id of the meeting in that of a session of ours. */
export const meetingOfStream = (id: string): string | undefined => ID.exec(id)?.[0]

/** @throws {Refusal} UNAUTHORIZED_REQUEST unless it is the token that opened the session, or a moderator's */
export function assertMayChange(stream: OpenStream, grant: Grant): void {
  if (stream.grant.tokenId === grant.tokenId || managesFromOutside(grant)) return
  throw new Refusal('UNAUTHORIZED_REQUEST', { message: 'Another token opened this session.' })
}

export const noSuchStream = (): Refusal =>
  new Refusal('NOT_FOUND', { message: 'There is no such stream session; it may have ended.' })

const shown = ({ id, way, meeting, participantId, grant, etag }: StreamSession): OpenStream => ({
  id,
  way,
  meeting,
  participantId,
  grant,
  etag,
})
