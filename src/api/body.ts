/**
 * How bodies are read: JSON first, then a form, whatever the content type says, because published clients send either
 * with the other's type or with none (contract, rest-and-tokens §0.6).
 */
import { Refusal } from '../protocol/errors.ts'

/** Types that say plainly that the body is neither. */
const FOREIGN =
  /^\s*(multipart\/|image\/|audio\/|video\/|application\/(octet-stream|xml|zip|gzip|x-tar|pdf|x-protobuf|protobuf|msgpack|cbor|sdp)|text\/(xml|html|csv))/i

/** Deeper than any published shape; what is stored must also be written again, by functions that call themselves. */
const MAX_DEPTH = 32

/** Names that would reach an object's prototype. */
const POISON = new Set(['__proto__', 'constructor', 'prototype'])

/** @throws {Refusal} UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST */
export function parseBody(text: string, contentType: string | undefined): Record<string, unknown> {
  if (contentType !== undefined && FOREIGN.test(contentType)) throw new Refusal('UNSUPPORTED_MEDIA_TYPE')
  const trimmed = text.trim()
  if (trimmed === '') return {}
  if (trimmed.startsWith('{')) {
    const value = parseJson(trimmed)
    if (value !== undefined) return value
    throw malformed()
  }
  // What looks like JSON of another kind is not a form.
  if (/^[["\d]|^(true|false|null)\b/.test(trimmed) || /^application\/json/i.test(contentType ?? ''))
    throw malformed()
  return parseForm(trimmed)
}

function malformed(): Refusal {
  return new Refusal('INVALID_REQUEST', { message: 'The body must be a JSON object or a form.' })
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text, (key, inner: unknown) => (POISON.has(key) ? undefined : inner))
    return typeof value === 'object' && value !== null && !Array.isArray(value) && isShallow(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Whether nothing in a value lies deeper than what is stored and written again may. */
export function isShallow(value: object): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false
    level = level.flatMap((one): unknown[] =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    )
  }
  return true
}

function parseForm(text: string): Record<string, unknown> {
  if (!text.includes('=') || /%(?![0-9a-f]{2})/i.test(text)) throw malformed()
  const fields: Record<string, unknown> = {}
  const given = new URLSearchParams(text)
  for (const name of new Set(given.keys())) {
    // A list, as in a query: of two values neither may silently win.
    const values = given.getAll(name)
    if (!POISON.has(name)) fields[name] = values.length === 1 ? values[0] : values
  }
  return fields
}
