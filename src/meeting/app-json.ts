/** JSON of the app about its people and streams: passed on or stored, never interpreted here. */
import { Refusal } from '../protocol/errors.ts'

/** Per value, because it is sent to every participant again and again. */
const MAX_BYTES = 4096

/** @throws {Refusal} PAYLOAD_TOO_LARGE */
export function assertSmall(
  name: 'appData' | 'metaData' | 'deviceInfo',
  value: Record<string, unknown> | null | undefined,
): void {
  if (value && Buffer.byteLength(JSON.stringify(value)) > MAX_BYTES)
    throw new Refusal('PAYLOAD_TOO_LARGE', { message: `${name} must not exceed ${MAX_BYTES} bytes.` })
}
