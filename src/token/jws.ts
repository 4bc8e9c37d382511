/**
 * The signed envelope: JWS compact serialisation (RFC 7515) with HS256 and nothing else. Knows no claims.
 */
import { isUtf8 } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import { Refusal } from '../protocol/errors.ts'

/** The longest token there is, in bytes. A longer one is refused before any of it is read. */
export const maxTokenBytes = 8192

/** The longest encoded header. Those in use have some 40 characters; reading one is the dearest part of a refusal. */
const maxHeaderCharacters = 1024

/** Objects, lists and commas that header or claims may hold, and how deep: a parser's time goes by them, not by the length. */
const maxJsonParts = 256
const maxJsonDepth = 32

/** The header of every token minted here, and of most tokens minted elsewhere. */
export const headerSegment = encodeBase64url('{"alg":"HS256","typ":"JWT"}')

const blockBytes = 64
const digestBytes = 32
const signatureLength = 43

/** The two padded blocks of HMAC (RFC 2104), worked out once for a secret. Holds the secret: never log it. */
export interface HmacKey {
  readonly inner: Uint8Array
  readonly outer: Uint8Array
}

/** @param secret a string counts as its UTF-8 bytes, as every VideoSDK sample signs; it is not base64 (contract §1.1). */
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

// One pair of buffers for all signing: nothing here awaits, so no two signatures are ever in the making at once.
const innerMessage = Buffer.alloc(blockBytes + maxTokenBytes)
const innerMessageBytes = new Uint8Array(innerMessage.buffer, innerMessage.byteOffset, innerMessage.length)
const outerMessage = Buffer.alloc(blockBytes + digestBytes)

/**
 * The signature of an ASCII text in base64url, 43 characters.
 *
 * HMAC is put together from two one-shot hashes because `createHmac` spends more time on making its stream object than on
 * hashing a token; the test holds it against `createHmac`.
 *
 * @throws {RangeError} the text is longer than a token may be
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

// The typings know only its alias `binary`, which takes Node half as long again to look up.
const oneCharacterPerByte = 'latin1' as 'binary'

const expectedSignature = Buffer.alloc(signatureLength)
const givenSignature = Buffer.alloc(signatureLength)

/**
 * Whether `signature` is the canonical signature of the text. Takes the same time wherever the two differ; the length of a
 * signature is no secret.
 *
 * @param signature ASCII, as `splitCompact` gives it
 */
export function isSignedBy(key: HmacKey, text: string, signature: string): boolean {
  const expected = sign(key, text)
  if (signature.length !== signatureLength) return false
  expectedSignature.write(expected, 'latin1')
  givenSignature.write(signature, 'latin1')
  return timingSafeEqual(expectedSignature, givenSignature)
}

/** The three segments of a compact JWS and the text that the signature covers, all of it ASCII and still encoded. */
export interface CompactJws {
  header: string
  payload: string
  signature: string
  signedText: string
}

/**
 * Takes a token apart without believing any of it.
 *
 * @throws {Refusal} `INVALID_TOKEN` with reason `missing`, `size` (of the token or of its header), `characters` or `parts`
 */
export function splitCompact(token: unknown): CompactJws {
  if (typeof token !== 'string' || token === '') throw malformed('missing')
  if (token.length > maxTokenBytes) throw malformed('size')
  const bytes = Buffer.byteLength(token, 'utf8')
  if (bytes > maxTokenBytes) throw malformed('size')
  // Beyond ASCII, `latin1` would fold a character onto another one and accept a second spelling of the same token.
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
 * Reads a header and accepts it only where it says HS256 and asks for nothing that is not understood here.
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
 * The JSON object in a segment.
 *
 * @throws {Refusal} `INVALID_TOKEN` with reason `base64url`, `utf8`, `size`, `json` or `not-an-object`
 */
export function decodeObject(segment: string): Record<string, unknown> {
  return parseObject(decodeText(segment))
}

function decodeText(segment: string): string {
  const bytes = Buffer.from(segment, 'base64url')
  // The decoder skips what it does not know; only the one canonical spelling comes back the same.
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
    // The parser's message quotes the text, which may be part of a token: it must not travel as a cause.
    throw malformed('json')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('not-an-object')
  if (SURROGATE_ESCAPE.test(text) && !isWellFormed(text)) throw malformed('utf8')
  return value as Record<string, unknown>
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

/** Whether no text in a JSON text holds half of a character, which would be another text wherever it is stored. */
function isWellFormed(json: string): boolean {
  let good = true
  JSON.parse(json, (name, value: unknown) => {
    if (!name.isWellFormed() || (typeof value === 'string' && !value.isWellFormed())) good = false
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

/** Whether the text could be too deep, found out in next to no time: nearly none could. */
function hasManyOpenings(json: string): boolean {
  let openings = 0
  for (const opening of ['{', '[']) {
    for (let at = json.indexOf(opening); at !== -1; at = json.indexOf(opening, at + 1))
      if (++openings > maxJsonDepth) return true
  }
  return false
}

/** Where the string that begins here ends; −1: nowhere. */
function endOfText(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let backslashes = 0
    while (json[end - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return end
  }
  return -1
}

/** Whether any object in a valid JSON text names a key twice, escapes taken into account. */
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

/** Whether a text is base64url without padding in its one canonical spelling. */
export function isCanonicalBase64url(text: string): boolean {
  return Buffer.from(text, 'base64url').toString('base64url') === text
}

export function encodeBase64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url')
}

export function malformed(reason: string): Refusal {
  return new Refusal('INVALID_TOKEN', { reason })
}
