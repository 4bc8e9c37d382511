/** Knocking at a meeting's bare address (docs/decisions/0023): whom the server gives a token that asks to join, and nothing more. */
import type { MeetingRecord, Store } from '../store/store.ts'
import type { KeyRing, RingKey } from './key-ring.ts'
import type { Catalogue } from './catalogue.ts'
import { Refusal } from '../protocol/errors.ts'
import { isReadable } from '../protocol/ids.ts'
import { jtiOfKnock, mintToken } from '../token/token.ts'

/** Its holder uses it at once, and again after a reload or a lost connection. Forbidding knocks ends it for whoever was not let in. */
const KNOCK_TTL_SECONDS = 12 * 3600

export interface Knock {
  token: string
  meetingId: string
  participantId: string
}

export interface Knocks {
  /**
   * Returns the meeting and its key, if the meeting may be knocked at.
   * @throws {Refusal} NOT_FOUND, the same for a meeting that does not exist and for one that may not be knocked at;
   * MEETING_ID_DISABLED
   */
  find(anyId: string): Promise<{ meeting: MeetingRecord; key: RingKey }>
  /** A token for one new participant of this meeting, who asks. @param unique an id that nobody else has */
  mint(meeting: MeetingRecord, key: RingKey, unique: string): Knock
}

/**
 * Who asks says nothing of themselves, so a refusal must not tell them which meetings exist: one that does not allow
 * knocking is no other than one that does not exist, deactivated or not.
 */
export function refusalOfKnock(
  meeting: Pick<MeetingRecord, 'settings' | 'disabledAt'> | undefined,
  hasKey: boolean,
): Refusal | undefined {
  if (meeting?.settings.knock !== true || !hasKey)
    return new Refusal('NOT_FOUND', {
      message: 'Nobody can ask to join at this address; ask for an invite link.',
    })
  return meeting.disabledAt === null ? undefined : new Refusal('MEETING_ID_DISABLED')
}

export function createKnocks({
  store,
  catalogue,
  keys,
  now,
}: {
  store: Pick<Store, 'meetings'>
  catalogue: Pick<Catalogue, 'find'>
  keys: Pick<KeyRing, 'defaultKey'>
  now: () => number
}): Knocks {
  return {
    find: async (anyId) => {
      // An address names no project: a custom id is looked for in the first one alone.
      const named = isReadable(anyId) ? await store.meetings.get(anyId) : undefined
      const first = keys.defaultKey()?.projectId
      const meeting = named ?? (first === undefined ? undefined : await catalogue.find(first, anyId))
      const key = meeting && keys.defaultKey(meeting.projectId)
      const refusal = refusalOfKnock(meeting, key !== undefined)
      if (refusal) throw refusal
      return { meeting: meeting!, key: key! }
    },
    mint: ({ meetingId }, { apiKey, secret }, unique) => ({
      token: mintToken({
        apiKey,
        secret,
        now: now(),
        permissions: ['ask_join'],
        roomId: meetingId,
        participantId: unique,
        roles: ['rtc'],
        version: 2,
        expiresInSeconds: KNOCK_TTL_SECONDS,
        jti: jtiOfKnock(unique),
      }),
      meetingId,
      participantId: unique,
    }),
  }
}
