/** A member without a browser that sends and receives real media, sends receiver reports, and measures what arrives. */
import type { RtpCapabilities } from '../../../src/protocol/media.ts'
import { ArrivalFeedback, TRANSPORT_WIDE_URI } from '../../../src/rtc/feedback.ts'
import { Peer, type RemoteTransport } from '../../../src/rtc/peer.ts'
import type { Source } from '../../../src/load/streams.ts'
import { Arrival } from '../../../src/load/streams.ts'
import { PictureLossIndication, RtcpPayloadSpecificFeedback } from 'werift'
import type { Layer, Meeting, Offered, Place } from './place.ts'

/** One received stream. */
export interface Reception {
  id: string
  owner: string
  media: Offered['media']
  arrival: Arrival
  bytes: number
  lastAt: number | undefined
  /** The longest time between two packets since `resetGaps`. */
  longestGapMs: number
  layer: Layer | undefined
}

export interface MemberOptions {
  name: string
  sources: readonly Source[]
  /** Maps the server's port to the port to use; default: the same. */
  reach?: (port: number) => Promise<number>
  /** Returns the size in which it shows the video of a participant. */
  shows?: (owner: string) => number
}

const REPORT_EVERY_MS = 1000

export class Member {
  readonly name: string
  readonly sources: readonly Source[]
  readonly receptions = new Map<string, Reception>()
  readonly #bySsrc = new Map<number, Reception>()
  readonly #reportedAt = new Map<Source, number>()
  place!: Place
  #send: Peer | undefined
  #receive: Promise<Peer> | undefined
  #entered!: () => void

  static async enter(meeting: Meeting, options: MemberOptions): Promise<Member> {
    const member = new Member(options)
    await member.#enter(meeting, options)
    return member
  }

  private constructor({ name, sources }: MemberOptions) {
    this.name = name
    this.sources = sources
  }

  sendFrame(source: Source, now: number): void {
    const peer = this.#send
    if (!peer) return
    source.next(now, (payload, header) => peer.send(payload, header))
    if (now - (this.#reportedAt.get(source) ?? -Infinity) < REPORT_EVERY_MS) return
    this.#reportedAt.set(source, now)
    peer.report(source.reports(now))
  }

  of(media: Offered['media']): Reception[] {
    return [...this.receptions.values()].filter((one) => one.media === media)
  }

  resetGaps(now: number): void {
    for (const reception of this.receptions.values()) {
      reception.longestGapMs = 0
      if (reception.lastAt !== undefined) reception.lastAt = Math.max(reception.lastAt, now)
    }
  }

  /** The longest gap of any voice since `resetGaps`, including one that has not ended. */
  longestGapMs(now: number): number {
    return Math.max(
      0,
      ...this.of('audio').map(({ longestGapMs, lastAt }) => Math.max(longestGapMs, now - (lastAt ?? now))),
    )
  }

  async close(): Promise<void> {
    const receive = await this.#receive?.catch(() => undefined)
    await Promise.all([this.#send?.close(), receive?.close()])
  }

  async #enter(meeting: Meeting, { shows, reach }: MemberOptions): Promise<void> {
    const entered = new Promise<void>((resolve) => (this.#entered = resolve))
    const capabilities = receivable(meeting.capabilities)
    const feedbackId = capabilities.headerExtensions?.[0]?.preferredId
    this.place = await meeting.enter(this.name, capabilities, {
      onStream: async (stream) => {
        const reception: Reception = {
          id: stream.id,
          owner: stream.owner,
          media: stream.media,
          arrival: new Arrival(() => undefined),
          bytes: 0,
          lastAt: undefined,
          longestGapMs: 0,
          layer: undefined,
        }
        this.receptions.set(stream.id, reception)
        this.#bySsrc.set(Number(stream.rtpParameters.encodings?.[0]?.ssrc), reception)
        await entered
        await this.#receiving(feedbackId, reach)
        if (stream.media === 'video' && shows) await this.place.prefer(stream.id, shows(stream.owner))
      },
      onLayer: (id, layer) => {
        const reception = this.receptions.get(id)
        if (reception) reception.layer = layer
      },
    })
    this.#entered()
    const { place } = this
    this.#send = await Peer.connect(place.send, (dtls) => place.connect(place.send, dtls), {
      onRtcp: (packets) => {
        for (const packet of packets) {
          if (!(packet instanceof RtcpPayloadSpecificFeedback)) continue
          if (!(packet.feedback instanceof PictureLossIndication)) continue
          const { mediaSsrc } = packet.feedback
          this.sources.find((source) => source.has(mediaSsrc))?.askForKeyFrame()
        }
      },
    })
    for (const source of this.sources) await place.produce(source.media, source.rtpParameters)
  }

  #receiving(feedbackId: number | undefined, reach: MemberOptions['reach']): Promise<Peer> {
    return (this.#receive ??= (async () => {
      const { place } = this
      return await Peer.connect(
        await through(place.receive, reach),
        (dtls) => place.connect(place.receive, dtls),
        {
          feedback: feedbackId === undefined ? undefined : new ArrivalFeedback(feedbackId),
          onRtp: (packet) => this.#hear(packet),
        },
      )
    })())
  }

  #hear(packet: Buffer): void {
    const reception = this.#bySsrc.get(packet.readUInt32BE(8))
    if (!reception) return
    const now = performance.now()
    if (reception.lastAt !== undefined)
      reception.longestGapMs = Math.max(reception.longestGapMs, now - reception.lastAt)
    reception.lastAt = now
    reception.bytes += packet.length
    reception.arrival.hear(packet, now)
  }
}

async function through(remote: RemoteTransport, reach: MemberOptions['reach']): Promise<RemoteTransport> {
  if (!reach) return remote
  const iceCandidates = []
  for (const candidate of remote.iceCandidates.filter(({ protocol }) => protocol === 'udp').slice(0, 1))
    iceCandidates.push({
      ...candidate,
      ip: '127.0.0.1',
      address: '127.0.0.1',
      port: await reach(candidate.port),
    })
  return { ...remote, iceCandidates }
}

/** Opus and VP8, with the header extensions that the server needs to estimate bandwidth. */
function receivable({ codecs = [], headerExtensions = [] }: RtpCapabilities): RtpCapabilities {
  return {
    codecs: codecs
      .filter(({ mimeType }) => /^(audio\/opus|video\/vp8)$/i.test(mimeType))
      .map((codec) => ({
        ...codec,
        rtcpFeedback: (codec.rtcpFeedback ?? []).filter(
          ({ type, parameter }) => type === 'transport-cc' || (type === 'nack' && parameter === 'pli'),
        ),
      })),
    headerExtensions: headerExtensions.filter(
      ({ uri, kind }) => uri === TRANSPORT_WIDE_URI && kind === 'video',
    ),
  }
}
