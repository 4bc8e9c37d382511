/** The admin key: the credential of the operator's scripts. It is not an API key and admits nobody to a meeting. */
import { existsSync } from 'node:fs'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../../../errors.ts'

export interface AdminKeyOptions {
  /** `ADMIN_KEY`. */
  given: string | undefined
  /** The folder of the file. */
  folder: string
  randomBytes: (size: number) => Buffer
  /** Whether to create a missing file. Default: true. */
  create?: boolean
}

export const ADMIN_KEY_FILE = 'admin.key'
const KEY_BYTES = 32
const MIN_LENGTH = 32

/**
 * The key in the environment; otherwise the one in the data folder, which is created with mode 0600 if it is missing.
 * @throws {StartError}
 */
export async function readAdminKey({
  given,
  folder,
  randomBytes,
  create = true,
}: AdminKeyOptions): Promise<string> {
  if (given !== undefined) return given
  const file = join(folder, ADMIN_KEY_FILE)
  if (!create && !existsSync(file))
    throw new StartError(
      `The admin key ${file} does not exist: set DATA_DIR to its folder, give the key in ADMIN_KEY, or start the server once.`,
    )
  try {
    const made = randomBytes(KEY_BYTES).toString('base64url')
    await writeFile(file, `${made}\n`, { mode: 0o600, flag: 'wx' })
    // Whatever the mask of the process.
    await chmod(file, 0o600)
    return made
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new StartError(
        `The admin key ${file} cannot be written: make room, or give the key in ADMIN_KEY.`,
        { cause },
      )
    }
  }
  // Windows has no such file modes.
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0)
    throw new StartError(`Other users can read the admin key ${file}: run "chmod 600 ${file}".`)
  const kept = (await readFile(file, 'utf8')).trim()
  if (kept.length < MIN_LENGTH)
    throw new StartError(`The admin key ${file} is too short: delete it, and the next start creates one.`)
  return kept
}
