/** The data folder and the master key in it. */
import { randomBytes } from 'node:crypto'
import { access, chmod, constants, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StartError } from '../../errors.ts'

const KEY_BYTES = 32
export const KEY_FILE = 'master.key'
const HEX = /^[0-9a-f]{64}$/i
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/

/** Makes the folder with mode 0700, or checks that it can be used. @throws {StartError} */
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

/** Step by step: the runtime's own recursive way never ends where a parent appears in no listing, as below /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 })
    // Whatever the mask of the process.
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
 * The key in the folder, made on first use with mode 0600.
 * @param inUse whether something is sealed already: then a missing key is refused and not made anew
 * @param name of the file
 * @throws {StartError}
 */
export async function readMasterKey(folder: string, inUse: boolean, name = KEY_FILE): Promise<Buffer> {
  const file = join(folder, name)
  let text = await read(file)
  if (text === undefined) {
    if (inUse) {
      throw new StartError(
        `The master key ${file} is missing, and the store was made with one: put it back, or give it in MASTER_KEY.`,
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
  // Windows has no such modes.
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
    throw new StartError(`The master key ${file} can be read by others: do "chmod 600 ${file}".`)
  }
  if (HEX.test(text)) return Buffer.from(text, 'hex')
  if (BASE64.test(text)) return Buffer.from(text, 'base64')
  throw new StartError(
    `The master key ${file} is not ${KEY_BYTES} bytes in base64 or hex: put back its copy, or give the key in MASTER_KEY.`,
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

/** Written aside and linked into place: two that start at once agree on one key, and nobody sees half a file. */
async function make(file: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    const handle = await open(aside, 'wx', 0o600)
    try {
      await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`)
      // On the disk before the first secret that is sealed with it.
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
