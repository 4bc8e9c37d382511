/** Files that participants share in a session: a folder for each session, a file for each shared file. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from './store.ts'
import { asUnavailable } from './unavailable.ts'

/** The server makes these ids; anything else never reaches the disk. */
const ID = /^[A-Za-z0-9_-]{8,64}$/

export function openFiles(folder: string): Store['files'] {
  const place = (sessionId: string, fileId?: string): string => {
    if (!ID.test(sessionId) || (fileId !== undefined && !ID.test(fileId)))
      throw new Error('The file or session id is malformed.')
    return join(folder, sessionId, fileId ?? '')
  }
  return {
    put: async (sessionId, fileId, bytes) => {
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
        // The rename makes the file appear complete or not at all.
        await rename(aside, path)
      } catch (error) {
        await rm(aside, { force: true }).catch(() => undefined)
        throw asUnavailable(error)
      }
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
    list: async (sessionId) => {
      const names = await readdir(place(sessionId)).catch(() => [])
      const whole = names.filter((name) => ID.test(name))
      return Promise.all(
        whole.map(async (fileId) => ({ fileId, bytes: (await stat(place(sessionId, fileId))).size })),
      )
    },
    drop: async (sessionId) => {
      await rm(place(sessionId), { recursive: true, force: true })
    },
    keepOnly: async (sessionIds) => {
      for (const name of await readdir(folder).catch(() => [])) {
        if (!sessionIds.has(name)) await rm(join(folder, name), { recursive: true, force: true })
      }
    },
  }
}
