/**
 * The one rule for every id and every name. Schemas, tokens, paths, queries, forms, the database and the client use it.
 * Lengths are in Unicode code points, as in JSON Schema: an emoji counts once, wherever it is counted.
 *
 * A new id (a custom id, a participantId) is held to the strict rule: what two people would read as one id is one id.
 * An id that only looks something up is held to `isReadable`, so that what was named before the rule is still found.
 */

/** A meeting id: three dash-separated groups of four (contract, rest-and-tokens §4.1). */
export const meetingIdPattern = '^[a-z0-9]{4}(-[a-z0-9]{4}){2}$'

/** Of a custom id and a participantId. */
export const MAX_ID_LENGTH = 128
/** Of what looks something up, of a topic, of a key, and of the name of a person. */
export const MAX_WORDS_LENGTH = 256

/** What is not seen or changes how the rest is seen, and U+FFFD, which a broken decoding leaves. */
const INVISIBLE =
  /[\p{Control}\p{Format}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Zl}\p{Zp}\u2800\ufffd]/u

/** By which the server speaks of itself where a participantId stands. */
const SERVER = 'server'
/** Words of addresses that stand where an id may stand; `test/names.test.ts` holds them to the routes. */
const WORD_BESIDE_ROOMS = 'validate'
const WORD_BESIDE_PARTICIPANTS = 'active'

/** Whether a text may look something up: 1 to 256 code points of well-formed Unicode. */
export function isReadable(value: unknown): value is string {
  return (
    typeof value === 'string' && value !== '' && value.isWellFormed() && isWithin(value, MAX_WORDS_LENGTH)
  )
}

/**
 * What is wrong with what names a meeting, a new custom id or the id that the server gave it, to follow its name in a
 * sentence; undefined: nothing. A custom id may look like an id of the server: so do those that an app brings along.
 */
export function problemOfRoomId(value: string): string | undefined {
  const problem = problemOfId(value)
  if (problem !== undefined) return problem
  if (value === WORD_BESIDE_ROOMS) return `must not be "${value}", which means something else in an address`
  return value.trim() === value ? undefined : 'must not begin or end with white space'
}

/** Of a participantId. The contract excludes white space (rest-and-tokens §4.1). */
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
  // In a path these mean another address.
  if (value === '.' || value === '..') return 'must not be "." or ".."'
  if (INVISIBLE.test(value)) return 'must hold no control, invisible or replacement characters'
  // Two spellings of one text would be two ids.
  return value === value.normalize('NFC') ? undefined : 'must be in Unicode normal form C'
}

/** Direction overrides, embeddings and isolates, and what is never seen; joiners and emoji selectors are part of words. */
const NOISE =
  /[\u00ad\u115f\u1160\u180e\u200b\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e001f}\p{Noncharacter_Code_Point}]|\u034f|\u17b4|\u17b5/gu

/**
 * A name of a person as it is shown: on one line, without what is not seen or turns the words around it. A name keeps
 * nobody out, so it is cleaned where an id would be refused. Empty when nothing is left to see.
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

/** What is wrong with a name that an operator gives, such as a project's. */
export function problemOfName(value: string): string | undefined {
  if (!value.isWellFormed()) return 'must be well-formed Unicode'
  if (cleanName(value) === '') return 'must hold something to read'
  return INVISIBLE_IN_NAMES.test(value) ? 'must hold no control or invisible characters' : undefined
}

const INVISIBLE_IN_NAMES = new RegExp(`[\\p{Control}\\p{Zl}\\p{Zp}]|${NOISE.source}`, 'u')

function isWithin(value: string, max: number): boolean {
  // A code point takes one or two units: most texts need no counting.
  if (value.length <= max) return true
  if (value.length > 2 * max) return false
  let count = 0
  for (const _ of value) if (++count > max) return false
  return true
}
