/**
 * The signed envelope: JWS compact serialisation (RFC 7515), HS256 only. It knows nothing about claims.
 */
import { isUtf8 } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import { Refusal } from '../protocol/errors.ts'
import { isStorable } from '../protocol/ids.ts'

/** The maximum length of a token in bytes. A longer one is refused unread. */
export const maxTokenBytes = 8192

/** The maximum length of an encoded header. Real headers have about 40 characters, and parsing one is the most expensive part of a refusal. */
const maxHeaderCharacters = 1024

/** Limits on objects, lists, commas and depth in header and claims, because these determine a parser's time more than length does. */
const maxJsonParts = 256
const maxJsonDepth = 32

/** The header of every token minted here, and of most others. */
export const headerSegment = encodeBase64url('{"alg":"HS256","typ":"JWT"}')

const blockBytes = 64
const digestBytes = 32
const signatureLength = 43

/** The two padded blocks of HMAC (RFC 2104), computed once per secret. Contains the secret: never log it. */
export interface HmacKey {
  readonly inner: Uint8Array
  readonly outer: Uint8Array
}

/** @param secret a string stands for its UTF-8 bytes, as in every VideoSDK sample; it is not base64 (contract §1.1). */
export function prepareKey(secret: string | Uint8Array): HmacKey {
  let bytes: Uint8Array = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : secret
  if (bytes.length > blockBytes) bytes = hash('sha256', bytes, 'buffer')
  const inner = new Uint8Array(blockBytes).fill(0x36)
  const outer = new Uint8Array(blockBytes).fill(0x5c)
  for (const [index, byte] of bytes.entries()) {
    inner[index]! ^= byte
    outer[index]! ^= byte
  }
  return { inner, outer }
}

// One pair of buffers serves all signing: nothing here awaits, so signatures never overlap.
const innerMessage = Buffer.alloc(blockBytes + maxTokenBytes)
const innerMessageBytes = new Uint8Array(innerMessage.buffer, innerMessage.byteOffset, innerMessage.length)
const outerMessage = Buffer.alloc(blockBytes + digestBytes)

/**
 * The signature of an ASCII text in base64url, 43 characters.
 *
 * HMAC is computed from two one-shot hashes, because `createHmac` spends more time on creating its stream object than on
 * hashing a token. A test compares the results with `createHmac`.
 *
 * @throws {RangeError} if the text is longer than a token may be
 */
export function sign(key: HmacKey, text: string): string {
  if (text.length > maxTokenBytes) throw new RangeError(`cannot sign more than ${maxTokenBytes} characters`)
  innerMessage.set(key.inner)
  const end = blockBytes + innerMessage.write(text, blockBytes, 'latin1')
  outerMessage.set(key.outer)
  outerMessage.write(
    hash('sha256', innerMessageBytes.subarray(0, end), oneCharacterPerByte),
    blockBytes,
    'latin1',
  )
  return hash('sha256', outerMessage, 'base64url')
}

// The typings only know the alias `binary`, which Node looks up more slowly.
const oneCharacterPerByte = 'latin1' as 'binary'

const expectedSignature = Buffer.alloc(signatureLength)
const givenSignature = Buffer.alloc(signatureLength)

/**
 * Whether `signature` is the canonical signature of the text. The time does not depend on where the two differ; the length of a
 * signature is not a secret.
 *
 * @param signature ASCII, as returned by `splitCompact`
 */
export function isSignedBy(key: HmacKey, text: string, signature: string): boolean {
  const expected = sign(key, text)
  if (signature.length !== signatureLength) return false
  expectedSignature.write(expected, 'latin1')
  givenSignature.write(signature, 'latin1')
  return timingSafeEqual(expectedSignature, givenSignature)
}

/** The three segments of a compact JWS and the text that the signature covers, all ASCII and still encoded. */
export interface CompactJws {
  header: string
  payload: string
  signature: string
  signedText: string
}

/**
 * Splits a token without trusting any of it.
 *
 * @throws {Refusal} `INVALID_TOKEN` with reason `missing`, `size` (of the token or of its header), `characters` or `parts`
 */
export function splitCompact(token: unknown): CompactJws {
  if (typeof token !== 'string' || token === '') throw malformed('missing')
  if (token.length > maxTokenBytes) throw malformed('size')
  const bytes = Buffer.byteLength(token, 'utf8')
  if (bytes > maxTokenBytes) throw malformed('size')
  // `latin1` maps some characters beyond ASCII onto others, and would accept a second spelling of the same token.
  if (bytes !== token.length) throw malformed('characters')
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second <= first + 1 || second === token.length - 1 || token.includes('.', second + 1)) {
    throw malformed('parts')
  }
  if (first > maxHeaderCharacters) throw malformed('size')
  return {
    header: token.slice(0, first),
    payload: token.slice(first + 1, second),
    signature: token.slice(second + 1),
    signedText: token.slice(0, second),
  }
}

/**
 * Parses a header and accepts it only if it says HS256 and requires nothing unknown.
 *
 * @throws {Refusal} `INVALID_TOKEN` with reason `base64url`, `utf8`, `size`, `json`, `not-an-object`, `duplicate-key`, `alg`,
 * `crit`, `b64` or `typ`
 */
export function checkHeader(segment: string): void {
  if (segment === headerSegment) return
  const text = decodeText(segment)
  const header = parseObject(text)
  if (hasDuplicateKey(text)) throw malformed('duplicate-key')
  if (header.alg !== 'HS256') throw malformed('alg')
  if ('crit' in header) throw malformed('crit')
  if ('b64' in header && header.b64 !== true) throw malformed('b64')
  if ('typ' in header && !isJwtType(header.typ)) throw malformed('typ')
}

function isJwtType(typ: unknown): boolean {
  return typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ)
}

/**
 * Decodes the JSON object in a segment.
 *
 * @throws {Refusal} `INVALID_TOKEN` with reason `base64url`, `utf8`, `size`, `json` or `not-an-object`
 */
export function decodeObject(segment: string): Record<string, unknown> {
  return parseObject(decodeText(segment))
}

function decodeText(segment: string): string {
  const bytes = Buffer.from(segment, 'base64url')
  // The decoder skips unknown characters; only the canonical spelling survives a round trip.
  if (bytes.toString('base64url') !== segment) throw malformed('base64url')
  if (!isUtf8(bytes)) throw malformed('utf8')
  return bytes.toString('utf8')
}

function parseObject(text: string): Record<string, unknown> {
  if (isHeavy(text)) throw malformed('size')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which may be part of a token, so it must not be passed on as a cause.
    throw malformed('json')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('not-an-object')
  if (DOUBTFUL_ESCAPE.test(text) && !holdsStorableTexts(text)) throw malformed('utf8')
  return value as Record<string, unknown>
}

const DOUBTFUL_ESCAPE = /\\u([dD][89a-fA-F]|0000)/

/** Whether every text in a JSON text can be stored as it is. */
function holdsStorableTexts(json: string): boolean {
  let good = true
  JSON.parse(json, (name, value: unknown) => {
    if (!isStorable(name) || (typeof value === 'string' && !isStorable(value))) good = false
    return value
  })
  return good
}

function isHeavy(json: string): boolean {
  if (json.length <= 2 * maxJsonParts && !hasManyOpenings(json)) return false
  let parts = 0
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '"') {
      at = endOfText(json, at)
      if (at === -1) return false
    } else if (character === '[' || character === '{') {
      parts++
      depth++
    } else if (character === ']' || character === '}') depth--
    else if (character === ',') parts++
    if (parts > maxJsonParts || depth > maxJsonDepth) return true
  }
  return false
}

/** A fast check whether the text could be too deep. Very few texts pass it. */
function hasManyOpenings(json: string): boolean {
  let openings = 0
  for (const opening of ['{', '[']) {
    for (let at = json.indexOf(opening); at !== -1; at = json.indexOf(opening, at + 1))
      if (++openings > maxJsonDepth) return true
  }
  return false
}

/** The end of the string that begins here; −1 if it does not end. */
function endOfText(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let backslashes = 0
    while (json[end - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return end
  }
  return -1
}

/** Whether any object in a valid JSON text has a duplicate key, taking escapes into account. */
export function hasDuplicateKey(json: string): boolean {
  const open: (Set<string> | undefined)[] = []
  const tokens = json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)
  for (const [text, colon] of tokens) {
    if (text === '{') open.push(new Set())
    else if (text === '[') open.push(undefined)
    else if (text === '}' || text === ']') open.pop()
    else if (colon !== undefined) {
      const keys = open.at(-1)!
      const key = JSON.parse(text.slice(0, -colon.length)) as string
      if (keys.has(key)) return true
      keys.add(key)
    }
  }
  return false
}

/** Whether a text is canonical base64url without padding. */
export function isCanonicalBase64url(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text
}

export function encodeBase64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url')
}

export function malformed(reason: string): Refusal {
  return new Refusal('INVALID_TOKEN', { reason })
}
