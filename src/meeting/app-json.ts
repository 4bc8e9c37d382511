/** JSON that an app gives of its people and streams: passed on to everybody or kept, and read by nobody here. */
import { Refusal } from '../protocol/errors.ts'

/** Of each: it goes to every participant, again and again. */
const MAX_BYTES = 4096

/** @throws {Refusal} PAYLOAD_TOO_LARGE */
export function assertSmall(
  name: 'appData' | 'metaData' | 'deviceInfo',
  value: Record<string, unknown> | null | undefined,
): void {
  if (value && Buffer.byteLength(JSON.stringify(value)) > MAX_BYTES)
    throw new Refusal('PAYLOAD_TOO_LARGE', { message: `${name} must not exceed ${MAX_BYTES} bytes.` })
}
