/** Reads the settings in a file `.env`, or rejects the file as a whole. */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** The settings of the file, or one sentence that says why it cannot be read. */
export type EnvFile = { path: string } & ({ settings: Record<string, string> } | { problem: string })

/** Byte-order marks of the encodings that editors write. */
const MARKS: readonly (readonly [encoding: string, mark: readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
]

/** Returns undefined if there is no such file. A line that names a setting in `known` must also set it. */
export function readEnvFile(path: string, known: readonly string[]): EnvFile | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    return {
      path,
      problem: `${path} cannot be read (${code}): let this user read it, or take it away.`,
    }
  }
  try {
    return { path, settings: parseSettings(decode(bytes), known) }
  } catch (error) {
    return { path, problem: `${path} ${(error as Error).message}` }
  }
}

function decode(bytes: Buffer): string {
  const encoding = MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))?.[0] ?? 'utf-8'
  let text: string
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    throw new Error('is not UTF-8 text: save it in that encoding.')
  }
  if (text.includes('\0')) throw new Error('is not UTF-8 text: save it in that encoding.')
  return text
}

/** @throws {Error} with the end of a sentence, if a line names a setting but does not set it */
function parseSettings(text: string, known: readonly string[]): Record<string, string> {
  const lines = text.replaceAll(/\r\n?/g, '\n').split('\n')
  const settings = parseEnv(lines.join('\n')) as Record<string, string>
  for (const [at, line] of lines.entries()) {
    // Ignore anything before the name, even invisible characters.
    const [, before = '', name = ''] = /^(\W*)(?:export\s+)?(\w+)/.exec(line) ?? []
    if (before.includes('#') || !known.includes(name) || name in settings) continue
    throw new Error(`line ${at + 1} names ${name} and does not set it: write ${name}=value.`)
  }
  return settings
}
