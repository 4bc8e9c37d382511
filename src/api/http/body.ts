/**
 * Reads bodies: UTF-8 only; JSON first, then a form, whatever the content type says, because published clients
 * send either of them with the wrong type or without any (contract, rest-and-tokens §0.6).
 */
import { isAscii, isUtf8 } from 'node:buffer'
import secureJson from 'secure-json-parse'
import { Refusal } from '../../protocol/errors.ts'
import { isStorable } from '../../protocol/ids.ts'
import { hasNull, hasWholeEscapes } from './url-text.ts'

/** Content types that exclude both. */
const FOREIGN =
  /^\s*(multipart\/|image\/|audio\/|video\/|application\/(octet-stream|xml|zip|gzip|x-tar|pdf|x-protobuf|protobuf|msgpack|cbor|sdp)|text\/(xml|html|csv))/i

/** Deeper than any published shape. Stored values are serialised by recursive functions, so depth is limited. */
const MAX_DEPTH = 32

const NOT_STORABLE = 'The text in the body must be well-formed Unicode without U+0000.'

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]+)/i
const UTF8 = /^utf-?8$/i

/** @throws {Refusal} UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST */
export function parseBody(bytes: Uint8Array, contentType: string | undefined): Record<string, unknown> {
  if (contentType !== undefined && FOREIGN.test(contentType)) throw new Refusal('UNSUPPORTED_MEDIA_TYPE')
  const trimmed = decode(bytes, contentType).trim()
  if (trimmed === '') return {}
  if (trimmed.startsWith('{')) {
    const value = parseJson(trimmed)
    if (value !== undefined) return value
    throw malformed()
  }
  // Other text that looks like JSON is not a form.
  if (/^[["\d]|^(true|false|null)\b/.test(trimmed) || /^application\/json/i.test(contentType ?? ''))
    throw malformed()
  return parseForm(trimmed)
}

function malformed(message = 'The body must be a JSON object or a form.'): Refusal {
  return new Refusal('INVALID_REQUEST', { message })
}

/**
 * Bytes that are not UTF-8 are refused, not replaced; otherwise two texts could be read as the same. A body with
 * another charset may contain ASCII, which is the same in nearly all charsets.
 */
function decode(bytes: Uint8Array, contentType = ''): string {
  const charset = CHARSET.exec(contentType)?.[1]
  const foreign = charset !== undefined && !UTF8.test(charset)
  if (foreign ? !isAscii(bytes) : !isUtf8(bytes)) throw malformed('The body must be in UTF-8.')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

function parseJson(text: string): Record<string, unknown> | undefined {
  let value: unknown
  try {
    // Leaves out, at every depth, names that would reach an object's prototype.
    value = secureJson.parse(text, { protoAction: 'remove', constructorAction: 'remove' })
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  // Ids and names in a body go into statements, which take no U+0000.
  const problem = problemOfData(value, isStorable)
  if (problem === 'too deep') return undefined
  if (problem !== undefined) throw malformed(NOT_STORABLE)
  return value as Record<string, unknown>
}

/**
 * Why a value cannot be stored: it is nested too deep, or one of its texts is not one. By default, a text may have no lone
 * surrogate, which UTF-8 cannot represent.
 */
export function problemOfData(
  value: object,
  isText = (text: string) => text.isWellFormed(),
): 'too deep' | 'not well-formed' | undefined {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return 'too deep'
    const next: unknown[] = []
    for (const one of level) {
      if (typeof one === 'string') {
        if (!isText(one)) return 'not well-formed'
      } else if (Array.isArray(one)) {
        for (const inner of one) next.push(inner)
      } else if (typeof one === 'object' && one !== null && !ArrayBuffer.isView(one)) {
        for (const [name, inner] of Object.entries(one)) {
          if (!isText(name)) return 'not well-formed'
          next.push(inner)
        }
      }
    }
    level = next
  }
  return undefined
}

function parseForm(text: string): Record<string, unknown> {
  if (!text.includes('=') || /%(?![0-9a-f]{2})/i.test(text)) throw malformed()
  if (!hasWholeEscapes(text)) throw malformed('The body must be in UTF-8.')
  if (hasNull(text)) throw malformed(NOT_STORABLE)
  const given = new URLSearchParams(text)
  given.delete('__proto__')
  return Object.fromEntries(
    [...new Set(given.keys())].map((name) => {
      // A list, as in a query: of two values neither may silently win.
      const values = given.getAll(name)
      return [name, values.length === 1 ? values[0] : values]
    }),
  )
}
