import type { StreamKind } from '../protocol/media.ts'
import type { Mode } from '../protocol/modes.ts'
import type { Entrance } from './door/entrance.ts'
import type { Roster } from './roster/roster.ts'
import type { Session } from './session/session.ts'

/** A live meeting as seen from outside. Instants in ms. */
export interface LiveView {
  sessionId: string | null
  startedAt: number | null
  participants: {
    participantId: string
    name: string
    joinedAt: number
    mode: Mode
    streams: StreamKind[]
    canModerate: boolean
    /** Scores from 1 to 4.5, see `quality.ts`; null before the first measurement. */
    quality: { audio: number | null; video: number | null } | null
  }[]
  /** Admitted, and about to join. */
  entering: { participantId: string; name: string; admittedAt: number }[]
  entryRequests: { participantId: string; name: string; askedAt: number }[]
}

/** An empty meeting. */
export const emptyView: LiveView = {
  sessionId: null,
  startedAt: null,
  participants: [],
  entering: [],
  entryRequests: [],
}

export function viewOf(session: Session | undefined, roster: Roster, entrance: Entrance): LiveView {
  const { sessionId = null, startedAt = null } = session ?? {}
  return {
    sessionId,
    startedAt,
    participants: roster.joined().map(({ id, name, joinedAt, mode, media, authority }) => ({
      participantId: id,
      name,
      joinedAt,
      mode,
      streams: [...media.told],
      canModerate: authority.canModerate,
      quality: media.quality ? { audio: media.quality.audioScore, video: media.quality.videoScore } : null,
    })),
    entering: roster.seats.entries().map(({ participant: { id, name }, admittedAt }) => ({
      participantId: id,
      name,
      admittedAt,
    })),
    entryRequests: entrance.entries(),
  }
}
