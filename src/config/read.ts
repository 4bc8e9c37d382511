/**
 * Reads the environment once, validates it, and throws on the first thing wrong. What it returns is frozen; nothing else
 * in the program reads a variable.
 */
import { join } from 'node:path'
import { ConfigError } from '../errors.ts'
import { assertSafe, liftPaces } from './safety.ts'
import { settings, type Setting, type Values } from './settings.ts'

/** Everything the environment says, in the types the program works with. Frozen. */
export interface Config extends Readonly<Omit<Values, 'videosdkApiKey' | 'videosdkSecretKey'>> {
  /** Of `VIDEOSDK_API_KEY` and `VIDEOSDK_SECRET_KEY`; both or none. */
  readonly apiKey: { readonly apiKey: string; readonly secret: string } | undefined
  /** Where the built page is. */
  readonly pageFolder: string
  /** Variables that the environment sets; every other setting has its default. */
  readonly given: readonly string[]
}

/** Names that begin so are ours or a mistake; others belong to whoever set them. */
const OUR_PREFIXES = [
  'ANTEROOM_',
  'LOBBY_',
  'MEDIA_',
  'SESSION_GRACE',
  'ANNOUNCED_',
  'TRUSTED_PROX',
  'MAX_BODY',
  'MAX_CONNECTION',
  'MAX_FAILED',
  'MAX_HTTP',
  'MAX_KEY',
  'MAX_MEDIA',
  'MAX_WAITING',
  'MAX_ENTRY',
  'MAX_PARTICIPANT',
  'MAX_PRODUCER',
  'MAX_MESSAGE',
  'MAX_REQUEST',
  'MAX_CHAT',
  'MAX_STORE',
  'MAX_FILE',
  'MAX_SESSION',
  'VIDEOSDK_',
  'ADMIN_KEY',
  'ALLOW_TOKENS',
  'OPEN_GET',
  'TURN_',
  'STATS_',
  'RETENTION_',
  'WEBHOOK_',
  'METRICS_',
]
/** Other programs' variables that begin like ours. */
const NOT_OURS = new Set(['VIDEOSDK_TOKEN', 'VIDEOSDK_SECRET', 'MEDIA_ROOT', 'MEDIA_URL'])

/**
 * @throws {ConfigError} on the first variable that is wrong, unknown, or unsafe together with another
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const known = new Set<string>(Object.values(settings).map(({ variable }) => variable))
  for (const variable of Object.keys(env)) {
    if (known.has(variable) || NOT_OURS.has(variable)) continue
    if (!OUR_PREFIXES.some((prefix) => variable.startsWith(prefix))) continue
    const near = nearest(variable, known)
    throw new ConfigError(
      `${variable} is no setting of Anteroom${near ? `; did you mean ${near}?` : ': remove it, or see anteroom --help.'}`,
    )
  }
  const values: Record<string, unknown> = {}
  const given: string[] = []
  for (const [name, { variable, read, secret }] of Object.entries(settings) as [string, Setting<unknown>][]) {
    const text = env[variable]?.trim()
    if (text !== undefined && text !== '') given.push(variable)
    try {
      values[name] = read(text === '' ? undefined : text)
    } catch (error) {
      // An address may hold a password.
      const shown = secret || text!.includes('@') ? '' : `, not "${text!.slice(0, 100)}"`
      throw new ConfigError(`${variable} ${(error as Error).message}${shown}.`, { cause: error })
    }
  }
  const { videosdkApiKey, videosdkSecretKey, ...rest } = values as Values
  liftPaces(rest, given)
  assertSafe(values as Values)
  return Object.freeze({
    ...rest,
    apiKey:
      videosdkApiKey === undefined
        ? undefined
        : Object.freeze({ apiKey: videosdkApiKey, secret: videosdkSecretKey! }),
    pageFolder: join(import.meta.dirname, '..', '..', 'dist', 'web'),
    given: Object.freeze(given),
  })
}

/** The known name that a misspelt one most resembles, within three letters. */
function nearest(name: string, known: ReadonlySet<string>): string | undefined {
  let best: { name: string; distance: number } | undefined
  for (const candidate of known) {
    const distance = editDistance(name.replace(/^ANTEROOM_/, ''), candidate)
    if (distance <= 3 && (!best || distance < best.distance)) best = { name: candidate, distance }
  }
  return best?.name
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]!
}
