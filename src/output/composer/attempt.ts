/** One browser that draws and captures a composition, from its start until it fails or is closed. */
import { join } from 'node:path'
import type { Composition } from '../../protocol/outputs.ts'
import type { OutputSeat, OutputSource } from '../output.ts'
import { sizeOf, videoBitrateOf } from './budget.ts'
import { CALL, capture, type CaptureOptions } from './capture.ts'
import { Chromium } from './chromium.ts'
import { MatroskaSplitter, type Piece } from './matroska.ts'
import { openTemplate, type TemplateGuard } from './template.ts'
import { Watchdog } from '../watchdog.ts'

/** Chromium draws so often; of fewer, it leaves out too many. */
const FRAME_RATE = 30
/** A segment of HLS; players stay three of them behind. */
const KEY_FRAME_INTERVAL_MS = 1000
const TIMESLICE_MS = 200
const AUDIO_BITRATE = 128_000
/** From the start of the browser until the first piece. */
const OPENING_MS = 45_000
/** A browser that gave nothing for so long hangs. */
const SILENCE_MS = 4500
/** How long pictures may take to arrive after the page joined; then it is captured without them. */
const FIRST_PICTURES_MS = 3000
const FLUSH_MS = 1500
/** An encoder on a busy machine is so far behind at most: it drops frames instead. */
const ENCODER_LAG_MS = 10_000

/** What was captured, in order. */
export interface Captured extends Piece {
  /** What begins in it was captured then, by `performance.now()`. */
  capturedAt: number
}

export interface Browsers {
  chromiumBin: string
  /** For profiles and temporary files. */
  folder: string
  /** Where this server's pages are, for the browser: `http://127.0.0.1:9000`. */
  pageUrl: () => string
  isRoot: boolean
  guard: TemplateGuard
  newName: () => string
  /** Ms since the epoch. */
  now: () => number
}

export interface AttemptOptions {
  browsers: Browsers
  composition: Composition
  /** Which codec the picture has. */
  codec: 'avc1' | 'vp8'
  source: OutputSource
  topics: () => string[]
  /** What happened since then, by `performance.now()`, is captured. */
  onBegun: (begunAt: number) => void
  onPiece: (piece: Captured, init: Buffer) => void
  /** Called once, unless it is closed before. It is over then. */
  onFailed: (error: Error) => void
}

export class Attempt {
  readonly #options: AttemptOptions
  readonly #splitter: MatroskaSplitter
  #watchdog: Watchdog
  #browser: Chromium | undefined
  #seat: OutputSeat | undefined
  #closeGuard: (() => Promise<void>) | undefined
  #world: number | undefined
  #begunAt: number | undefined
  #ended: Promise<void> | undefined
  readonly #opening: Promise<void>

  constructor(options: AttemptOptions) {
    this.#options = options
    this.#splitter = new MatroskaSplitter(({ ms, ...piece }) =>
      options.onPiece({ ...piece, capturedAt: this.#begunAt! + ms }, this.#splitter.init!),
    )
    this.#watchdog = this.#watch(OPENING_MS, 'The browser did not begin to record.')
    this.#opening = this.#open().catch((error: unknown) => this.#fail(error as Error))
  }

  /** Resolves when all that was captured until then has arrived. What is still in the encoder cannot be asked for, so this waits for it. */
  async flush(until: number): Promise<void> {
    if (this.#begunAt === undefined) return
    const [untilMs, by] = [until - this.#begunAt, performance.now() + ENCODER_LAG_MS]
    do {
      const flushed = this.#browser?.evaluate('anteroomControl.flush()', this.#world).catch(() => undefined)
      await Promise.race([flushed, pause(FLUSH_MS)])
    } while (!this.#ended && this.#splitter.reachedMs < untilMs && performance.now() < by)
  }

  /** The page hears layouts on these topics now. */
  async follow(): Promise<void> {
    if (this.#options.composition.templateUrl !== null) return
    await this.#browser
      ?.evaluate(`globalThis.anteroomRecorder?.follow(${JSON.stringify(this.#options.topics())})`)
      .catch(() => undefined)
  }

  close(): Promise<void> {
    return this.#end(false)
  }

  #fail(error: Error): void {
    if (this.#ended) return
    void this.#end(true)
    this.#options.onFailed(error)
  }

  #end(atOnce: boolean): Promise<void> {
    return (this.#ended ??= this.#clear(atOnce))
  }

  async #clear(atOnce: boolean): Promise<void> {
    this.#watchdog.close()
    this.#splitter.end()
    if (atOnce) await this.#browser?.kill()
    // Opening stops at its next step.
    await this.#opening
    this.#seat?.close()
    await (atOnce ? this.#browser?.kill() : this.#browser?.close())
    await this.#closeGuard?.()
  }

  #watch(limitMs: number, message: string): Watchdog {
    return new Watchdog({ limitMs, onHung: () => this.#fail(new Error(message)) })
  }

  async #open(): Promise<void> {
    const { browsers, composition, source } = this.#options
    const { templateUrl } = composition
    this.#seat = await source.openSeat('Recorder')
    if (this.#isOver()) return
    const template = templateUrl === null ? undefined : await openTemplate(browsers.guard)
    this.#closeGuard = template?.close
    const pageUrl = browsers.pageUrl()
    this.#browser = await Chromium.start({
      bin: browsers.chromiumBin,
      folder: join(browsers.folder, browsers.newName()),
      ...sizeOf(composition),
      isRoot: browsers.isRoot,
      flags: [
        `--unsafely-treat-insecure-origin-as-secure=${new URL(pageUrl).origin}`,
        ...(template?.flags ?? []),
      ],
      onCall: (text) => this.#take(text),
      onGone: (why) => this.#fail(new Error(why)),
    })
    const browser = this.#browser
    await browser.openPage()
    if (this.#isOver()) return
    await browser.send('Runtime.addBinding', { name: CALL, executionContextName: 'anteroom' })
    await browser.send('Page.navigate', { url: this.#address() })
    await this.#untilDrawn()
    if (this.#isOver()) return
    const { frameTree } = (await browser.send('Page.getFrameTree')) as {
      frameTree: { frame: { id: string } }
    }
    const { executionContextId } = await browser.send('Page.createIsolatedWorld', {
      frameId: frameTree.frame.id,
      worldName: 'anteroom',
    })
    this.#world = executionContextId as number
    await browser.evaluate(`(${capture.toString()})(${JSON.stringify(this.#captureOptions())})`, this.#world)
  }

  #isOver(): boolean {
    return this.#ended !== undefined
  }

  #address(): string {
    const { browsers, composition, source } = this.#options
    const { participantId, token } = this.#seat!
    if (composition.templateUrl !== null) {
      const url = new URL(composition.templateUrl)
      url.searchParams.set('participantId', participantId)
      return url.href
    }
    const order = { meetingId: source.meetingId, participantId, token, composition, frameRate: FRAME_RATE }
    return `${browsers.pageUrl()}/recorder#${encodeURIComponent(JSON.stringify(order))}`
  }

  /** Resolves when there is something to see. */
  async #untilDrawn(): Promise<void> {
    const browser = this.#browser!
    const isOurs = this.#options.composition.templateUrl === null
    if (isOurs) {
      await this.#until(`document.documentElement.dataset.state === 'joined'`)
      await this.follow()
    } else await this.#until(`document.readyState === 'complete'`)
    const by = performance.now() + FIRST_PICTURES_MS
    // Those that are on, at least one where it is not known how many.
    const drawn = `(() => { const all = [...document.querySelectorAll('video')].filter((one) => !one.hidden)
      return (${isOurs} || all.length > 0) && all.every((one) => one.videoWidth > 0) })()`
    if (isOurs) await pause(300)
    while (!this.#ended && performance.now() < by) {
      if ((await browser.evaluate(drawn).catch(() => false)) === true) return
      await pause(100)
    }
  }

  async #until(condition: string): Promise<void> {
    // The watchdog ends it where it takes too long.
    while (!this.#ended) {
      // A page that is being loaded cannot be asked.
      if ((await this.#browser!.evaluate(condition).catch(() => false)) === true) return
      await pause(100)
    }
  }

  #captureOptions(): CaptureOptions {
    const { composition, codec } = this.#options
    return {
      ...sizeOf(composition),
      codec,
      frameRate: FRAME_RATE,
      hasPicture: composition.mode === 'video-and-audio',
      videoBitsPerSecond: videoBitrateOf(composition),
      audioBitsPerSecond: AUDIO_BITRATE,
      keyFrameIntervalMs: KEY_FRAME_INTERVAL_MS,
      timesliceMs: TIMESLICE_MS,
    }
  }

  #take(text: string): void {
    if (this.#ended) return
    if (text === 'r') {
      this.#browser?.fit().catch(() => undefined)
      return
    }
    if (text.startsWith('s')) {
      // On a busy machine the message may be late.
      this.#begunAt = performance.now() - Math.max(0, this.#options.browsers.now() - Number(text.slice(1)))
      this.#watchdog.close()
      this.#watchdog = this.#watch(SILENCE_MS, 'The browser hangs.')
      this.#options.onBegun(this.#begunAt)
      return
    }
    if (!text.startsWith('c')) {
      this.#fail(new Error(text.slice(1)))
      return
    }
    this.#watchdog.hear()
    try {
      this.#splitter.push(Buffer.from(text.slice(1), 'base64'))
    } catch (error) {
      this.#fail(error as Error)
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}
