/** The store and the keys for a command that works on them, whether a server runs beside it or not. It makes none. */
import { readConfig } from '../config/read.ts'
import type { ServerCore } from '../server/core.ts'
import type { ProjectRecord } from '../store/store.ts'
import { CommandError, exitCodes } from './arguments.ts'

export async function withCore<T>(
  env: NodeJS.ProcessEnv,
  work: (core: ServerCore) => Promise<T>,
): Promise<T> {
  // Loaded when it is needed: a command that only prints its help starts at once.
  const { openCore } = await import('../server/core.ts')
  const core = await openCore(readConfig(env), { create: false })
  try {
    return await work(core)
  } finally {
    await core.store.close()
  }
}

/** The project that an option names; without one, the first. @throws {CommandError} */
export async function namedProject(
  { store }: Pick<ServerCore, 'store'>,
  named: string | string[] | boolean | undefined,
): Promise<ProjectRecord> {
  const projects = await store.projects.list()
  const project = named === undefined ? projects[0] : projects.find(({ projectId }) => projectId === named)
  if (project) return project
  throw new CommandError(
    named === undefined
      ? 'There is no project yet; make one with: anteroom init'
      : `There is no project ${String(named)}.`,
    exitCodes.refused,
  )
}
