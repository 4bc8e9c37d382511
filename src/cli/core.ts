/** Opens the store and the keys for a command, whether a server is running or not. Creates nothing. */
import { readConfig } from '../config/read.ts'
import type { ServerCore } from '../server/core.ts'
import type { ProjectRecord } from '../store/store.ts'
import { CommandError, exitCodes } from './arguments.ts'

export async function withCore<T>(
  env: NodeJS.ProcessEnv,
  work: (core: ServerCore) => Promise<T>,
): Promise<T> {
  // Loaded on demand, so that a command that only prints its help starts at once.
  const { openCore } = await import('../server/core.ts')
  const core = await openCore(readConfig(env), { create: false })
  try {
    return await work(core)
  } finally {
    await core.store.close()
  }
}

/** The project named by an option, or the first one. @throws {CommandError} */
export async function namedProject(
  { store }: Pick<ServerCore, 'store'>,
  named: string | string[] | boolean | undefined,
): Promise<ProjectRecord> {
  const projects = await store.projects.list()
  const project = named === undefined ? projects[0] : projects.find(({ projectId }) => projectId === named)
  if (project) return project
  throw new CommandError(
    named === undefined
      ? 'There is no project yet; create one with: anteroom init'
      : `There is no project ${String(named)}.`,
    exitCodes.refused,
  )
}
