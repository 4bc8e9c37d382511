/** `anteroom projects …` and `anteroom admin …` */
import { randomBytes } from 'node:crypto'
import { resetSignIn } from '../api/admin/sign-in.ts'
import { readConfig } from '../config.ts'
import { CommandError, exitCodes, table, type Command } from './arguments.ts'
import { withFoundation } from './foundation.ts'

const MAX_NAME_LENGTH = 100

function nameOf(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > MAX_NAME_LENGTH)
    throw new CommandError(`A name has 1 to ${MAX_NAME_LENGTH} characters.`, exitCodes.usage)
  return name
}

export const projectCommands: readonly Command[] = [
  {
    name: 'projects list',
    summary: 'the projects; each has keys and meetings of its own',
    run: ({ env }) =>
      withFoundation(env, async ({ store }) => {
        const projects = await store.projects.list()
        return {
          json: projects,
          text: table(
            ['PROJECT', 'NAME', 'CREATED'],
            projects.map(({ projectId, name, createdAt }) => [
              projectId,
              name,
              new Date(createdAt).toISOString(),
            ]),
          ),
        }
      }),
  },
  {
    name: 'projects create',
    positionals: ['name'],
    summary: 'another project; give it a key with: keys create --project',
    run: ({ env, positionals: [text = ''] }) =>
      withFoundation(env, async ({ store }) => {
        const projectId = randomBytes(12).toString('hex')
        const project = { projectId, name: nameOf(text), webhook: null, createdAt: Date.now() }
        await store.projects.create(project)
        return { json: project, text: projectId }
      }),
  },
  {
    name: 'projects rename',
    positionals: ['projectId', 'name'],
    summary: 'gives a project another name',
    run: ({ env, positionals: [projectId = '', text = ''] }) =>
      withFoundation(env, async ({ store }) => {
        const project = await store.projects.change(projectId, { name: nameOf(text) })
        if (!project) throw new CommandError(`There is no project ${projectId}.`, exitCodes.refused)
        return { json: project, text: `${projectId} is ${project.name}` }
      }),
  },
]

export const adminReset: Command = {
  name: 'admin reset',
  summary: 'forgets the password of the dashboard, signs everybody out and prints a new first link',
  run: ({ env }) =>
    withFoundation(env, async ({ store }) => {
      const { publicUrl, port } = readConfig(env)
      const link = `${publicUrl ?? `http://localhost:${port}`}${await resetSignIn({ store, randomBytes })}`
      return { json: { link }, text: link }
    }),
}
