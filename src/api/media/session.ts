/** One session of a WHIP or WHEP client. Types only. */
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

/** An open session. */
export interface StreamSession {
  /** Unguessable. */
  readonly id: string
  readonly way: Way
  readonly meeting: MeetingRecord
  /** The meeting's session. */
  readonly sessionId: string | undefined
  readonly participantId: string
  readonly grant: Grant
  readonly transport: Transport
  /** Of the current ICE credentials. */
  etag: string
  /** The client's. */
  ice: IceCredentials
  /** Idempotent. */
  end(): void
}
