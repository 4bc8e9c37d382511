/** The meetings that exist: create, find, list, deactivate. */
import type { MeetingRecord, MeetingSettings, Page, PageOf, Store } from '../store/store.ts'
import { Refusal } from '../protocol/errors.ts'
import { isReadable, problemOfRoomId } from '../protocol/ids.ts'
import { IdTaken, StoreConflict } from '../store/problem.ts'

export interface Catalogue {
  /**
   * Idempotent on `customId` within the project: returns an existing meeting unchanged.
   * @throws {Refusal} INVALID_REQUEST for a new custom id that breaks the rule of `ids.ts` or names another meeting
   */
  create(
    projectId: string,
    options?: {
      customId?: string
      settings?: MeetingSettings
      /** From `newMeetingId`, if the id is needed beforehand. Default: a new id. */
      meetingId?: string
    },
  ): Promise<MeetingRecord>
  /** By meetingId, custom id or id; does not find meetings of other projects. */
  find(projectId: string, anyId: string): Promise<MeetingRecord | undefined>
  /** Newest first. */
  list(projectId: string, page: Page, query?: string): Promise<PageOf<MeetingRecord>>
  /** Permanent. Returns undefined if the project has no meeting with this canonical id. */
  disable(projectId: string, meetingId: string): Promise<MeetingRecord | undefined>
  /** Returns undefined if the project has no meeting with this canonical id. */
  configure(
    projectId: string,
    meetingId: string,
    changes: Pick<MeetingSettings, 'knock'>,
  ): Promise<MeetingRecord | undefined>
}

export interface CatalogueOptions {
  store: Store
  now: () => number
  randomBytes: (size: number) => Buffer
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
const GROUPS = 3
const GROUP_LENGTH = 4
/** Larger bytes are skipped, because they would make the first letters more likely than the others. */
const UNBIASED_BELOW = 256 - (256 % ALPHABET.length)
/** There are 36¹² ids, so two collisions in a row mean that something else is wrong. */
const TRIES = 3

/** Three groups of four (contract, rest-and-tokens §4.1), each character equally likely. */
export function newMeetingId(randomBytes: (size: number) => Buffer): string {
  let characters = ''
  while (characters.length < GROUPS * GROUP_LENGTH) {
    for (const byte of randomBytes(GROUPS * GROUP_LENGTH)) {
      if (byte < UNBIASED_BELOW && characters.length < GROUPS * GROUP_LENGTH)
        characters += ALPHABET.charAt(byte % ALPHABET.length)
    }
  }
  return characters.match(/.{4}/g)!.join('-')
}

export function createCatalogue({ store, now, randomBytes }: CatalogueOptions): Catalogue {
  return {
    create: async (projectId, { customId, settings = {}, meetingId } = {}) => {
      const problem = customId === undefined ? undefined : problemOfRoomId(customId)
      if (problem !== undefined) {
        // A meeting that is older than the rule is still returned.
        const there = isReadable(customId)
          ? await store.meetings.withCustomId(projectId, customId)
          : undefined
        if (there) return there
        throw new Refusal('INVALID_REQUEST', { message: `A custom id ${problem}.` })
      }
      for (let tried = 1; ; tried++) {
        const at = now()
        try {
          return await store.meetings.create({
            id: randomBytes(12).toString('hex'),
            meetingId: meetingId ?? newMeetingId(randomBytes),
            projectId,
            customId: customId ?? null,
            settings,
            disabledAt: null,
            createdAt: at,
            updatedAt: at,
          })
        } catch (error) {
          if (error instanceof IdTaken)
            throw new Refusal('INVALID_REQUEST', { message: 'The custom id is the id of another meeting.' })
          if (!(error instanceof StoreConflict) || meetingId !== undefined || tried === TRIES) throw error
        }
      }
    },
    find: (projectId, anyId) =>
      isReadable(anyId) ? store.meetings.find(projectId, anyId) : Promise.resolve(undefined),
    list: (projectId, page, query) => store.meetings.list(projectId, page, query),
    disable: async (projectId, meetingId) => {
      const meeting = await store.meetings.get(meetingId)
      return meeting?.projectId === projectId ? store.meetings.disable(meetingId, now()) : undefined
    },
    configure: async (projectId, meetingId, changes) => {
      const meeting = await store.meetings.get(meetingId)
      if (meeting?.projectId !== projectId) return undefined
      return store.meetings.configure(meetingId, changes, now())
    },
  }
}
