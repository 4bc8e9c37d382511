/** Chromium windows with fake devices, operated through the page as a person would. */
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { findChromium } from '../../scripts/chromium.mjs'
import { watchBrowser } from './evidence.ts'
import { smallPictures, type Pictures } from './published.ts'

/** Far longer than any step takes, even on a much slower machine. */
const PATIENCE_MS = 90_000
const DISABLED_FEATURES = [
  // Chromium uses only the last list that it is given, so this one repeats Playwright's.
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'TcpPortRandomizationWin',
  'ThirdPartyStoragePartitioning',
  // The suggestions of the address bar are an invisible page in every window, loaded at once.
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxPopup',
]
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Each frame costs processor time for encoding.
  '--use-fake-device-for-media-stream=fps=10',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  `--disable-features=${DISABLED_FEATURES.join(',')}`,
]

export async function launchBrowser(
  extra: string[] = [],
  executablePath = findChromium()!,
): Promise<Browser> {
  const browser = watchBrowser(
    await chromium.launch({ executablePath, args: [...FLAGS, ...extra], headless: true }),
  )
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async (options) => {
    const context = await newContext(options)
    context.setDefaultTimeout(PATIENCE_MS)
    return context
  }
  return browser
}

/** One person with a window of their own. */
export class Person {
  readonly name: string
  readonly page: Page
  readonly context: BrowserContext
  readonly errors: string[] = []

  private constructor(name: string, page: Page, context: BrowserContext) {
    this.name = name
    this.page = page
    this.context = context
    page.on('pageerror', (error) => this.errors.push(error.message))
  }

  static async at(
    browser: Browser,
    name: string,
    options: {
      permissions?: string[]
      viewport?: { width: number; height: number }
      pictures?: Pictures
    } = {},
  ): Promise<Person> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      permissions: options.permissions ?? ['camera', 'microphone'],
      viewport: options.viewport ?? { width: 1100, height: 700 },
    })
    if (options.pictures !== 'as asked for') await context.addInitScript(smallPictures)
    return new Person(name, await context.newPage(), context)
  }

  /** Starts a new meeting from the start page. Returns its address. */
  async start(url: string): Promise<string> {
    await this.page.goto(url)
    await this.page.getByTestId('start').click()
    await this.preJoin()
    await this.inside()
    return this.page.url()
  }

  async open(link: string): Promise<this> {
    await this.page.goto(link)
    await this.preJoin()
    return this
  }

  async preJoin(): Promise<void> {
    await this.page.getByTestId('name').fill(this.name)
    await this.page.getByTestId('join').click()
  }

  async inside(): Promise<this> {
    await this.page.getByTestId('meeting').waitFor()
    return this
  }

  /** Makes an invite link through the page. */
  async invite(entry: 'direct' | 'ask'): Promise<string> {
    await this.page.getByTestId('invite').click()
    await this.page.getByTestId(`invite-${entry}`).check()
    const field = this.page.getByTestId('invite-link')
    await field.and(this.page.locator('[value^="http"]')).waitFor()
    // Each choice makes its own link; wait for the last one.
    await this.page.waitForTimeout(300)
    const link = await field.inputValue()
    await this.page.getByRole('button', { name: 'Done' }).click()
    return link
  }

  /** Waits until this person receives video and sound of that many others. */
  async seesAndHears(others: number): Promise<void> {
    await this.page.waitForFunction(
      async (wanted) => {
        const meeting = (globalThis as any).anteroom?.meeting
        if (!meeting) return false
        // While the media is being rebuilt there are no statistics.
        const { receive } = await meeting.stats().catch(() => ({}))
        if (!receive) return false
        let [video, audio] = [0, 0]
        for (const report of receive.values()) {
          if (report.type !== 'inbound-rtp') continue
          if (report.kind === 'video' && report.framesDecoded > 5) video++
          if (report.kind === 'audio' && report.totalAudioEnergy > 0) audio++
        }
        return video >= wanted && audio >= wanted
      },
      others,
      { polling: 200 },
    )
  }

  /** Waits until a condition on the SDK's meeting is true. */
  async knows(fact: (meeting: any) => boolean): Promise<void> {
    const giveUpAt = Date.now() + PATIENCE_MS
    // Evaluated from outside, because the page's content security policy forbids evaluation inside.
    while (!(await this.page.evaluate(`(${fact.toString()})(globalThis.anteroom.meeting)`))) {
      if (Date.now() > giveUpAt) throw new Error(`${this.name} never knew: ${fact.toString()}`)
      await this.page.waitForTimeout(100)
    }
  }

  /** Chooses an entry of the menu on somebody's tile. */
  async act(on: string, action: string): Promise<void> {
    await this.page.getByRole('button', { name: `Actions for ${on}` }).click()
    await this.page.getByRole('menuitem', { name: action }).click()
  }

  async close(): Promise<void> {
    await this.context.close()
  }
}
