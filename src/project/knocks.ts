/** Knocking at a meeting's bare address (docs/decisions/0023): decides who gets a token that may only ask to join. */
import type { MeetingRecord, Store } from '../store/store.ts'
import type { KeyRing, RingKey } from './key-ring.ts'
import type { Catalogue } from './catalogue.ts'
import { Refusal } from '../protocol/errors.ts'
import { isReadable } from '../protocol/ids.ts'
import { jtiOfKnock, mintToken } from '../token/token.ts'

/**
 * The holder uses the token at once, and again after a reload or a lost connection. If knocking is switched off, tokens
 * of people who were not admitted end.
 */
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
  /**
   * Makes a token with which one new participant may ask to join this meeting. @param unique an id that nobody else has
   */
  mint(meeting: MeetingRecord, key: RingKey, unique: string): Knock
}

/**
 * A person who knocks is unknown, so a refusal must not reveal which meetings exist: a meeting that does not allow
 * knocking, deactivated or not, looks like one that does not exist.
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
      // The address names no project, so a custom id is looked up only in the first project.
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
