/** A folder as the store of files: another disk, or what is mounted from elsewhere. */
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { FileStore } from './files.ts'
import { md5Of } from './checksum.ts'
import { FileStoreError } from './problem.ts'
import { partOf } from './range.ts'

export function openFolder(root: string): FileStore {
  const fileOf = (key: string): string => join(root, key)
  const sizeOf = async (key: string): Promise<number | undefined> => {
    const found = await stat(fileOf(key)).catch(absent)
    return found?.isFile() ? found.size : undefined
  }
  return {
    place: root,
    sizeOf: (key) => told(root, () => sizeOf(key)),
    put: async (key, file) => {
      const target = fileOf(key)
      const [{ size }, md5] = await Promise.all([stat(file), md5Of(file)])
      await told(root, async () => {
        if ((await sizeOf(key)) === size && (await md5Of(target)) === md5) return
        await mkdir(dirname(target), { recursive: true })
        await copyFile(file, `${target}.part`)
        const copy = await open(`${target}.part`, 'r+')
        await copy.sync()
        await copy.close()
        if ((await md5Of(`${target}.part`)) !== md5) throw new Error('a file was not copied as it is')
        await rename(`${target}.part`, target)
      })
    },
    read: (key, range) =>
      told(root, async () => {
        const file = await open(fileOf(key), 'r').catch(absent)
        if (!file) return undefined
        // What was opened is measured and read, also if a playlist takes its place meanwhile.
        const found = await file.stat()
        const part = partOf(range, found.size)
        if (!found.isFile()) {
          await file.close()
          return undefined
        }
        if (part && 'unsatisfiable' in part) {
          await file.close()
          return part
        }
        const { from, to } = part ?? { from: 0, to: found.size - 1 }
        const body = file.createReadStream(found.size === 0 ? {} : { start: from, end: to })
        return { body, length: to - from + 1, ...(part && { part: { ...part, of: found.size } }) }
      }),
    list: (folder) =>
      told(root, async () => {
        const found = await readdir(fileOf(folder), { recursive: true, withFileTypes: true }).catch(absent)
        return (found ?? [])
          .filter((entry) => entry.isFile() && !entry.name.endsWith('.part'))
          .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      }),
    drop: (folder) => told(root, () => rm(fileOf(folder), { recursive: true, force: true })),
    close: () => undefined,
  }
}

function absent(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
}

async function told<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const { code = (cause as Error).message } = cause as NodeJS.ErrnoException
    throw new FileStoreError(`The folder ${root} of FILES_URL cannot be used (${code}).`, { cause })
  }
}
