/**
 * Reports to the sender when each packet arrived, so that the sender can estimate the bandwidth (transport-wide
 * congestion control, draft-holmer-rmcat-transport-wide-cc-extensions-01).
 */

export const TRANSPORT_WIDE_URI = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'

/** RTCP transport feedback (RFC 4585), and its format. */
const [PAYLOAD_TYPE, FORMAT] = [205, 15]
const HEAD_BYTES = 20
/** The unit of time in a report. */
const TICK_MS = 0.25
const REFERENCE_MS = 64
/** How many packets one chunk describes, with two bits each. */
const PACKETS_PER_CHUNK = 7
const [SMALL, LARGE] = [1, 2]
/** The most packets that one report covers: the newest ones. More are missing only if the line was down. */
const MOST_PACKETS = 1000

export class ArrivalFeedback {
  readonly #extensionId: number
  /** Arrival times by packet number, unwrapped from its 16 bits. */
  #arrivals = new Map<number, number>()
  /** The first packet that no report has contained. */
  #next: number | undefined
  #highest = 0
  #reports = 0

  /** @param extensionId of the packets' transport-wide numbers */
  constructor(extensionId: number) {
    this.#extensionId = extensionId
  }

  hear(packet: Buffer, now: number): void {
    const short = transportNumberOf(packet, this.#extensionId)
    if (short === undefined) return
    const number = this.#next === undefined ? short : this.#highest + signed(short - this.#highest)
    this.#next ??= number
    this.#highest = Math.max(this.#highest, number)
    if (number >= this.#next) this.#arrivals.set(number, now)
  }

  /** Reports all packets since the last report; undefined if there were none. */
  report(): Buffer | undefined {
    if (this.#arrivals.size === 0 || this.#next === undefined) return undefined
    const last = this.#highest
    const base = Math.max(this.#next, last - MOST_PACKETS)
    const symbols: number[] = []
    const deltas: Buffer[] = []
    let at: number | undefined
    let reference = 0
    for (let number = base; number <= last; number++) {
      const arrived = this.#arrivals.get(number)
      if (arrived === undefined) {
        symbols.push(0)
        continue
      }
      if (at === undefined) {
        reference = Math.floor(arrived / REFERENCE_MS)
        at = reference * REFERENCE_MS
      }
      const ticks = Math.round((arrived - at) / TICK_MS)
      at += ticks * TICK_MS
      if (ticks >= 0 && ticks <= 0xff) {
        symbols.push(SMALL)
        deltas.push(Buffer.from([ticks]))
      } else {
        symbols.push(LARGE)
        const delta = Buffer.alloc(2)
        delta.writeInt16BE(Math.min(Math.max(ticks, -0x8000), 0x7fff))
        deltas.push(delta)
      }
    }
    this.#arrivals = new Map()
    this.#next = last + 1
    return assemble({ base, symbols, deltas, reference, count: this.#reports++ })
  }
}

function assemble(told: {
  base: number
  symbols: readonly number[]
  deltas: readonly Buffer[]
  reference: number
  count: number
}): Buffer {
  const chunks = Buffer.alloc(2 * Math.ceil(told.symbols.length / PACKETS_PER_CHUNK))
  for (let at = 0; at < told.symbols.length; at += PACKETS_PER_CHUNK) {
    let chunk = 0b11
    for (let of = 0; of < PACKETS_PER_CHUNK; of++) chunk = (chunk << 2) | (told.symbols[at + of] ?? 0)
    chunks.writeUInt16BE(chunk, (at / PACKETS_PER_CHUNK) * 2)
  }
  const head = Buffer.alloc(HEAD_BYTES)
  const parts = [head, chunks, ...told.deltas]
  const bytes = parts.reduce((sum, { length }) => sum + length, 0)
  const padding = Buffer.alloc(-bytes & 3)
  if (padding.length > 0) padding[padding.length - 1] = padding.length
  head[0] = 0x80 | (padding.length > 0 ? 0x20 : 0) | FORMAT
  head[1] = PAYLOAD_TYPE
  head.writeUInt16BE((bytes + padding.length) / 4 - 1, 2)
  head.writeUInt32BE(1, 4)
  head.writeUInt16BE(told.base & 0xffff, 12)
  head.writeUInt16BE(told.symbols.length, 14)
  head.writeUIntBE(told.reference & 0xffffff, 16, 3)
  head[19] = told.count & 0xff
  return Buffer.concat([...parts, padding])
}

/** The signed difference of two 16-bit numbers that wrap around. */
function signed(difference: number): number {
  return ((((difference + 0x8000) % 0x10000) + 0x10000) % 0x10000) - 0x8000
}

/** The one-byte header extension with this id (RFC 8285 section 4.2). */
function transportNumberOf(packet: Buffer, id: number): number | undefined {
  if ((packet[0]! & 0x10) === 0) return undefined
  let at = 12 + 4 * (packet[0]! & 0x0f)
  if (packet.length < at + 4 || packet.readUInt16BE(at) !== 0xbede) return undefined
  const end = Math.min(packet.length, at + 4 + 4 * packet.readUInt16BE(at + 2))
  at += 4
  while (at < end) {
    const [is, bytes] = [packet[at]! >> 4, (packet[at]! & 0x0f) + 1]
    // Zeroes are padding.
    if (packet[at] === 0) at += 1
    else if (is === id) return at + 3 <= end ? packet.readUInt16BE(at + 1) : undefined
    else at += 1 + bytes
  }
  return undefined
}
