/**
 * One interface for our own SDK and the published one, so that a test is written once. Each client has a window of its
 * own and a tap on the media that it receives.
 */
import { join } from 'node:path'
import { after, afterEach, before } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { build } from 'vite'
import { launchBrowser } from './browser.ts'
import { Tap } from './media-tap.ts'
import { AppServer, Published } from './published.ts'
import { RealServer } from './real-server.ts'
import { signAnything } from './test-server.ts'

export interface Entry {
  meetingId: string
  participantId: string
  camera?: boolean
  mic?: boolean
  permissions?: string[]
  /**
   * The codec of the camera, for our client only. VP9 is sent as one stream with three layers (SVC), the others as
   * three streams.
   */
  codec?: 'H264' | 'VP9'
  /** The key of end-to-end encryption, for our client only. */
  key?: string
  /** Runs in the page of our client before it connects. */
  prepare?: string
}

/** The client's operations in a test, performed by its own calls. */
export interface MediaClient {
  readonly tap: Tap
  /** Waits for a video of the participant first, because the published client refuses to choose a size before. */
  setQuality(of: string, quality: 'low' | 'med' | 'high'): Promise<void>
  camera(on: boolean): Promise<void>
  mic(on: boolean): Promise<void>
  /** Switches to the other camera while sending. */
  switchCamera(): Promise<void>
  share(on: boolean): Promise<void>
  close(): Promise<void>
}

/** Enough for the first video on a machine under load. */
const PICTURE_MS = 90_000

export type Make = 'our client' | 'js-sdk'
export const makes: readonly Make[] = ['our client', 'js-sdk']

/**
 * Flags for the browser: three cameras, the second without frames. The frame rate is low, because each frame is encoded
 * in three sizes.
 */
export const mediaFlags: readonly string[] = [
  '--ignore-certificate-errors',
  '--use-fake-device-for-media-stream=device-count=3,fps=10',
  '--auto-select-desktop-capture-source=Entire screen',
]

/** Serves the pages in which the clients run. */
export async function mediaApp(): Promise<AppServer> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      minify: false,
      lib: { entry: join(import.meta.dirname, 'client-page.ts'), formats: ['es'] },
    },
  })
  const bundle = Array.isArray(built) ? built[0] : built
  if (!bundle || !('output' in bundle)) throw new Error('the page of our client was not built')
  // The client, and its worker.
  const files = bundle.output.map((file) => [
    `/${file.fileName}`,
    file.type === 'chunk' ? file.code : String(file.source),
  ])
  return AppServer.start({
    ...Object.fromEntries(files),
    '/own': `<!doctype html><script type="module" src="/${bundle.output[0].fileName}"></script>`,
  })
}

export interface MediaStage {
  browser: Browser
  server: RealServer
  clients: MediaClients
}

/** A browser and a server for the tests of a file; each test ends without clients. */
export function mediaStage(): MediaStage {
  const stage = {} as MediaStage
  let app: AppServer
  before(async () => {
    const [browser, server] = await Promise.all([
      launchBrowser([...mediaFlags]),
      RealServer.start(),
      mediaApp().then((started) => (app = started)),
    ])
    Object.assign(stage, { browser, server, clients: new MediaClients(browser, app, server) })
  })
  after(async () => {
    await stage.browser.close()
    app.stop()
    await stage.server.stop()
  })
  afterEach(() => stage.clients.closeAll())
  return stage
}

/** Waits until the client in the page, `m`, has a video of `of`; both clients keep streams under the same names. */
async function knowsPicture(page: Page, of: string): Promise<void> {
  await page.waitForFunction(
    `[...(m.participants.get('${of}')?.streams.values() ?? [])].some(({ kind }) => kind === 'video')`,
    undefined,
    { polling: 50, timeout: PICTURE_MS },
  )
}

export class MediaClients {
  readonly #browser: Pick<Browser, 'newContext'>
  readonly #app: AppServer
  readonly #server: Pick<RealServer, 'url' | 'secureUrl'>
  #open: MediaClient[] = []

  constructor(
    browser: Pick<Browser, 'newContext'>,
    app: AppServer,
    server: Pick<RealServer, 'url' | 'secureUrl'>,
  ) {
    this.#browser = browser
    this.#app = app
    this.#server = server
  }

  /** Joins, by default with camera and microphone. */
  async join(make: Make, entry: Entry): Promise<MediaClient> {
    const client = await (make === 'our client' ? this.#joinOurs(entry) : this.#joinPublished(entry))
    this.#open.push(client)
    return client
  }

  async closeAll(): Promise<void> {
    const open = this.#open
    this.#open = []
    await Promise.all(open.map((client) => client.close()))
  }

  /** Opens a window with one of the pages. */
  async page(path: string): Promise<Tap> {
    const context = await this.#context()
    const page = await context.newPage()
    await page.goto(this.#app.url + path)
    return new Tap(page)
  }

  async #context(): Promise<BrowserContext> {
    const context = await this.#browser.newContext({
      ignoreHTTPSErrors: true,
      permissions: ['camera', 'microphone'],
    })
    await Tap.into(context)
    return context
  }

  /** Makes a token, by default one that joins directly. */
  token(permissions: string[] = ['allow_join']): string {
    return signAnything({ apikey: 'test-key', permissions })
  }

  async #joinOurs({ camera = true, mic = true, ...entry }: Entry): Promise<MediaClient> {
    const tap = await this.page('/own')
    const { page } = tap
    const run = (work: string): Promise<any> => page.evaluate(`(async () => { ${work} })()`)
    const options = {
      url: this.#server.url,
      token: this.token(entry.permissions),
      meetingId: entry.meetingId,
      participantId: entry.participantId,
      name: entry.participantId,
      camera,
      mic,
      ...(entry.key !== undefined && { encryption: { key: entry.key } }),
    }
    if (entry.codec !== undefined) {
      await run(`
        const { createSendTransport } = Device.prototype
        Device.prototype.createSendTransport = function (options) {
          const transport = createSendTransport.call(this, options)
          const { produce } = transport
          const codec = this.sendRtpCapabilities.codecs.find(({ mimeType }) => mimeType === 'video/${entry.codec}')
          const encodings = [{ scalabilityMode: 'L3T3_KEY', maxBitrate: 1_500_000 }]
          transport.produce = (stream) =>
            produce.call(transport, stream.track.kind === 'video' ? { ...stream, codec, ${entry.codec === 'VP9' ? 'encodings' : ''} } : stream)
          return transport
        }
      `)
    }
    if (entry.prepare !== undefined) await run(entry.prepare)
    await run(`
      globalThis.m = await connect(${JSON.stringify(options)})
      if (m.state !== 'joined') await new Promise((joined) => m.on('stateChanged', (state) => state === 'joined' && joined()))
    `)
    const toggle = (device: string) => (on: boolean) =>
      run(`await m.devices.${on ? 'enable' : 'disable'}${device}()`)
    return {
      tap,
      setQuality: async (of, quality) => {
        await knowsPicture(page, of)
        await run(
          `for (const stream of m.participants.get('${of}').streams.values()) if (stream.kind === 'video') await stream.setQuality('${quality}')`,
        )
      },
      camera: toggle('Camera'),
      mic: toggle('Mic'),
      switchCamera: () =>
        run(`
          const cameras = (await m.devices.list()).filter(({ kind }) => kind === 'videoinput')
          await m.devices.switchCamera(cameras.at(-1).deviceId)
        `),
      share: (on) => run(`await m.devices.${on ? 'startShare' : 'stopShare'}()`),
      close: () => page.context().close(),
    }
  }

  async #joinPublished({ camera = true, mic = true, ...entry }: Entry): Promise<MediaClient> {
    const context = await this.#context()
    const page = await context.newPage()
    await page.goto(this.#app.url)
    const client = new Published(page, context)
    // Request an exact size: the SDK only states a preference, which the browser may answer with a smaller video.
    if (camera) {
      await client.run(
        `const camera = await VideoSDK.createCameraVideoTrack({ encoderConfig: 'h720p_w1280p', multiStream: true })
        const { initMeeting } = VideoSDK
        VideoSDK.initMeeting = (options) => initMeeting.call(VideoSDK, { ...options, customCameraVideoTrack: camera })`,
      )
    }
    await client.inside(this.#server.secureUrl, {
      token: this.token(entry.permissions),
      meetingId: entry.meetingId,
      participantId: entry.participantId,
      name: entry.participantId,
      webcamEnabled: camera,
      micEnabled: mic,
    })
    return {
      tap: new Tap(page),
      setQuality: async (of, quality) => {
        await knowsPicture(page, of)
        await client.run(`await m.participants.get('${of}').setQuality('${quality}')`)
      },
      camera: (on) => client.run(`await m.${on ? 'enable' : 'disable'}Webcam()`),
      mic: (on) => client.run(`await m.${on ? 'unmute' : 'mute'}Mic()`),
      switchCamera: () =>
        client.run(`
          const cameras = await VideoSDK.getCameras()
          await m.changeWebcam(cameras.at(-1).deviceId)
        `),
      share: (on) => client.run(`await m.${on ? 'enable' : 'disable'}ScreenShare()`),
      close: () => context.close(),
    }
  }
}
