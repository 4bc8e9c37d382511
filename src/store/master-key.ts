/** The data folder and the master key in it. */
import { randomBytes } from 'node:crypto'
import { access, chmod, constants, link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreProblem } from './problem.ts'

const KEY_BYTES = 32
const KEY_FILE = 'master.key'

/** Makes the folder with mode 0700, or checks that it can be used. @throws {StoreProblem} */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (made !== undefined) await chmod(folder, 0o700)
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new StoreProblem(
      `The data folder ${folder} cannot be written: change its owner, or name another in DATA_DIR.`,
      { cause },
    )
  }
  if (!(await stat(folder)).isDirectory()) {
    throw new StoreProblem(`${folder} is not a folder: name another in DATA_DIR.`)
  }
}

/** The key in the folder, made on first use with mode 0600. @throws {StoreProblem} */
export async function readMasterKey(folder: string): Promise<Buffer> {
  const file = join(folder, KEY_FILE)
  let text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) {
    // Written aside and linked into place: two that start at once agree on one key, and nobody sees half a file.
    const aside = `${file}.${process.pid}`
    await writeFile(aside, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600 })
    await link(aside, file).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    })
    await unlink(aside)
    text = await readFile(file, 'utf8')
  }
  if (((await stat(file)).mode & 0o077) !== 0) {
    throw new StoreProblem(`The master key ${file} can be read by others: do "chmod 600 ${file}".`)
  }
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== KEY_BYTES) {
    throw new StoreProblem(
      `The master key ${file} is damaged: put back its copy, or give the key in MASTER_KEY.`,
    )
  }
  return key
}
