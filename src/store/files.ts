/** Files that people hand round in a session: one folder for each session, one file for each, nothing else. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from './store.ts'
import { asUnavailable } from './unavailable.ts'

/** Ids are ours; what is none never reaches the disk. */
const ID = /^[A-Za-z0-9_-]{8,64}$/

export function openFiles(folder: string): Store['files'] {
  const place = (sessionId: string, fileId?: string): string => {
    if (!ID.test(sessionId) || (fileId !== undefined && !ID.test(fileId))) throw new Error('This is no id.')
    return join(folder, sessionId, fileId ?? '')
  }
  const count = async (sessionId: string): Promise<{ bytes: number }> => {
    const names = await readdir(place(sessionId)).catch(() => [])
    const whole = names.filter((name) => ID.test(name))
    const sizes = await Promise.all(whole.map((name) => stat(join(place(sessionId), name))))
    return { bytes: sizes.reduce((sum, { size }) => sum + size, 0) }
  }
  /** Counted on the disk once, then kept in step: a folder of many files is not to be read for each further one. */
  const totals = new Map<string, Promise<{ bytes: number }>>()
  const totalOf = (sessionId: string): Promise<{ bytes: number }> => {
    const there = totals.get(sessionId)
    if (there) return there
    const counting = count(sessionId)
    totals.set(sessionId, counting)
    counting.catch(() => totals.delete(sessionId))
    return counting
  }

  return {
    put: async (sessionId, fileId, bytes) => {
      // Before it is there, so that it is not counted twice.
      const total = await totalOf(sessionId)
      const [path, aside] = [place(sessionId, fileId), `${place(sessionId, fileId)}.part`]
      try {
        await mkdir(place(sessionId), { recursive: true, mode: 0o700 })
        const handle = await open(aside, 'wx', 0o600)
        try {
          await handle.writeFile(bytes)
          await handle.sync()
        } finally {
          await handle.close()
        }
        // Whole or not at all.
        await rename(aside, path)
      } catch (error) {
        await rm(aside, { force: true }).catch(() => undefined)
        throw asUnavailable(error)
      }
      total.bytes += bytes.length
    },
    get: async (sessionId, fileId) => {
      if (!ID.test(fileId)) return undefined
      try {
        return await readFile(place(sessionId, fileId))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw asUnavailable(error)
      }
    },
    totalBytes: async (sessionId) => (await totalOf(sessionId)).bytes,
    drop: async (sessionId) => {
      totals.delete(sessionId)
      await rm(place(sessionId), { recursive: true, force: true })
    },
    keepOnly: async (sessionIds) => {
      totals.clear()
      for (const name of await readdir(folder).catch(() => [])) {
        if (!sessionIds.has(name)) await rm(join(folder, name), { recursive: true, force: true })
      }
    },
  }
}
