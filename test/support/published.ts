/** The published browser client, unmodified, in Chromium windows of its own. */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'

const PATIENCE_MS = 20_000

/** A web server of an app that uses the published package. */
export class AppServer {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server, url: string) {
    this.#server = server
    this.url = url
  }

  static async start(pages: Record<string, string> = {}): Promise<AppServer> {
    const file = createRequire(import.meta.url).resolve('@videosdk.live/js-sdk/videosdk.js')
    const files: Record<string, string> = {
      '/sdk.js': await readFile(file, 'utf8'),
      '/': '<!doctype html><script src="/sdk.js"></script>',
      ...pages,
    }
    const server = createServer((request, response) => {
      const body = files[new URL(request.url!, 'http://localhost').pathname]
      response.setHeader('content-type', request.url!.endsWith('.js') ? 'text/javascript' : 'text/html')
      response.statusCode = body === undefined ? 404 : 200
      response.end(body)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new AppServer(server, `http://localhost:${(server.address() as { port: number }).port}`)
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
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

/** One participant on the published client. What is passed to `run` sees `m`, the meeting, and `log`, what it emitted. */
export class Published {
  readonly page: Page
  readonly context: BrowserContext

  /** In a page that has loaded the package. */
  constructor(page: Page, context: BrowserContext) {
    this.page = page
    this.context = context
  }

  static async at(browser: Browser, app: AppServer): Promise<Published> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      permissions: ['camera', 'microphone'],
    })
    const page = await context.newPage()
    await page.goto(app.url)
    return new Published(page, context)
  }

  /** Calls `join()`; resolves with what it resolved or rejected with. */
  async join(secureUrl: string, options: PublishedOptions): Promise<{ code?: number; name?: string }> {
    const { token, ...rest } = options
    return this.page.evaluate(
      async ({ token: given, init }) => {
        const sdk = (globalThis as any).VideoSDK
        sdk.config(given)
        const m = sdk.initMeeting(init)
        const log: unknown[][] = []
        Object.assign(globalThis, { m, log })
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
        ]
        const last: Record<string, any> = {}
        Object.assign(globalThis, { last })
        for (const event of events) {
          m.on(event, (...values: any[]) => {
            last[event] = values[0]
            try {
              log.push([event, ...values.map(plain)])
            } catch {
              log.push([event])
            }
          })
        }
        m.on('participant-joined', (participant: any) => {
          for (const event of [
            'stream-enabled',
            'stream-disabled',
            'media-status-changed',
            'video-quality-changed',
          ]) {
            participant.on(event, (value: any) =>
              log.push([event, participant.id, value?.kind, value?.newStatus]),
            )
          }
        })
        try {
          await m.join()
          return {}
        } catch (error: any) {
          return { code: error.code, name: error.name, message: error.message }
        }
      },
      {
        token,
        init: {
          name: 'Published',
          micEnabled: true,
          webcamEnabled: true,
          debugMode: false,
          signalingBaseUrl: secureUrl.replace('https://', ''),
          ...rest,
        },
      },
    )
  }

  /** Joins and waits until it is inside. */
  async inside(secureUrl: string, options: PublishedOptions): Promise<this> {
    const failed = await this.join(secureUrl, options)
    if (failed.code !== undefined) throw new Error(`join() rejected: ${JSON.stringify(failed)}`)
    await this.logged('meeting-joined')
    return this
  }

  run<T>(work: string): Promise<T> {
    return this.page.evaluate(`(async () => { ${work} })()`)
  }

  /** Waits until an expression over `m` and `log` is true; answers its value. */
  async until<T = unknown>(expression: string): Promise<T> {
    const giveUpAt = Date.now() + PATIENCE_MS
    for (;;) {
      const value: T = await this.page.evaluate(`(async () => (${expression}))()`)
      if (value) return value
      if (Date.now() > giveUpAt) {
        const log = await this.page.evaluate('JSON.stringify(globalThis.log)')
        throw new Error(`never true: ${expression}\nlog: ${String(log)}`)
      }
      await this.page.waitForTimeout(100)
    }
  }

  /** The first logged event of this name for which the expression over `values` holds. */
  logged(event: string, matches = 'true'): Promise<unknown[]> {
    return this.until(`log.find(([name, ...values]) => name === ${JSON.stringify(event)} && (${matches}))`)
  }

  /** Moving pictures and sound of that many others arrive. */
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

  async close(): Promise<void> {
    await this.context.close()
  }
}
