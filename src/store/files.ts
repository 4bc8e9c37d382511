/** Files that people hand round in a session: one folder for each session, one file for each, nothing else. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from './store.ts'

/** Ids are ours; what is none never reaches the disk. */
const ID = /^[A-Za-z0-9_-]{8,64}$/

export function openFiles(folder: string): Store['files'] {
  const place = (sessionId: string, fileId?: string): string => {
    if (!ID.test(sessionId) || (fileId !== undefined && !ID.test(fileId))) throw new Error('This is no id.')
    return join(folder, sessionId, fileId ?? '')
  }
  return {
    put: async (sessionId, fileId, bytes) => {
      const [path, aside] = [place(sessionId, fileId), `${place(sessionId, fileId)}.part`]
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
    },
    get: async (sessionId, fileId) => {
      if (!ID.test(fileId)) return undefined
      try {
        return await readFile(place(sessionId, fileId))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    totalBytes: async (sessionId) => {
      const names = await readdir(place(sessionId)).catch(() => [])
      const sizes = await Promise.all(
        names.map(async (name) => {
          try {
            return (await stat(join(place(sessionId), name))).size
          } catch (error) {
            // Still being written a moment ago, and renamed since.
            if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
            throw error
          }
        }),
      )
      return sizes.reduce((sum, size) => sum + size, 0)
    },
    drop: (sessionId) => rm(place(sessionId), { recursive: true, force: true }),
    keepOnly: async (sessionIds) => {
      for (const name of await readdir(folder).catch(() => [])) {
        if (!sessionIds.has(name)) await rm(join(folder, name), { recursive: true, force: true })
      }
    },
  }
}
