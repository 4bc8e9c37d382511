/** The published browser clients, unmodified, in Chromium windows of their own. */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'

/** Far longer than any step takes, even on a much slower machine. */
const PATIENCE_MS = 90_000
const NEWEST = '1.1.1'
/** How often, and after which time, a person clicks again who sees no video. */
const CLICKS = 5
const CLICK_AGAIN_MS = 5000

/** The differences between versions that an app sees; everything else is the same from 0.0.71 to 1.1.1. */
export interface Traits {
  /**
   * How the app learns that init-config refused: `join()` rejects, an `error` event is emitted, or only the state
   * becomes `FAILED`.
   */
  refusedJoin: 'rejects' | 'error' | 'FAILED'
  /**
   * `pubSub.subscribe(topic, callback)` returns the history, or `subscribe(topic, listeners)` calls the listeners with
   * it.
   */
  chat: 'answer' | 'listeners'
  /** Whether `publish()` takes a payload and listeners get it. */
  payload: boolean
  /** Whether the client opens no camera by itself while tracing is off, so that the app must pass a track. */
  needsCameraTrack: boolean
  /** Whether a refused `publish()` rejects. */
  publishRejects: boolean
  /** Whether `meeting-left` and `participant-left` have a reason. */
  leaveReason: boolean
  /** Whether a denied guest gets `entry-responded`. */
  hearsDenial: boolean
  /** Whether the camera comes back by itself after a lost connection; otherwise the app switches it off and on. */
  restoresCamera: boolean
  /**
   * The code that the app gets if the server does not support one of these; without a code, the SDK has no such call.
   */
  refused: {
    recording: number
    hls: number
    livestream: number
    transcription?: number
    externalVideo?: number
  }
  /** The names of the modes for senders and for viewers. */
  modes: [sending: string, watching: string]
}

const protooFirst: Traits = {
  refusedJoin: 'error',
  chat: 'answer',
  payload: false,
  needsCameraTrack: true,
  publishRejects: false,
  leaveReason: false,
  hearsDenial: true,
  restoresCamera: false,
  refused: { recording: 3017, hls: 4021, livestream: 3019, externalVideo: 3023 },
  modes: ['CONFERENCE', 'VIEWER'],
}
const withPayload: Traits = {
  ...protooFirst,
  payload: true,
  needsCameraTrack: false,
  restoresCamera: true,
}
const operationCodes: Traits = {
  ...withPayload,
  refused: {
    recording: 4011,
    hls: 4016,
    livestream: 4013,
    transcription: 4031,
    externalVideo: 3023,
  },
}
const protooLast: Traits = { ...operationCodes, modes: ['SEND_AND_RECV', 'SIGNALLING_ONLY'] }
const socketFirst: Traits = {
  ...protooLast,
  hearsDenial: false,
  restoresCamera: false,
}
const statusChecked: Traits = { ...socketFirst, refusedJoin: 'FAILED', restoresCamera: true }
const withReasons: Traits = {
  ...statusChecked,
  hearsDenial: true,
  leaveReason: true,
  publishRejects: true,
}
const batches: Traits = { ...withReasons, refusedJoin: 'error' }
const newest: Traits = {
  ...batches,
  refusedJoin: 'rejects',
  chat: 'listeners',
  refused: { recording: 4021, hls: 4021, livestream: 4021, transcription: 4021 },
}

/** By version of `@videosdk.live/js-sdk`; all are development dependencies of this package. */
export const traits = {
  '0.0.71': protooFirst,
  '0.0.82': withPayload,
  '0.0.101': operationCodes,
  '0.1.4': protooLast,
  '0.1.6': protooLast,
  '0.2.7': socketFirst,
  '0.2.14': statusChecked,
  '0.3.12': withReasons,
  '0.5.7': withReasons,
  '0.6.0': withReasons,
  '0.7.0': withReasons,
  '0.7.1': withReasons,
  '0.11.5': batches,
  '1.1.1': newest,
} as const satisfies Record<string, Traits>

export type Version = keyof typeof traits

/** Serves apps that use the published packages. */
export class AppServer {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  static async start(pages: Record<string, string> = {}): Promise<AppServer> {
    const server = createServer((request, response) => {
      const path = new URL(request.url!, 'http://localhost').pathname
      void contentOf(path, pages).then((content) => {
        response.setHeader('content-type', path.endsWith('.js') ? 'text/javascript' : 'text/html')
        response.statusCode = content === undefined ? 404 : 200
        response.end(content)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new AppServer(server, `http://localhost:${(server.address() as { port: number }).port}`)
  }

  /** The page of an app with this version. */
  pageWith(version: Version): string {
    return `${this.url}/${version}/`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

const require = createRequire(import.meta.url)

async function contentOf(path: string, pages: Record<string, string>): Promise<string | undefined> {
  if (Object.hasOwn(pages, path)) return pages[path]
  if (path === '/') return pageOf(NEWEST)
  const [, version = '', file] = path.split('/')
  if (!Object.hasOwn(traits, version)) return undefined
  if (file === '') return pageOf(version)
  if (file !== 'videosdk.js') return undefined
  const installed = version === NEWEST ? '@videosdk.live/js-sdk' : `js-sdk-${version}`
  return readFile(require.resolve(`${installed}/videosdk.js`), 'utf8')
}

function pageOf(version: string): string {
  return `<!doctype html><script>(${watchFromInside.toString()})()</script><script src="/${version}/videosdk.js"></script>`
}

export interface PublishedOptions {
  token: string
  meetingId: string
  name?: string
  participantId?: string
  micEnabled?: boolean
  webcamEnabled?: boolean
  [option: string]: unknown
}

/** How the app learned of a refusal: by its code, or only by the state `FAILED`. */
export interface Told {
  code?: number
  name?: string
  message?: string
  state?: string
}

/**
 * A participant with a published client. Code passed to `run` sees `m`, the meeting; `log`, the events that it emitted;
 * `last`, the last value of each event; and `chat`, the messages of the subscribed topics.
 */
export class Published {
  readonly version: Version
  readonly traits: Traits
  readonly page: Page
  readonly context: BrowserContext
  /** Every address that the client called or connected to. */
  readonly addresses: string[] = []
  /** The page's console, for people who debug a failed test. */
  readonly #console: string[] = []

  /** The page must have loaded the package. Default version: the newest. */
  constructor(page: Page, context: BrowserContext, version: Version = NEWEST) {
    this.version = version
    this.traits = traits[version]
    this.page = page
    this.context = context
  }

  static async at(
    browser: Browser,
    app: AppServer,
    version: Version = NEWEST,
    { pictures = 'small' }: { pictures?: Pictures } = {},
  ): Promise<Published> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      permissions: ['camera', 'microphone'],
    })
    if (pictures === 'small') await context.addInitScript(smallPictures)
    const page = await context.newPage()
    const one = new Published(page, context, version)
    page.on('request', (request) => one.addresses.push(request.url()))
    page.on('websocket', (socket) => one.addresses.push(socket.url()))
    page.on('console', (message) => one.#console.push(message.text().slice(0, 500)))
    page.on('pageerror', ({ message }) => one.#console.push(`uncaught: ${message}`))
    await page.goto(app.pageWith(version))
    return one
  }

  /** Reloads the page, which ends everything in it. */
  async reload(): Promise<void> {
    await this.page.reload()
  }

  /** Calls `join()`. Resolves with its error if it rejects, or immediately if it returns no promise. */
  async join(secureUrl: string, options: PublishedOptions): Promise<Told> {
    const { token, ...rest } = options
    return this.page.evaluate((options) => (globalThis as any).joinMeeting(options), {
      token,
      init: {
        name: 'Published',
        micEnabled: true,
        webcamEnabled: true,
        debugMode: false,
        signalingBaseUrl: secureUrl.replace('https://', ''),
        ...rest,
      },
      needsCameraTrack: this.traits.needsCameraTrack,
    })
  }

  /** Joins, and waits until it is inside. */
  async inside(secureUrl: string, options: PublishedOptions): Promise<this> {
    const failed = await this.join(secureUrl, options)
    if (failed.code !== undefined) throw new Error(`join() rejected: ${JSON.stringify(failed)}`)
    await this.logged('meeting-joined')
    return this
  }

  /** Attempts a join that init-config refuses; returns how the app learns of it. */
  async refusedAt(secureUrl: string, options: PublishedOptions): Promise<Told> {
    const told = await this.join(secureUrl, options)
    switch (this.traits.refusedJoin) {
      case 'rejects':
        return told
      case 'error':
        return this.until<Told>(`log.find(([name]) => name === 'error')?.[1]`)
      case 'FAILED':
        return this.until<Told>(
          `log.find(([name, value]) => name === 'meeting-state-changed' && value.state === 'FAILED')?.[1]`,
        )
    }
  }

  /** Switches the camera on as an app of this version does. */
  enableWebcam(): Promise<void> {
    return this.run('await m.enableWebcam(await cameraTrack())')
  }

  /**
   * Switches its camera off and on, as a person does whom `by` does not see. Calls of older versions return before they
   * are done, and one that comes too early is lost: a person who sees no video clicks again.
   */
  async switchCamera(participantId: string, by: Published): Promise<void> {
    const pictures = `[...m.participants.get('${participantId}').streams.values()].filter(({ kind }) => kind === 'video').length`
    await this.run('await m.disableWebcam()')
    await by.until(`${pictures} === 0`)
    for (let tries = 0; tries < CLICKS; tries++) {
      await this.enableWebcam()
      if (await by.becomes(`${pictures} > 0`, CLICK_AGAIN_MS)) return
    }
  }

  /** Consents to a moderator's request as an app of this version does. */
  async accept(device: 'mic' | 'webcam'): Promise<void> {
    await this.until(`last['${device}-requested']`)
    if (device === 'webcam' && this.traits.needsCameraTrack) await this.enableWebcam()
    else await this.run(`await last['${device}-requested'].accept()`)
  }

  /** Subscribes to a topic; its history and its new messages go to `chat`. */
  async subscribe(topic: string): Promise<void> {
    const name = JSON.stringify(topic)
    await this.run(
      this.traits.chat === 'listeners'
        ? `await m.pubSub.subscribe(${name}, {
            onMessageReceived: (message) => chat.push({ when: 'new', ...message }),
            onBatchReceived: () => undefined,
            onOldMessagesReceived: (messages) => chat.push(...messages.map((one) => ({ when: 'old', ...one }))),
            onMessageDrop: () => undefined,
          }, {})`
        : `const before = await m.pubSub.subscribe(${name}, (message) => chat.push({ when: 'new', ...message }))
          chat.push(...before.messages.map((one) => ({ when: 'old', ...one })))`,
    )
  }

  /** Resolves with the error of `publish()`, if it rejects. */
  publish(topic: string, message: string, options = {}, payload?: object): Promise<Told | undefined> {
    const values = [topic, message, options, payload].map((value) => JSON.stringify(value)).join(', ')
    return this.run(
      `try { await m.pubSub.publish(${values}) } catch (error) { return { code: error?.code, message: String(error?.message ?? error) } }`,
    )
  }

  /** Waits for a message and returns it. */
  heard(message: string, when = 'new'): Promise<any> {
    return this.until(
      `chat.find((one) => one.message === ${JSON.stringify(message)} && one.when === '${when}')`,
    )
  }

  /** Calls a method of the meeting, and waits until the app learns that it was refused, by a rejection or an event. */
  async refused(call: string, code: number): Promise<void> {
    await this.run(
      `log.length = 0; try { await m.${call} } catch (error) { log.push(['caught', { code: error?.code }]) }`,
    )
    await this.until(
      `log.some(([name, value]) => ['caught', 'error'].includes(name) && value?.code === ${code})`,
    )
  }

  run<T>(work: string): Promise<T> {
    return this.page.evaluate(`(async () => { ${work} })()`)
  }

  /** Waits until an expression over `m` and `log` is true; returns its value. */
  async until<T = unknown>(expression: string): Promise<T> {
    const value = await this.#within<T>(PATIENCE_MS, expression)
    if (value) return value
    const log = await this.page.evaluate('JSON.stringify(globalThis.log)')
    const said = this.#console.slice(-10).join('\n  ')
    throw new Error(
      `never true with ${this.version}: ${expression}\nlog: ${String(log)}\nconsole:\n  ${said}`,
    )
  }

  /** Whether an expression over `m` and `log` becomes true within this time. */
  async becomes(expression: string, withinMs: number): Promise<boolean> {
    return Boolean(await this.#within<unknown>(withinMs, expression))
  }

  /** Returns the value of an expression as soon as it is true, or its last value after the timeout. */
  async #within<T>(ms: number, expression: string): Promise<T> {
    const giveUpAt = Date.now() + ms
    for (;;) {
      const value = await this.page.evaluate<T>(`(async () => (${expression}))()`)
      if (value || Date.now() > giveUpAt) return value
      await this.page.waitForTimeout(100)
    }
  }

  /** Returns the first logged event of this name for which the expression over `values` is true. */
  logged(event: string, matches = 'true'): Promise<unknown[]> {
    return this.until(`log.find(([name, ...values]) => name === ${JSON.stringify(event)} && (${matches}))`)
  }

  /** Waits until video and sound of that many others arrive. */
  async seesAndHears(others: number): Promise<void> {
    await this.until(`(async () => {
      let video = 0, audio = 0
      for (const participant of m.participants.values()) {
        for (const stream of participant.streams.values()) {
          if (stream.track.readyState !== 'live' || stream.track.muted) continue
          if (stream.kind === 'audio') audio++
          if (stream.kind !== 'video') continue
          let element = (globalThis.elements ??= new Map()).get(stream.id)
          if (!element) {
            element = document.createElement('video')
            element.muted = true
            element.srcObject = new MediaStream([stream.track])
            element.play()
            globalThis.elements.set(stream.id, element)
          }
          if (element.getVideoPlaybackQuality().totalVideoFrames > 5) video++
        }
      }
      return video >= ${others} && audio >= ${others}
    })()`)
  }

  /** Waits until the participant's video has a size and new frames arrive. */
  sees(participantId: string, kind: 'video' | 'share' = 'video'): Promise<void> {
    return this.#receives(participantId, kind, 'now.width > 0 && now.frames > before.frames + 2')
  }

  /** Waits until the participant's sound is audible and continues. */
  hears(participantId: string): Promise<void> {
    return this.#receives(participantId, 'audio', 'now.bytes > before.bytes && now.energy > before.energy')
  }

  async #receives(participantId: string, kind: string, moves: string): Promise<void> {
    const key = `received_${Math.random().toString(36).slice(2)}`
    await this.until(`(async () => {
      const now = await received(${JSON.stringify(participantId)}, '${kind}')
      if (!now) return false
      // A new stream counts from zero.
      const before = globalThis.${key}?.track === now.track ? globalThis.${key} : (globalThis.${key} = now)
      return ${moves}
    })()`)
  }

  /** Hosts that it called or connected to, except these. */
  strangers(...known: string[]): string[] {
    const hosts = known.map((url) => new URL(url).host)
    const called = this.addresses.map((address) => new URL(address))
    const elsewhere = called.filter(
      ({ protocol, host }) => !['blob:', 'data:'].includes(protocol) && !hosts.includes(host),
    )
    return [...new Set(elsewhere.map(({ protocol, host }) => `${protocol}//${host}`))]
  }

  async close(): Promise<void> {
    await this.context.close()
  }
}

/** The sizes of camera and screen: small ones cost less processor time. */
export type Pictures = 'as asked for' | 'small'

/**
 * Runs in a page before its own scripts: camera and screen give small video, whatever size is requested, and the microphone sound as it is, while
 * `smallPictures` is true. For tests that do not check sizes.
 */
export function smallPictures(): void {
  const inside = globalThis as any
  inside.smallPictures = true
  const { mediaDevices } = navigator as { mediaDevices?: MediaDevices }
  // A page from plain HTTP has no media devices.
  if (!mediaDevices) return
  const size = { width: 160, height: 120 }
  const rawSound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  for (const method of ['getUserMedia', 'getDisplayMedia'] as const) {
    const open = mediaDevices[method].bind(mediaDevices)
    mediaDevices[method] = (wanted) => {
      if (!inside.smallPictures) return open(wanted)
      const asked = (one: boolean | MediaTrackConstraints | undefined): MediaTrackConstraints | false =>
        one === true ? {} : (one ?? false)
      const [video, audio] = [asked(wanted?.video), asked(wanted?.audio)]
      return open({
        ...wanted,
        ...(video && { video: { ...video, ...size } }),
        ...(audio && { audio: { ...audio, ...rawSound } }),
      })
    }
  }
}

/** Runs in each page before the client, and records what the client does not report. */
function watchFromInside(): void {
  const inside = globalThis as any
  const connections: RTCPeerConnection[] = []
  inside.iceServers = []
  inside.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(target, [configuration]: [RTCConfiguration | undefined]) {
      const connection = new target(configuration)
      connections.push(connection)
      inside.iceServers.push(...(configuration?.iceServers ?? []).flatMap(({ urls }) => urls))
      return connection
    },
  })

  inside.received = async (participantId: string, kind: string): Promise<unknown> => {
    const streams = [...(inside.m.participants.get(participantId)?.streams.values() ?? [])]
    const track: MediaStreamTrack | undefined = streams.find((stream) => stream.kind === kind)?.track
    if (!track) return undefined
    // Audio that nothing plays is not decoded.
    inside.players ??= new Map()
    if (!inside.players.has(track)) {
      const player = document.createElement(track.kind === 'video' ? 'video' : 'audio')
      player.muted = track.kind === 'video'
      player.srcObject = new MediaStream([track])
      void player.play()
      inside.players.set(track, player)
    }
    const receiver = connections
      .flatMap((connection) => connection.getReceivers())
      .find((one) => one.track === track)
    for (const report of (await receiver?.getStats())?.values() ?? []) {
      if (report.type !== 'inbound-rtp') continue
      return {
        track: track.id,
        width: inside.players.get(track).videoWidth,
        frames: report.framesDecoded,
        bytes: report.bytesReceived,
        energy: report.totalAudioEnergy,
      }
    }
    return undefined
  }

  inside.joinMeeting = async ({ token, init, needsCameraTrack }: any): Promise<unknown> => {
    const sdk = inside.VideoSDK
    sdk.config(token)
    inside.cameraTrack = () =>
      needsCameraTrack ? sdk.createCameraVideoTrack({ encoderConfig: 'h360p_w640p' }) : undefined
    const m = sdk.initMeeting({
      ...init,
      ...(needsCameraTrack && init.webcamEnabled && { customCameraVideoTrack: await inside.cameraTrack() }),
    })
    const log: unknown[][] = []
    const last: Record<string, unknown> = {}
    Object.assign(inside, { m, log, last, chat: [] })
    const plain = (value: any): unknown => {
      if (value === null || typeof value !== 'object') return value
      return JSON.parse(
        JSON.stringify({
          ...value,
          ...(typeof value.displayName === 'string' && { id: value.id, displayName: value.displayName }),
          ...(typeof value.message === 'string' && { message: value.message }),
        }),
      )
    }
    const events = [
      'meeting-joined',
      'meeting-left',
      'meeting-state-changed',
      'participant-joined',
      'participant-left',
      'participant-mode-changed',
      'speaker-changed',
      'presenter-changed',
      'entry-requested',
      'entry-responded',
      'mic-requested',
      'webcam-requested',
      'pin-state-changed',
      'error',
      'data',
      'paused-all-streams',
      'resumed-all-streams',
      'codec-changed',
      'media-relay-request-received',
      'media-relay-request-response',
      'media-relay-started',
      'media-relay-stopped',
      'media-relay-error',
      'switch-meeting',
      'recording-state-changed',
      'recording-started',
      'recording-stopped',
      'hls-state-changed',
      'hls-started',
      'hls-stopped',
      'livestream-state-changed',
      'livestream-started',
      'livestream-stopped',
      'transcription-state-changed',
      'transcription-text',
      'whiteboard-started',
      'whiteboard-stopped',
    ]
    for (const event of events) {
      const listener = (...values: any[]): void => {
        last[event] = values[0]
        try {
          log.push([event, ...values.map(plain)])
        } catch {
          log.push([event])
        }
      }
      try {
        m.on(event, listener)
      } catch {
        // Older versions refuse listeners for events that they never emit.
      }
    }
    m.on('participant-joined', (participant: any) => {
      for (const event of [
        'stream-enabled',
        'stream-disabled',
        'media-status-changed',
        'video-quality-changed',
      ]) {
        try {
          participant.on(event, (value: any) =>
            log.push([event, participant.id, value?.kind, value?.newStatus]),
          )
        } catch {
          // See above.
        }
      }
    })
    try {
      await m.join()
      return {}
    } catch (error: any) {
      return { code: error.code, name: error.name, message: error.message }
    }
  }
}
