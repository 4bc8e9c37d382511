/** The store and the keys for a command that works on them, whether a server runs beside it or not. */
import { readConfig } from '../config.ts'
import { openFoundation, type Foundation } from '../server.ts'

export async function withFoundation<T>(
  env: NodeJS.ProcessEnv,
  work: (foundation: Foundation) => Promise<T>,
): Promise<T> {
  const foundation = await openFoundation(readConfig(env))
  try {
    return await work(foundation)
  } finally {
    await foundation.store.close()
  }
}
