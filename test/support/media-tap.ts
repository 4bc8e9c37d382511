/**
 * Observes what a browser really receives, with any client: reads the statistics of its peer connections, learns from
 * the socket who sends each stream, and can send requests on the client's own socket for which the client has no call.
 */
import type { BrowserContext, Page } from 'playwright-core'
import type { StreamKind } from '../../src/protocol/media.ts'

/** Far longer than any step takes, even on a much slower machine. */
const PATIENCE_MS = 90_000
const LOOK_EVERY_MS = 100

/** A received stream at one moment; counts since its beginning. */
export interface Received {
  consumerId: string
  width: number
  height: number
  /** Frames decoded. */
  frames: number
  keyFrames: number
  packets: number
  bytes: number
  /** Audio energy; grows while something is audible. */
  energy: number
  codec: string
  /** `performance.now()` of the page. */
  at: number
}

/** The socket's description of a stream that is offered to this browser. */
export interface Offer {
  id: string
  peerId: string
  producerId: string
  kind: StreamKind
  ssrc: number
  type: string
  closed: boolean
}

export class Tap {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  /** Call it before the page is loaded. */
  static async into(context: BrowserContext): Promise<void> {
    await context.addInitScript(install)
  }

  /** Sends a request on the client's own socket. Throws a refusal. */
  ask<T = any>(method: string, data: object = {}): Promise<T> {
    return this.#call('ask', method, data)
  }

  /** All streams that were ever offered to it, in order. */
  offers(): Promise<Offer[]> {
    return this.#call('offers')
  }

  /** The streams that it sends. */
  producers(): Promise<{ id: string; kind: StreamKind }[]> {
    return this.#call('producers')
  }

  /** The notifications with this method that it received. */
  heard(method: string): Promise<any[]> {
    return this.#call('heard', method)
  }

  /** The newest stream of this kind from this participant; undefined if there is none. */
  received(peerId: string, kind: StreamKind): Promise<Received | undefined> {
    return this.#call('received', peerId, kind)
  }

  /** The widths of the layers that it sends now. */
  sentWidths(): Promise<number[]> {
    return this.#call('sentWidths')
  }

  /** The ports of the media workers to which it is connected. */
  mediaPorts(): Promise<number[]> {
    return this.#call('mediaPorts')
  }

  /** Waits until a stream meets a condition; returns it. */
  async until(
    peerId: string,
    kind: StreamKind,
    what: string,
    holds: (now: Received) => boolean,
  ): Promise<Received> {
    const giveUpAt = Date.now() + PATIENCE_MS
    for (;;) {
      const now = await this.received(peerId, kind)
      if (now && holds(now)) return now
      if (Date.now() > giveUpAt)
        throw new Error(`${peerId}'s ${kind} never ${what}; last seen: ${JSON.stringify(now)}`)
      await this.page.waitForTimeout(LOOK_EVERY_MS)
    }
  }

  /** Waits until video of this width is flowing. */
  async sees(peerId: string, width: number, kind: StreamKind = 'video'): Promise<Received> {
    const first = await this.until(peerId, kind, `was ${width} wide`, (now) => now.width === width)
    return this.until(
      peerId,
      kind,
      `moved at ${width}`,
      (now) => now.width === width && now.frames > first.frames + 2,
    )
  }

  /** Waits until more of the stream arrives. */
  async flows(peerId: string, kind: StreamKind): Promise<Received> {
    const before = await this.until(peerId, kind, 'was there', () => true)
    const sound = kind === 'audio' || kind === 'shareAudio'
    return this.until(peerId, kind, 'went on', (now) =>
      sound ? now.energy > before.energy : now.frames > before.frames + 2,
    )
  }

  /** Waits until nothing of the stream arrives any more. */
  async stops(peerId: string, kind: StreamKind): Promise<void> {
    let before = await this.until(peerId, kind, 'was there', () => true)
    await this.until(peerId, kind, 'stood still for a second', (now) => {
      if (now.packets > before.packets) before = now
      return now.at - before.at > 1000
    })
  }

  /** Frames per second over the next `seconds`. */
  async frameRate(peerId: string, seconds = 2): Promise<number> {
    const first = await this.until(peerId, 'video', 'was there', () => true)
    const last = await this.until(
      peerId,
      'video',
      'went on',
      (now) => now.at - first.at >= seconds * 1000 && now.consumerId === first.consumerId,
    )
    return ((last.frames - first.frames) * 1000) / (last.at - first.at)
  }

  #call(name: string, ...args: unknown[]): Promise<any> {
    // Evaluated from outside, because the content security policy of a page may forbid evaluation inside.
    return this.page.evaluate(`globalThis.tap.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`)
  }
}

/** Runs in the page. */
function install(): void {
  const pcs: RTCPeerConnection[] = []
  const sockets: WebSocket[] = []
  const players: HTMLAudioElement[] = []
  const offered: any[] = []
  const produced: { id: string; kind: string; closed?: boolean }[] = []
  const notifications: any[] = []
  /** Requests to produce, by the number of the packet that will be acknowledged. */
  const producing = new Map<string, { kind: string; socket: WebSocket }>()
  const asked = new Map<string, { done: (data: unknown) => void; failed: (error: Error) => void }>()
  /** No client reaches this number. */
  let number = 900_000_000

  const kindOf = (kind: string, appData?: { share?: boolean }): string =>
    kind === 'audio' ? (appData?.share ? 'shareAudio' : 'audio') : appData?.share ? 'share' : 'video'

  const hear = (message: any): void => {
    notifications.push(message)
    if (message.method === 'consumerClosed')
      for (const offer of offered) if (offer.id === message.consumerId) offer.closed = true
  }
  const read = (socket: WebSocket, frame: unknown): void => {
    const [, type, id, json] = typeof frame === 'string' ? (/^4([23])(\d*)(.*)$/s.exec(frame) ?? []) : []
    if (json === undefined || json === '') return
    const [first, second] = JSON.parse(json)
    if (type === '3') {
      const made = producing.get(id!)
      if (made?.socket === socket && first?.data?.id) produced.push({ id: first.data.id, kind: made.kind })
      producing.delete(id!)
      const waiting = asked.get(id!)
      asked.delete(id!)
      if (first?.data?.status === 'error') waiting?.failed(new Error(first.data.message))
      else waiting?.done(first?.data)
    } else if (first === 'notification') hear(second)
    else if (first === 'batchNotification') second.notifications.forEach(hear)
    else if (first === 'newConsumer') {
      const { peerId, producerId, kind, appData, rtpParameters } = second
      const ssrc = rtpParameters.encodings[0].ssrc
      offered.push({
        id: second.id,
        peerId,
        producerId,
        kind: kindOf(kind, appData),
        ssrc,
        type: second.type,
        closed: false,
      })
    }
  }
  const write = (socket: WebSocket, frame: unknown): void => {
    const [, id, json] = typeof frame === 'string' ? (/^42(\d+)(\[.*)$/s.exec(frame) ?? []) : []
    if (json === undefined) return
    const [event, message] = JSON.parse(json)
    if (event !== 'request') return
    if (message.method === 'produce')
      producing.set(id!, { kind: kindOf(message.data.kind, message.data.appData), socket })
    if (message.method === 'closeProducer')
      for (const one of produced) if (one.id === message.data.producerId) one.closed = true
  }

  const Connection = globalThis.RTCPeerConnection
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      pcs.push(this)
      // Audio that nothing plays is not decoded, so its energy would not be measured.
      this.addEventListener('track', ({ track }) => {
        if (track.kind !== 'audio') return
        const player = Object.assign(new Audio(), { srcObject: new MediaStream([track]) })
        players.push(player)
        player.play().catch(() => undefined)
      })
    }
  }
  const Socket = globalThis.WebSocket
  globalThis.WebSocket = class extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols)
      if (!String(url).includes('/socket.io/')) return
      sockets.push(this)
      this.addEventListener('message', ({ data }) => read(this, data))
    }

    override send(data: Parameters<WebSocket['send']>[0]): void {
      write(this, data)
      super.send(data)
    }
  }

  const reports = async (type: string): Promise<any[]> => {
    const all: any[] = []
    for (const pc of pcs) {
      if (pc.connectionState === 'closed') continue
      const stats = await pc.getStats()
      for (const one of stats.values())
        if (one.type === type) all.push({ ...one, codec: stats.get(one.codecId)?.mimeType ?? '' })
    }
    return all
  }

  Object.assign(globalThis, {
    tap: {
      ask: (method: string, data: object) =>
        new Promise((done, failed) => {
          const socket = sockets.findLast(({ readyState }) => readyState === WebSocket.OPEN)
          if (!socket) throw new Error('There is no open socket.')
          const id = String(++number)
          asked.set(id, { done, failed })
          socket.send(`42${id}${JSON.stringify(['request', { method, request: true, data }])}`)
        }),
      offers: () => offered,
      producers: () => produced.filter(({ closed }) => !closed),
      heard: (method: string) => notifications.filter((one) => one.method === method),
      received: async (peerId: string, kind: string) => {
        const offer = offered.findLast((one) => one.peerId === peerId && one.kind === kind && !one.closed)
        const report = offer && (await reports('inbound-rtp')).find(({ ssrc }) => ssrc === offer.ssrc)
        return (
          report && {
            consumerId: offer.id,
            width: report.frameWidth ?? 0,
            height: report.frameHeight ?? 0,
            frames: report.framesDecoded ?? 0,
            keyFrames: report.keyFramesDecoded ?? 0,
            packets: report.packetsReceived,
            bytes: report.bytesReceived,
            energy: report.totalAudioEnergy ?? 0,
            codec: report.codec,
            at: performance.now(),
          }
        )
      },
      mediaPorts: async () =>
        [...new Set((await reports('remote-candidate')).map(({ port }) => port))].sort(),
      sentWidths: async () =>
        (await reports('outbound-rtp'))
          .filter(({ kind, framesPerSecond }) => kind === 'video' && framesPerSecond > 0)
          .map(({ frameWidth }) => frameWidth)
          .sort((one, other) => one - other),
    },
  })
}
