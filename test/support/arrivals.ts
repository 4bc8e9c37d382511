/**
 * Records the media that arrives at a page, with any client. It runs inside the page, so that a busy machine does not
 * distort the times.
 */
import type { BrowserContext, Page } from 'playwright-core'

/**
 * Makes the camera's video small, because many people share one machine here, and watches every connection of the page.
 */
const SCRIPT = `(() => {
  const SAMPLE_MS = 50
  // The SSRC that the media server uses to probe the bandwidth; it is no stream.
  const PROBES = 1234
  const devices = navigator.mediaDevices
  if (!devices) return
  const open = devices.getUserMedia.bind(devices)
  devices.getUserMedia = (asked) =>
    open({ ...asked, ...(asked?.video && { video: { width: 160, height: 120, frameRate: 10 } }) })
  const peers = []
  const Native = globalThis.RTCPeerConnection
  globalThis.RTCPeerConnection = class extends Native {
    constructor(...given) {
      super(...given)
      peers.push({ peer: this, madeAt: performance.now() })
    }
  }
  let streams = new Map()
  let armedAt = 0
  let maxGapMs = 0
  let gap = ''
  const noteGap = ({ ssrc }, since, now) => {
    if (now - since <= maxGapMs) return
    maxGapMs = now - since
    gap = 'stream ' + ssrc + ' from ' + Math.round(since - armedAt) + ' ms on'
  }
  let port = 0
  let firsts = { video: [], audio: [] }
  const sample = async () => {
    for (const { peer, madeAt } of [...peers]) {
      if (peer.connectionState === 'closed') {
        peers.splice(peers.findIndex((one) => one.peer === peer), 1)
        continue
      }
      const report = await peer.getStats()
      const now = performance.now()
      for (const one of report.values()) {
        if (one.type === 'candidate-pair' && one.nominated)
          port = report.get(one.remoteCandidateId)?.port ?? port
        if (one.type !== 'inbound-rtp' || !one.packetsReceived || one.ssrc === PROBES) continue
        const key = madeAt + ' ' + one.ssrc
        const known = streams.get(key)
        if (known?.packets === one.packetsReceived) continue
        if (known?.watched && one.kind === 'video') noteGap(one, known.at, now)
        if (madeAt > armedAt && !(known?.armedAt === armedAt)) firsts[one.kind].push(now - armedAt)
        streams.set(key, { packets: one.packetsReceived, at: now, kind: one.kind, armedAt, watched: known?.watched })
      }
    }
  }
  const loop = () => void sample().catch(() => undefined).finally(() => setTimeout(loop, SAMPLE_MS))
  loop()
  globalThis.arrivals = {
    arm() {
      armedAt = performance.now()
      maxGapMs = 0
      firsts = { video: [], audio: [] }
      // A stream that had already stopped cannot be interrupted.
      for (const one of streams.values()) one.watched = armedAt - one.at < 500
    },
    /** Time in ms from arm() until this many streams of each kind arrive on new connections; null until then. */
    back: (others) => {
      const when = ['video', 'audio'].map((kind) => firsts[kind][others - 1])
      return when.includes(undefined) ? null : Math.max(...when)
    },
    flowing: (kind) => {
      const now = performance.now()
      return [...streams.values()].filter((one) => one.kind === kind && now - one.at < 1500).length
    },
    /** Frames of video, or packets of audio, received on this track so far. */
    arrived: async (track) => {
      for (const { peer } of peers) {
        const receiver = peer.getReceivers().find((one) => one.track === track)
        for (const one of receiver ? (await receiver.getStats()).values() : [])
          if (one.type === 'inbound-rtp') return one.framesDecoded ?? one.packetsReceived ?? 0
      }
      return 0
    },
    get gapMs() {
      const now = performance.now()
      const open = [...streams.values()].filter((one) => one.watched && one.kind === 'video').map((one) => now - one.at)
      return Math.max(maxGapMs, ...open)
    },
    get gap() {
      return gap
    },
    get port() {
      return port
    },
  }
})()`

export async function watchArrivals(context: BrowserContext): Promise<void> {
  await context.addInitScript(SCRIPT)
}

export class Arrivals {
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
  }

  /** Starts to record times and gaps. */
  arm(): Promise<void> {
    return this.#page.evaluate('arrivals.arm()')
  }

  /** Time in ms from `arm()` until video and audio of this many others arrive on new connections. */
  back(others: number, patienceMs: number): Promise<number> {
    return this.#until(`arrivals.back(${others})`, patienceMs, `picture and sound of ${others} again`)
  }

  /** Waits until video and audio of exactly this many others arrive. */
  async flows(others: number, patienceMs: number): Promise<void> {
    await this.#until(
      `arrivals.flowing('video') === ${others} && arrivals.flowing('audio') === ${others} ? 1 : null`,
      patienceMs,
      `picture and sound of ${others}`,
    )
  }

  /** The longest gap in a video stream since `arm()`, among the streams that were flowing then. */
  gapMs(): Promise<number> {
    return this.#page.evaluate('arrivals.gapMs')
  }

  /** Describes that gap: its stream, and when it began. */
  gap(): Promise<string> {
    return this.#page.evaluate('arrivals.gap')
  }

  /** The media port of the server. */
  port(): Promise<number> {
    return this.#page.evaluate('arrivals.port')
  }

  async #until(expression: string, patienceMs: number, what: string): Promise<number> {
    const giveUpAt = Date.now() + patienceMs
    for (;;) {
      const value = await this.#page.evaluate<number | null>(expression)
      if (value !== null) return value
      if (Date.now() > giveUpAt) throw new Error(`never: ${what}`)
      await this.#page.waitForTimeout(100)
    }
  }
}
