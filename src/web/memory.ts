/** The storage of this tab: a reload returns to the meeting, another tab does not. */
import type { Pass } from './api.ts'

const PARTICIPANT = 'anteroom:participant'
const tokenOf = (meetingId: string): string => `anteroom:${meetingId}`
const keyOf = (meetingId: string): string => `anteroom:key:${meetingId}`
/** A person who knocked has a participant id of their own in each meeting. */
const knockerOf = (meetingId: string): string => `${PARTICIPANT}:${meetingId}`

/** Refusals that a token will get again. */
const DEAD = new Set(['INVALID_TOKEN', 'INVALID_API_KEY', 'APIKEY_DEACTIVATED', 'INVALID_PERMISSIONS'])

export const memory = {
  load: (meetingId: string): Pass | undefined => {
    const token = sessionStorage.getItem(tokenOf(meetingId))
    const participantId = sessionStorage.getItem(knockerOf(meetingId))
    const key = sessionStorage.getItem(keyOf(meetingId))
    return token === null
      ? undefined
      : {
          token,
          meetingId,
          ...(participantId !== null && { participantId }),
          ...(key !== null && { key }),
        }
  },
  save: ({ meetingId, token, participantId, key }: Pass): void => {
    sessionStorage.setItem(tokenOf(meetingId), token)
    if (key !== undefined) sessionStorage.setItem(keyOf(meetingId), key)
    if (participantId === undefined) sessionStorage.removeItem(knockerOf(meetingId))
    else sessionStorage.setItem(knockerOf(meetingId), participantId)
  },
  /** A reload then knocks or asks what to do, instead of being refused again. */
  refused: ({ meetingId }: Pass, reason: string): void => {
    if (!DEAD.has(reason)) return
    sessionStorage.removeItem(tokenOf(meetingId))
    sessionStorage.removeItem(knockerOf(meetingId))
  },
  participantId: ({ participantId }: Pass): string | undefined =>
    participantId ?? sessionStorage.getItem(PARTICIPANT) ?? undefined,
  joined: ({ participantId }: Pass, id: string): void => {
    if (participantId === undefined) sessionStorage.setItem(PARTICIPANT, id)
  },
}
