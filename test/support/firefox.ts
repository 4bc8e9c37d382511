/** Firefox windows with fake devices, over WebDriver BiDi; `Person` operates them like those of Chromium. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { firefox, type Browser } from 'playwright-core'
import { watchBrowser } from './evidence.ts'

/** Far longer than any step takes, even on a much slower machine. */
const PATIENCE_MS = 90_000
const NAMES = ['firefox-esr', 'firefox']
const PREFERENCES = {
  // A moving test picture and a tone instead of devices, without asking.
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  // The servers of tests listen on loopback, and Firefox gathers no candidates there by default.
  'media.peerconnection.ice.loopback': true,
  // Nothing is fetched from Mozilla: no OpenH264, no updates, no measurements.
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-provider.enabled': false,
}
/**
 * Commands that Playwright sends at every start and Debian's Firefox does not know. They only make colours the same
 * everywhere.
 */
const UNKNOWN_COMMANDS = ['emulation.setMediaFeaturesOverride']

/** The part of Playwright's own connection that is needed. */
interface BidiConnection {
  rawSend(message: { id: number; method: string }): void
  _dispatchMessage(message: unknown): void
}

/** The path of Firefox, or undefined. `FIREFOX_BIN` wins. */
export function findFirefox(env = process.env): string | undefined {
  if (env.FIREFOX_BIN) return env.FIREFOX_BIN
  for (const folder of (env.PATH ?? '').split(':'))
    for (const name of NAMES) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        continue
      }
    }
  return undefined
}

/** Why tests with Firefox are skipped, or false. */
export const noFirefox: false | string = findFirefox() === undefined && 'Firefox is not installed'

/** Starts Debian's Firefox, unpatched: Playwright's channel `moz-firefox` speaks WebDriver BiDi with it. */
export async function launchFirefox(
  preferences: Record<string, string | number | boolean> = {},
): Promise<Browser> {
  const browser = await firefox.launch({
    channel: 'moz-firefox',
    executablePath: findFirefox()!,
    headless: true,
    firefoxUserPrefs: { ...PREFERENCES, ...preferences },
  })
  answerUnknownCommands(browser)
  watchBrowser(browser)
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async (options) => {
    // Firefox has no permission to grant: the preferences above allow the devices.
    const { permissions: _, ...others } = options ?? {}
    const context = await newContext(others)
    context.setDefaultTimeout(PATIENCE_MS)
    await context.addInitScript(fillAsTyped)
    return context
  }
  return browser
}

/** Answers unknown commands in Firefox's place, because without an answer no window opens. */
function answerUnknownCommands(browser: Browser): void {
  const { toImpl } = (browser as any)._connection
  const connection: BidiConnection = toImpl(browser)._connection
  const send = connection.rawSend.bind(connection)
  connection.rawSend = (message) => {
    if (!UNKNOWN_COMMANDS.includes(message.method)) return send(message)
    queueMicrotask(() => connection._dispatchMessage({ type: 'success', id: message.id, result: {} }))
  }
}

/**
 * Makes `fill()` insert text as typing does. Playwright sets the value of the input over BiDi, and React takes that for
 * its own change.
 */
function fillAsTyped(): void {
  let insert: (text: string) => unknown
  // No other call inserts text as typing does.
  const page = document as unknown as { execCommand(command: string, ui: boolean, text: string): boolean }
  const asTyped = (text: string): unknown =>
    /^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? '')
      ? void page.execCommand(text === '' ? 'delete' : 'insertText', false, text)
      : insert(text)
  Object.defineProperty(globalThis, '__pw_bidiInsertText', {
    get: () => asTyped,
    set: (made: typeof insert) => void (insert = made),
  })
}
