/**
 * Reads and validates the environment once, and throws on the first error. Nothing else in the program reads a variable.
 */
import { join } from 'node:path'
import { IsBoolean, IsEnum, IsInteger } from 'typebox'
import { Check, Convert, Errors } from 'typebox/value'
import { ConfigError } from '../errors.ts'
import { ownLoopback } from '../loopback.ts'
import { deriveFromDomain } from './domain.ts'
import { assertSafe, liftRateLimits } from './safety.ts'
import { settingRows, type Setting, type Values } from './settings.ts'
import { typoIn } from './typo.ts'

/** The settings from the environment, in the types that the program uses. Frozen. */
export interface Config extends Readonly<Omit<Values, 'videosdkApiKey' | 'videosdkSecretKey'>> {
  /** From `VIDEOSDK_API_KEY` and `VIDEOSDK_SECRET_KEY`; both or none. */
  readonly apiKey: { readonly apiKey: string; readonly secret: string } | undefined
  /** The folder of the built page. */
  readonly pageFolder: string
  /** The variables that are set; every other setting has its default. */
  readonly given: readonly string[]
}

/**
 * @throws {ConfigError} on the first variable that is invalid, misspelt, or unsafe in combination with another
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  assertNamesKnown(Object.keys(env))
  const given: string[] = []
  const read = settingRows.map(([name, row]) => {
    const text = env[row.env]?.trim() || undefined
    if (text !== undefined) given.push(row.env)
    return [name, text === undefined ? defaultOf(row) : valueIn(row, text)]
  })
  const values = Object.fromEntries(read) as Values
  if (!given.includes('HOST')) values.host = ownLoopback()
  deriveFromDomain(values, given)
  liftRateLimits(values, given)
  assertSafe(values)
  const { videosdkApiKey, videosdkSecretKey, ...rest } = values
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

function assertNamesKnown(variables: readonly string[]): void {
  const known = new Set(settingRows.map(([, row]) => row.env))
  for (const variable of variables) {
    const typo = known.has(variable) ? undefined : typoIn(variable, known)
    if (typo)
      throw new ConfigError(
        `${variable} is an unknown setting${typo.meant ? `; did you mean ${typo.meant}?` : ': remove it, or see anteroom --help.'}`,
      )
  }
}

function defaultOf({ schema, parse }: Setting): unknown {
  return typeof schema.default === 'string' && parse ? parse(schema.default) : schema.default
}

/** @throws {ConfigError} */
function valueIn({ env, schema, parse, secret }: Setting, text: string): unknown {
  try {
    if (parse) return parse(text)
    const value = isPlain(schema, text) ? Convert(schema, text) : text
    if (!Check(schema, value)) throw new Error(requirementOf(schema, value))
    return value
  } catch (error) {
    // A URL may contain a password, or a secret that does not belong there.
    const shown = secret || /@|secret|key=/i.test(text) ? '' : `, not "${text.slice(0, 100)}"`
    throw new ConfigError(`${env} ${(error as Error).message}${shown}.`, { cause: error })
  }
}

/** Whether the text is a plain number or boolean. `Convert` alone would also accept "1e3", "1.5" and "yes". */
function isPlain(schema: Setting['schema'], text: string): boolean {
  if (IsInteger(schema)) return /^\d{1,15}$/.test(text)
  if (IsBoolean(schema)) return /^(true|false|1|0)$/.test(text)
  return true
}

/** What the value must be, as the second half of a sentence. */
function requirementOf(schema: Setting['schema'], value: unknown): string {
  if (IsInteger(schema)) {
    const { minimum, maximum } = schema as { minimum?: number; maximum?: number }
    return `must be a whole number from ${minimum} to ${maximum}`
  }
  if (IsBoolean(schema)) return 'must be true or false'
  if (IsEnum(schema)) return `must be one of ${schema.enum.join(', ')}`
  return Errors(schema, value)[0]!.message
}
