/** What nodes send each other: values as they are, and refusals with all that a caller is told. */
import { deserialize, serialize } from 'node:v8'
import { asRefusal, Refusal, type ErrorName } from '../protocol/errors.ts'

interface SentRefusal {
  code: ErrorName
  message: string
  reason: string | undefined
  retryAfterSeconds: number | undefined
}
type Sent = { value: unknown } | { refusal: SentRefusal }

/** An error is sent as the refusal that it is answered with. */
export function encode(value: unknown): Buffer {
  const sent: Sent = value instanceof Error ? { refusal: toSent(asRefusal(value)) } : { value }
  return serialize(sent)
}

/** @throws {Refusal} if that was sent */
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
