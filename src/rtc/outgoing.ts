/** One stream that we send: numbers its packets, keeps the last ones to be sent again, and reports on it. */
import { ExtensionProfiles, RtpHeader } from 'werift'
import type { Peer } from './peer.ts'
import { senderReport } from './reports.ts'

export interface OutgoingOptions {
  ssrc: number
  payloadType: number
  clockRate: number
  /** How many packets are kept to be sent again; 0 for sound, of which nobody asks for lost packets. */
  kept: number
  /** Of 15 bits, chosen at random (RFC 3550 section 5.1). */
  firstSequence: number
}

export interface PacketFacts {
  timestamp: number
  marker: boolean
  /** One byte, and the id of the extension that has it. */
  extension?: { id: number; value: number } | undefined
}

const REPORT_EVERY_MS = 1000

export class Outgoing {
  readonly #options: OutgoingOptions
  readonly #kept: (Buffer | undefined)[]
  #sequence: number
  #packets = 0
  #bytes = 0
  #reportedAt = -Infinity

  constructor(options: OutgoingOptions) {
    this.#options = options
    this.#sequence = options.firstSequence
    this.#kept = new Array<Buffer | undefined>(options.kept)
  }

  send(peer: Peer, payload: Buffer, { timestamp, marker, extension }: PacketFacts, now: number): void {
    const { ssrc, payloadType, kept } = this.#options
    const sequenceNumber = (this.#sequence = (this.#sequence + 1) & 0xffff)
    const sealed = peer.seal(
      payload,
      new RtpHeader({
        version: 2,
        marker,
        payloadType,
        sequenceNumber,
        timestamp: timestamp >>> 0,
        ssrc,
        ...(extension && {
          extension: true,
          extensionProfile: ExtensionProfiles.OneByte,
          extensions: [{ id: extension.id, payload: Buffer.from([extension.value]) }],
        }),
      }),
    )
    if (kept > 0) this.#kept[sequenceNumber % kept] = sealed
    this.#packets++
    this.#bytes += payload.length
    peer.sendSealed(sealed)
    if (now - this.#reportedAt < REPORT_EVERY_MS) return
    this.#reportedAt = now
    peer.report([
      senderReport({
        ssrc,
        at: performance.timeOrigin + now,
        rtpTimestamp: timestamp,
        packets: this.#packets,
        bytes: this.#bytes,
      }),
    ])
  }

  /** Sends packets once more that did not arrive. */
  again(peer: Peer, sequences: readonly number[]): void {
    for (const sequence of sequences) {
      const sealed = this.#kept[sequence % Math.max(1, this.#options.kept)]
      if (sealed?.readUInt16BE(2) === sequence) peer.sendSealed(sealed)
    }
  }
}
