/** Generates media, and measures it where it arrives. */
import { ExtensionProfiles, RtcpSenderInfo, RtcpSrPacket, RtpHeader } from 'werift'
import type { RtpParameters } from '../protocol/media.ts'

export type Media = 'audio' | 'video'

export interface Pace {
  /** Clock ticks of the codec per frame. */
  ticks: number
  intervalMs: number
}

export const paces: Record<Media, Pace> = {
  audio: { ticks: 960, intervalMs: 20 },
  video: { ticks: 3600, intervalMs: 40 },
}
/** How many frames back an arrival can be matched; 10 s of audio. */
const REMEMBERED = 512
/** Payload size without the headers of IP, UDP, RTP and SRTP; fits every network. */
const PACKET_BYTES = 1100
/** Video frames between two key frames. */
const KEY_FRAME_EVERY = 75
const KEY_FRAME_TIMES = 3
const LEVEL_EXTENSION = { id: 10, uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level' }
/** Audio level in -dBov of somebody who speaks. */
const LOUDNESS = 30
/** The share of each layer in the bit rate, the smallest first, as browsers divide it. */
const LAYER_SHARES: Record<number, readonly number[]> = { 1: [1], 2: [0.25, 1], 3: [0.1, 0.25, 1] }
/** Seconds from 1900, where NTP begins, to 1970 (RFC 5905). */
const NTP_EPOCH_S = 2_208_988_800
/** Marks every packet, so that it is recognised where it arrives. */
const MARK = Buffer.from('anteroom-load')
/** The first byte of the VP8 payload descriptor, for the first packet of a frame and for later ones (RFC 7741 section 4.2). */
const [START_OF_FRAME, REST_OF_FRAME] = [0x10, 0x00]
/** Five bytes follow: which fields are present, the picture id, the index of its base layer, and its temporal layer. */
const EXTENDED = 0x80
const [EXTENSION_BYTES, EXTENSION_FIELDS] = [5, 0xe0]
/** The temporal layer of each frame, repeated after a key frame as browsers send `L1T3`, and its size relative to the mean. */
const TEMPORAL_LAYERS = [
  { temporalLayer: 0, size: 1.6 },
  { temporalLayer: 2, size: 0.8 },
  { temporalLayer: 1, size: 0.8 },
  { temporalLayer: 2, size: 0.8 },
]
/** This layer's frames depend on no other frame of the layer, so a receiver may begin with any of them. */
const LAYER_SYNC = 0x20

/** As long as the VP8 header of a stream with one layer. */
const NO_HEAD = Buffer.alloc(2)

const codecs = {
  audio: { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 },
  video: { mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000 },
}

/** A frame before it is cut into packets. */
interface Frame {
  at: number
  isKey: boolean
  /** Undefined in a stream of one layer, which has no temporal layers either. */
  temporalLayer: number | undefined
  /** Relative to the mean. */
  size: number
}

/** One encoding of a stream. */
interface Layer {
  ssrc: number
  frameBytes: number
  sequence: number
  packets: number
  bytes: number
}

/** A stream that a participant sends, in one layer or several: its frames, and when each was sent. */
export class Source {
  readonly media: Media
  readonly #layers: readonly Layer[]
  readonly #sentAt = new Float64Array(REMEMBERED)
  #frame = 0
  #wantsKeyFrame = true
  /** The frame from which temporal layers are counted. */
  #keyFrame = 0
  /** Frames of the lowest temporal layer so far. */
  #bases = 0

  /** @param ssrc of the first layer; the others follow */
  constructor(media: Media, bitrate: number, ssrc: number, layers = 1) {
    this.media = media
    this.#layers = LAYER_SHARES[layers]!.map((share, at) => ({
      ssrc: ssrc + at,
      frameBytes: Math.max(
        MARK.length + 2,
        Math.round(((bitrate * share) / 8 / 1000) * paces[media].intervalMs),
      ),
      sequence: 0,
      packets: 0,
      bytes: 0,
    }))
  }

  /** Sent so far. */
  get packets(): number {
    return this.#layers.reduce((sum, { packets }) => sum + packets, 0)
  }

  get #isLayered(): boolean {
    return this.#layers.length > 1
  }

  has(ssrc: number): boolean {
    return this.#layers.some((layer) => layer.ssrc === ssrc)
  }

  get rtpParameters(): RtpParameters {
    return {
      mid: this.media,
      codecs: [
        {
          ...codecs[this.media],
          parameters: {},
          rtcpFeedback: this.media === 'video' ? [{ type: 'nack', parameter: 'pli' }] : [],
        },
      ],
      headerExtensions:
        this.media === 'audio' ? [{ ...LEVEL_EXTENSION, encrypt: false, parameters: {} }] : [],
      encodings: this.#layers.map(({ ssrc }) => ({
        ssrc,
        ...(this.#isLayered && { scalabilityMode: 'L1T3' }),
      })),
      rtcp: { cname: `load-${this.#layers[0]!.ssrc}`, reducedSize: true },
    }
  }

  /** Makes the next frame a key frame, without which a new receiver sees nothing. */
  askForKeyFrame(): void {
    this.#wantsKeyFrame = true
  }

  /** The sender reports of all layers, which relate the timestamps of the layers so that receivers can switch between them (RFC 3550 section 6.4.1). */
  reports(now: number): RtcpSrPacket[] {
    const seconds = (performance.timeOrigin + now) / 1000 + NTP_EPOCH_S
    const ntpTimestamp = (BigInt(Math.floor(seconds)) << 32n) | BigInt(Math.floor((seconds % 1) * 2 ** 32))
    const { ticks, intervalMs } = paces[this.media]
    const last = Math.max(0, this.#frame - 1)
    const sinceMs = this.#frame === 0 ? 0 : now - this.#sentAt[last % REMEMBERED]!
    const rtpTimestamp = Math.round(last * ticks + (sinceMs * ticks) / intervalMs) % 2 ** 32
    return this.#layers.map(
      ({ ssrc, packets, bytes }) =>
        new RtcpSrPacket({
          ssrc,
          senderInfo: new RtcpSenderInfo({
            ntpTimestamp,
            rtpTimestamp,
            packetCount: packets,
            octetCount: bytes % 2 ** 32,
          }),
          reports: [],
        }),
    )
  }

  /** Returns the packets of the next frame. */
  next(now: number, send: (payload: Buffer, header: RtpHeader) => void): void {
    const frame = this.#frame++
    this.#sentAt[frame % REMEMBERED] = now
    const isKey = this.media === 'video' && (this.#wantsKeyFrame || frame % KEY_FRAME_EVERY === 0)
    if (isKey) {
      this.#wantsKeyFrame = false
      this.#keyFrame = frame
    }
    const { temporalLayer, size } = this.#isLayered
      ? TEMPORAL_LAYERS[(frame - this.#keyFrame) % TEMPORAL_LAYERS.length]!
      : { temporalLayer: undefined, size: 1 }
    if (temporalLayer === 0) this.#bases++
    const what = { at: frame, isKey, temporalLayer, size: isKey ? KEY_FRAME_TIMES : size }
    for (const layer of this.#layers) this.#sendFrame(layer, what, send)
  }

  #sendFrame(layer: Layer, frame: Frame, send: (payload: Buffer, header: RtpHeader) => void): void {
    let left = Math.round(layer.frameBytes * frame.size)
    for (let first = true; left > 0; first = false) {
      const head = this.media === 'video' ? this.#headOf(frame, first) : NO_HEAD
      const bytes = Math.max(Math.min(left, PACKET_BYTES), head.length + MARK.length)
      left -= bytes
      const payload = Buffer.alloc(bytes)
      head.copy(payload)
      MARK.copy(payload, head.length)
      layer.packets += 1
      layer.bytes += bytes
      send(
        payload,
        new RtpHeader({
          version: 2,
          marker: this.media === 'audio' ? frame.at === 0 : left <= 0,
          payloadType: codecs[this.media].payloadType,
          sequenceNumber: layer.sequence,
          timestamp: (frame.at * paces[this.media].ticks) % 2 ** 32,
          ssrc: layer.ssrc,
          ...(this.media === 'audio' && {
            extension: true,
            extensionProfile: ExtensionProfiles.OneByte,
            extensions: [{ id: LEVEL_EXTENSION.id, payload: Buffer.from([0x80 | LOUDNESS]) }],
          }),
        }),
      )
      layer.sequence = (layer.sequence + 1) & 0xffff
    }
  }

  /** The VP8 payload header; the lowest bit of its last byte is 0 in a key frame. */
  #headOf({ at, isKey, temporalLayer }: Frame, first: boolean): Buffer {
    const start = first ? START_OF_FRAME : REST_OF_FRAME
    const own = isKey ? 0 : 1
    if (temporalLayer === undefined) return Buffer.from([start, own])
    const head = Buffer.alloc(1 + EXTENSION_BYTES + 1)
    head[0] = EXTENDED | start
    head[1] = EXTENSION_FIELDS
    head.writeUInt16BE(0x8000 | (at & 0x7fff), 2)
    head[4] = this.#bases & 0xff
    head[5] = (temporalLayer << 6) | (temporalLayer > 0 ? LAYER_SYNC : 0)
    head[6] = own
    return head
  }

  /** When the frame with this timestamp was sent; undefined for one that is too old or never existed. */
  sentAt(timestamp: number): number | undefined {
    const frame = timestamp / paces[this.media].ticks
    return Number.isInteger(frame) && frame < this.#frame && frame >= this.#frame - REMEMBERED
      ? this.#sentAt[frame % REMEMBERED]
      : undefined
  }
}

/** Whether a decrypted packet holds what a source put into it. */
export function isOurs(opened: Buffer): boolean {
  return opened.includes(MARK)
}

/** A stream as it arrives at one participant. */
export class Arrival {
  received = 0
  frames = 0
  #first: number | undefined
  #highest = 0
  readonly #find: () => Source | undefined
  #source: Source | undefined

  /** @param find returns the source if it is one of ours and known by now; otherwise the delay is unknown */
  constructor(find: () => Source | undefined) {
    this.#find = find
  }

  /** Returns the delay in ms, if it is known. */
  hear(packet: Buffer, now: number): number | undefined {
    const sequence = packet.readUInt16BE(2)
    if (this.#first === undefined) this.#first = this.#highest = sequence
    // The signed difference of two numbers that wrap around at 16 bits; `highest` is unwrapped.
    const ahead = ((sequence - this.#highest + 0x8000) & 0xffff) - 0x8000
    if (ahead > 0) this.#highest += ahead
    this.received++
    const source = (this.#source ??= this.#find())
    if (source?.media !== 'video' || packet[1]! >> 7 === 1) this.frames++
    const sentAt = source?.sentAt(packet.readUInt32BE(4))
    return sentAt === undefined ? undefined : now - sentAt
  }

  /** Packets that should have arrived since the first one. */
  get expected(): number {
    return this.#first === undefined ? 0 : this.#highest - this.#first + 1
  }

  get lost(): number {
    return Math.max(0, this.expected - this.received)
  }
}
