/** The data folder and the master key in it. */
import { randomBytes } from 'node:crypto'
import { access, chmod, constants, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StartError } from '../../errors.ts'

const KEY_BYTES = 32
export const KEY_FILE = 'master.key'
const HEX = /^[0-9a-f]{64}$/i
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/

/** Creates the folder with mode 0700, or checks that it can be used. @throws {StartError} */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder)
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new StartError(
      code === 'EEXIST' || code === 'ENOTDIR'
        ? `${folder} is not a folder: name another in DATA_DIR.`
        : `The data folder ${folder} cannot be written: change its owner, or name another in DATA_DIR.`,
      { cause },
    )
  }
}

/** Creates one folder at a time: the runtime's recursive mkdir never ends below /proc, where a parent is in no listing. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
    // The umask of the process may have changed the mode.
    await chmod(folder, 0o700)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return
    const parent = dirname(folder)
    if (code !== 'ENOENT' || parent === folder || (await isThere(parent))) throw error
    await makeFolder(parent)
    await makeFolder(folder)
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/**
 * Reads the key in the folder; creates it with mode 0600 on first use.
 * @param inUse whether something is sealed already: then a missing key is an error, and no new one is created
 * @param name the name of the file
 * @throws {StartError}
 */
export async function readMasterKey(folder: string, inUse: boolean, name = KEY_FILE): Promise<Buffer> {
  const file = join(folder, name)
  let text = await read(file)
  if (text === undefined) {
    if (inUse) {
      throw new StartError(
        `The master key ${file} is missing, but the store was created with one: put it back, or give it in MASTER_KEY.`,
      )
    }
    await make(file).catch((cause: unknown) => {
      throw new StartError(
        `The master key ${file} cannot be written: make room, or give the key in MASTER_KEY.`,
        { cause },
      )
    })
    text = (await read(file)) ?? ''
  }
  // Windows has no such file modes.
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
    throw new StartError(`Other users can read the master key ${file}: run "chmod 600 ${file}".`)
  }
  if (HEX.test(text)) return Buffer.from(text, 'hex')
  if (BASE64.test(text)) return Buffer.from(text, 'base64')
  throw new StartError(
    `The master key ${file} is not ${KEY_BYTES} bytes in base64 or hex: restore it from a copy, or give the key in MASTER_KEY.`,
  )
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StartError(
      `The master key ${file} cannot be read: change its owner to the user who runs Anteroom.`,
      { cause },
    )
  }
}

/** Writes a temporary file and links it into place: two starts at once agree on one key, and no reader sees half a file. */
async function make(file: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    const handle = await open(aside, 'wx', 0o600)
    try {
      await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`)
      // The key must be on the disk before any secret is sealed with it.
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(aside, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(aside, { force: true })
  }
}
