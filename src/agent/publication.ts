/** One stream that an app publishes: takes what is due from its source, and sends it. */
import type { StreamKind } from '../protocol/media.ts'
import { Outgoing } from '../rtc/outgoing.ts'
import type { AgentMedia, Sending } from './media.ts'
import {
  clockRateOf,
  LEVEL_EXTENSION,
  payloadTypeOf,
  sendParameters,
  type SentCodec,
} from './capabilities.ts'
import { everyTick, mayPrepare } from './pace.ts'
import type { Schedule } from './schedule.ts'

/**
 * Why a stream ended: everything was sent, the app stopped it, a moderator switched it off, we left the meeting, or
 * something failed: the source, or the server's consent.
 */
export type EndReason = 'finished' | 'stopped' | 'moderator' | 'left' | 'failed'

export interface PublicationEnd {
  reason: EndReason
  /** With `failed`: the refusal of the server, or what the source threw. */
  error?: unknown
}

/** A stream of ours. Without a connection it waits, and goes on where it was. */
export interface Publication {
  readonly kind: StreamKind
  /** Resolves when the stream has ended. Never rejects. */
  readonly ended: Promise<PublicationEnd>
  /** Packets of sound that came too late to be sent: this process was busy for more than 200 ms. */
  readonly dropped: number
  /** Ends it; resolves when the server knows. */
  stop(): Promise<void>
}

export interface StreamOptions<T> {
  kind: StreamKind
  codec: SentCodec
  source: AsyncIterable<T>
  schedule: Schedule<T>
  appData: Record<string, unknown>
  cname: string
  onKeyFrameNeeded?: (() => void) | undefined
  /** The stream is over. */
  onEnd: () => void
}

/** So many packets of video are kept: about a second of 8 Mbit/s. */
const KEPT_PACKETS = 1024
let ssrcs = 1000 + Math.floor(Math.random() * 1e9)

export class OwnStream<T> implements Publication {
  readonly kind: StreamKind
  readonly ended: Promise<PublicationEnd>
  readonly #options: StreamOptions<T>
  readonly #ssrc = ssrcs++
  readonly #source: AsyncIterator<T>
  #line: { media: AgentMedia; sending: Sending; outgoing: Outgoing } | undefined
  #settle!: (end: PublicationEnd) => void
  #isOver = false
  #stopTicking: (() => void) | undefined
  #wake: (() => void) | undefined
  /** The newest stream of ours that the server has or is about to have. */
  #producing: Promise<{ media: AgentMedia; sending: Sending } | undefined> = Promise.resolve(undefined)

  constructor(options: StreamOptions<T>) {
    this.#options = options
    this.kind = options.kind
    this.ended = new Promise((resolve) => (this.#settle = resolve))
    this.#source = options.source[Symbol.asyncIterator]()
    void this.#fill()
  }

  get dropped(): number {
    return this.#options.schedule.dropped()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get isSent(): boolean {
    return this.#line !== undefined
  }

  /** Sends over this media from here on. @throws {MeetingError} the server's refusal */
  async attach(media: AgentMedia): Promise<void> {
    const { kind, codec, cname, appData, onKeyFrameNeeded, schedule } = this.#options
    const outgoing = new Outgoing({
      ssrc: this.#ssrc,
      payloadType: payloadTypeOf(codec),
      clockRate: clockRateOf(codec),
      kept: codec === 'opus' ? 0 : KEPT_PACKETS,
      firstSequence: Math.floor(Math.random() * 0x8000),
    })
    const producing = media.produce(kind, sendParameters(codec, this.#ssrc, kind, cname), appData, {
      onKeyFrameNeeded: () => onKeyFrameNeeded?.(),
      onPacketsNeeded: (sequences) => {
        if (this.#line) outgoing.again(this.#line.sending.peer, sequences)
      },
    })
    this.#producing = producing.then(
      (sending) => ({ media, sending }),
      () => undefined,
    )
    const sending = await producing
    if (this.#isOver || media.closed) return
    this.#line = { media, sending, outgoing }
    schedule.resume()
    this.#stopTicking ??= everyTick((now) => this.#tick(now))
  }

  detach(): void {
    this.#line = undefined
    this.#stopTicking?.()
    this.#stopTicking = undefined
  }

  stop(): Promise<void> {
    return this.end({ reason: 'stopped' })
  }

  /** @param tells whether the server is told; it need not be when we leave */
  async end(end: PublicationEnd, tells = true): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#wake?.()
    this.detach()
    // A source that waits for something is not waited for.
    Promise.resolve(this.#source.return?.()).catch(() => undefined)
    this.#options.onEnd()
    try {
      const made = tells ? await this.#producing : undefined
      await made?.media.stop(this.#ssrc, made.sending)
    } finally {
      this.#settle(end)
    }
  }

  #tick(now: number): void {
    const line = this.#line
    if (!line) return
    const { schedule } = this.#options
    schedule.tick(now, ({ payload, timestamp, marker, level }) =>
      line.outgoing.send(
        line.sending.peer,
        payload,
        {
          timestamp,
          marker,
          // The highest bit says that there is a voice.
          extension:
            level === undefined
              ? undefined
              : { id: LEVEL_EXTENSION.id, value: level | (level < 127 ? 0x80 : 0) },
        },
        now,
      ),
    )
    if (!schedule.isFull()) this.#wake?.()
    if (schedule.isEmpty()) void this.end({ reason: 'finished' })
  }

  #turn(): Promise<void> {
    return new Promise((wake) => (this.#wake = wake))
  }

  async #fill(): Promise<void> {
    const { schedule } = this.#options
    try {
      for (;;) {
        // Each stream prepares at least one item per tick. Without this limit, catching up after a delay would block the
        // process and cause the next delay.
        if (!this.#isOver && !mayPrepare()) await this.#turn()
        while (schedule.isFull() && !this.#isOver) await this.#turn()
        if (this.#isOver) return
        const result = (await this.#source.next()) as IteratorResult<T, unknown>
        if (result.done) {
          schedule.end()
          return
        }
        schedule.add(result.value)
      }
    } catch (error) {
      await this.end({ reason: 'failed', error })
    }
  }
}
