/**
 * The rules for ids and names. Schemas, tokens, paths, queries, forms, the database and the client all use them.
 * Lengths are in Unicode code points, as in JSON Schema: an emoji counts once everywhere.
 *
 * A new id (a custom id, a participantId) must pass the strict rule, so that two ids never look the same.
 * An id that only looks something up must pass `isReadable`, so that ids older than the strict rule still work.
 */

/** A meeting id: three dash-separated groups of four (contract, rest-and-tokens §4.1). */
export const meetingIdPattern = '^[a-z0-9]{4}(-[a-z0-9]{4}){2}$'

/** For a custom id and a participantId. */
export const MAX_ID_LENGTH = 128
/** For an id that looks something up, a topic, a key, and a person's name. */
export const MAX_WORDS_LENGTH = 256

/** Invisible characters, characters that change how others are shown, and U+FFFD, which a failed decoding leaves. */
const INVISIBLE =
  /[\p{Control}\p{Format}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Zl}\p{Zp}\u2800\ufffd]/u

/** Stands for the server itself in place of a participantId. */
const SERVER = 'server'
/** Words in paths at positions where an id may stand; `test/names.test.ts` compares them with the routes. */
const WORD_BESIDE_ROOMS = 'validate'
const WORD_BESIDE_PARTICIPANTS = 'active'

/** Whether every database keeps a text as it is: well-formed Unicode without U+0000. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Whether a text may be used for a lookup: 1 to 256 code points of well-formed Unicode without U+0000. */
export function isReadable(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && isStorable(value) && isWithin(value, MAX_WORDS_LENGTH)
}

/**
 * What is wrong with an id of a meeting (a new custom id, or the id that the server gave it), as the rest of a
 * sentence; undefined if nothing is. A custom id may look like an id of the server, as an app's existing ids do.
 */
export function problemOfRoomId(value: string): string | undefined {
  const problem = problemOfId(value)
  if (problem !== undefined) return problem
  if (value === WORD_BESIDE_ROOMS) return `must not be "${value}", which means something else in an address`
  return value.trim() === value ? undefined : 'must not begin or end with white space'
}

/** The same for a participantId. The contract excludes white space (rest-and-tokens §4.1). */
export function problemOfParticipantId(value: string): string | undefined {
  const problem = problemOfId(value)
  if (problem !== undefined) return problem
  if (/\s/u.test(value)) return 'must hold no white space'
  if (value === WORD_BESIDE_PARTICIPANTS)
    return `must not be "${value}", which means something else in an address`
  return value.normalize('NFKC').toLowerCase() === SERVER ? 'must not be the name of the server' : undefined
}

export function isParticipantId(value: unknown): value is string {
  return typeof value === 'string' && problemOfParticipantId(value) === undefined
}

export function isRoomId(value: unknown): value is string {
  return typeof value === 'string' && problemOfRoomId(value) === undefined
}

function problemOfId(value: string): string | undefined {
  if (value === '' || !isWithin(value, MAX_ID_LENGTH)) return `must be 1 to ${MAX_ID_LENGTH} characters long`
  if (!value.isWellFormed()) return 'must be well-formed Unicode'
  // In a path, these would mean another address.
  if (value === '.' || value === '..') return 'must not be "." or ".."'
  if (INVISIBLE.test(value)) return 'must hold no control, invisible or replacement characters'
  // Two spellings of the same text would be two ids.
  return value === value.normalize('NFC') ? undefined : 'must be in Unicode normal form C'
}

/** Direction overrides, embeddings and isolates, and invisible characters. Joiners and emoji selectors are allowed: words use them. */
const NOISE =
  /[\u00ad\u115f\u1160\u180e\u200b\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e001f}\p{Noncharacter_Code_Point}]|\u034f|\u17b4|\u17b5/gu

/**
 * Cleans a person's name for display: one line, without characters that are invisible or change the direction of text. A bad
 * name refuses nobody, so it is cleaned while an id would be refused. Returns an empty string if nothing visible is left.
 */
export function cleanName(name: string): string {
  const clean = name
    .toWellFormed()
    .replace(NOISE, '')
    .normalize('NFC')
    .replace(/[\s\p{Control}]+/gu, ' ')
    .trim()
  return /[^\p{Format}\p{Default_Ignorable_Code_Point}\s]/u.test(clean) ? clean : ''
}

/** What is wrong with a name given by an operator, such as a project's. */
export function problemOfName(value: string): string | undefined {
  if (!value.isWellFormed()) return 'must be well-formed Unicode'
  if (cleanName(value) === '') return 'must hold something to read'
  return INVISIBLE_IN_NAMES.test(value) ? 'must hold no control or invisible characters' : undefined
}

const INVISIBLE_IN_NAMES = new RegExp(`[\\p{Control}\\p{Zl}\\p{Zp}]|${NOISE.source}`, 'u')

function isWithin(value: string, max: number): boolean {
  // A code point takes one or two units, so most texts need no counting.
  if (value.length <= max) return true
  if (value.length > 2 * max) return false
  let count = 0
  for (const _ of value) if (++count > max) return false
  return true
}
