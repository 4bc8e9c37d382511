/** The encoding of what nodes send each other: plain values, and refusals with everything that a caller is told. */
import { deserialize, serialize } from 'node:v8'
import { asRefusal, Refusal, type ErrorName } from '../protocol/errors.ts'

interface SentRefusal {
  code: ErrorName
  message: string
  reason: string | undefined
  retryAfterSeconds: number | undefined
}
type Sent = { value: unknown } | { refusal: SentRefusal }

/** Sends an error as the refusal that a caller would get. */
export function encode(value: unknown): Buffer {
  const sent: Sent = value instanceof Error ? { refusal: toSent(asRefusal(value)) } : { value }
  return serialize(sent)
}

/** @throws {Refusal} if a refusal was sent */
export function decode(bytes: Buffer): unknown {
  const sent = deserialize(bytes) as Sent
  if ('refusal' in sent) throw fromSent(sent.refusal)
  return sent.value
}

export const toSent = ({ code, message, reason, retryAfterSeconds }: Refusal): SentRefusal => ({
  code,
  message,
  reason,
  retryAfterSeconds,
})

export const fromSent = ({ code, message, reason, retryAfterSeconds }: SentRefusal): Refusal =>
  new Refusal(code, {
    message,
    ...(reason !== undefined && { reason }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
