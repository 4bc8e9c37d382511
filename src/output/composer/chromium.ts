/** A headless Chromium with one page, in its own process group and folder. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { lower } from '../priority.ts'
import { Cdp } from './cdp.ts'

const ENDING_MS = 3000

export interface ChromiumOptions {
  bin: string
  /** The folder of its profile and temporary files, which is created and removed. */
  folder: string
  width: number
  height: number
  flags?: string[]
  isRoot: boolean
  /** Called when the page calls the binding with a text. */
  onCall: (text: string) => void
  /** Called when the browser crashed, or was ended by anything other than `close`. */
  onGone: (why: string) => void
}

export class Chromium {
  readonly #options: ChromiumOptions
  readonly #child: ChildProcess
  readonly #cdp: Cdp
  readonly #exited: Promise<void>
  #session: string | undefined
  #targetId: string | undefined
  #isClosing = false

  static async start(options: ChromiumOptions): Promise<Chromium> {
    await mkdir(options.folder, { recursive: true })
    await mkdir(temporaryFolder(options.folder), { recursive: true, mode: 0o700 })
    return new Chromium(options)
  }

  private constructor(options: ChromiumOptions) {
    this.#options = options
    const { bin, folder, onGone } = options
    this.#child = spawn(bin, flagsOf(options), {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      // In its own group, so that no process of it remains.
      detached: true,
      env: {
        ...process.env,
        TMPDIR: temporaryFolder(folder),
        XDG_CONFIG_HOME: folder,
        XDG_CACHE_HOME: folder,
      },
    })
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        resolve()
        if (!this.#isClosing) onGone(error.message)
      })
      this.#child.once('exit', (code, signal) => {
        resolve()
        this.#cdp.close()
        if (!this.#isClosing) onGone(`Chromium ended (${signal ?? code}).`)
      })
    })
    const { pid } = this.#child
    if (pid !== undefined) lower(pid)
    const [, , , to, from] = this.#child.stdio as [null, null, null, Writable, Readable]
    this.#cdp = new Cdp(to, from, (method, params) => this.#hear(method, params))
  }

  /** Opens the page, empty, in the size of the video. */
  async openPage(): Promise<void> {
    const { targetId } = await this.#cdp.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.#cdp.send('Target.attachToTarget', { targetId, flatten: true })
    this.#session = sessionId as string
    this.#targetId = targetId as string
    await Promise.all([this.send('Page.enable'), this.send('Runtime.enable'), this.send('Inspector.enable')])
    await this.fit()
  }

  /** Resizes the window so that the page has the size of the video. */
  async fit(): Promise<void> {
    const { width, height } = this.#options
    const inside = '[outerWidth - innerWidth, outerHeight - innerHeight, innerWidth, innerHeight]'
    const [frameWidth, frameHeight, ...now] = (await this.evaluate(inside)) as [
      number,
      number,
      number,
      number,
    ]
    if (now[0] === width && now[1] === height) return
    const { windowId } = await this.#cdp.send('Browser.getWindowForTarget', { targetId: this.#targetId })
    const bounds = { width: width + frameWidth, height: height + frameHeight }
    await this.#cdp.send('Browser.setWindowBounds', { windowId, bounds })
  }

  /** Sends a command to the page. */
  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.#cdp.send(method, params, this.#session)
  }

  /**
   * Evaluates an expression in the page, in an isolated world that the page's scripts cannot reach.
   * @throws what the expression threw
   */
  async evaluate(expression: string, contextId?: number): Promise<unknown> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
      ...(contextId !== undefined && { contextId }),
    })) as {
      result?: { value?: unknown }
      exceptionDetails?: { text: string; exception?: { description?: string } }
    }
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result?.value
  }

  /** Ends all its processes, and removes its folder. */
  async close(): Promise<void> {
    this.#isClosing = true
    const { pid } = this.#child
    if (pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#cdp.send('Browser.close').catch(() => undefined)
      const timer = setTimeout(() => killGroup(pid), ENDING_MS)
      await this.#exited
      clearTimeout(timer)
    }
    if (pid !== undefined) killGroup(pid)
    for (const one of [this.#options.folder, temporaryFolder(this.#options.folder)])
      await rm(one, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Kills it at once, because it does not answer. */
  async kill(): Promise<void> {
    this.#isClosing = true
    const { pid } = this.#child
    if (pid !== undefined) killGroup(pid)
    await this.close()
  }

  #hear(method: string, params: Record<string, unknown>): void {
    if (this.#isClosing) return
    if (method === 'Runtime.bindingCalled') this.#options.onCall(params.payload as string)
    else if (method === 'Inspector.targetCrashed') this.#options.onGone('The page crashed.')
  }
}

/**
 * A short path: Chromium creates a socket in it, and the path of a socket may not be as long as that of a data folder.
 */
export function temporaryFolder(folder: string): string {
  return join(tmpdir(), `anteroom-${basename(folder)}`)
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // No process is left.
  }
}

function flagsOf({ folder, width, height, flags = [], isRoot }: ChromiumOptions): string[] {
  return [
    '--headless=new',
    '--remote-debugging-pipe',
    `--user-data-dir=${join(folder, 'profile')}`,
    `--window-size=${width},${height}`,
    '--hide-scrollbars',
    '--no-first-run',
    '--no-default-browser-check',
    // Hides the bar that warns of unusual flags.
    '--test-type',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-extensions',
    '--disable-sync',
    '--disable-component-update',
    '--disable-background-networking',
    '--disable-breakpad',
    '--disable-crash-reporter',
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
    '--disable-features=MediaRouter,OptimizationHints,Translate,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable',
    '--autoplay-policy=no-user-gesture-required',
    '--auto-accept-this-tab-capture',
    '--password-store=basic',
    '--use-mock-keychain',
    // Chromium refuses to run its sandbox as root.
    ...(isRoot ? ['--no-sandbox'] : []),
    ...flags,
    'about:blank',
  ]
}
