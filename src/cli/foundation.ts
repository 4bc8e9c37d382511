/** The store and the keys for a command that works on them, whether a server runs beside it or not. It makes none. */
import { readConfig } from '../config/read.ts'
import type { Foundation } from '../foundation.ts'
import type { ProjectRecord } from '../store/store.ts'
import { CommandError, exitCodes } from './arguments.ts'

export async function withFoundation<T>(
  env: NodeJS.ProcessEnv,
  work: (foundation: Foundation) => Promise<T>,
): Promise<T> {
  // Loaded when it is needed: a command that only prints its help starts at once.
  const { openFoundation } = await import('../foundation.ts')
  const foundation = await openFoundation(readConfig(env), { create: false })
  try {
    return await work(foundation)
  } finally {
    await foundation.store.close()
  }
}

/** The project that an option names; without one, the first. @throws {CommandError} */
export async function namedProject(
  { store }: Pick<Foundation, 'store'>,
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
