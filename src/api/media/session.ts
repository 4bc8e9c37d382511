/** One session of a WHIP or WHEP client, and what callers at any node do with it. */
import type { Transport } from '../../media/sfu.ts'
import type { MeetingRecord } from '../../store/store.ts'
import type { Grant } from '../../token/token.ts'
import type { IceCredentials, Offer, Way } from './offer.ts'

/** Who opens a session, and in which meeting. */
export interface Opening {
  meeting: MeetingRecord
  grant: Grant
  participantId: string
  name: string
  offer: Offer
  /** The participant to watch; default: whoever sends. */
  remotePeerId?: string | undefined
}

/** What a caller knows of an open session: values alone, as the session may be at another node. */
export interface OpenStream {
  /** Unguessable; begins with the id of the meeting, so that any node finds the session. */
  readonly id: string
  readonly way: Way
  readonly meeting: MeetingRecord
  readonly participantId: string
  readonly grant: Grant
  /** Of the current ICE credentials. */
  etag: string
}

/** An open session at its meeting's home. */
export interface StreamSession extends OpenStream {
  /** The meeting's session. */
  readonly sessionId: string | undefined
  readonly transport: Transport
  /** The client's. */
  ice: IceCredentials
  /** Idempotent. */
  end(): void
}

/** The sessions of all meetings, wherever their homes are. */
export interface Streams {
  /** Lets a client send. Returns the session and the SDP answer. @throws {Refusal} */
  openSender(meetingId: string, opening: Opening): Promise<{ stream: OpenStream; answer: string }>
  /** Lets a client watch, unseen. Returns the session and the SDP answer. @throws {Refusal} */
  openViewer(meetingId: string, opening: Opening): Promise<{ stream: OpenStream; answer: string }>
  /**
   * The session with this id. The published server SDK names the meeting's session and the participant instead
   * (contract, outputs §0).
   */
  findStream(meetingId: string, way: Way, id: string, participantId?: string): Promise<OpenStream | undefined>
  /**
   * Accepts candidates, or restarts ICE: then it returns the fragment of the answer.
   * @throws {Refusal} NOT_FOUND if the session has ended
   */
  patchStream(
    meetingId: string,
    id: string,
    body: string,
    ifMatch: string | undefined,
  ): Promise<{ etag: string; answer: string | undefined }>
  /** Does nothing if it has ended. */
  endStream(meetingId: string, id: string): Promise<void>
}

export const STREAM_CALLS = [
  'openSender',
  'openViewer',
  'findStream',
  'patchStream',
  'endStream',
] as const satisfies (keyof Streams)[]
