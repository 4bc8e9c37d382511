/** `anteroom projects …` and `anteroom admin …` */
import { randomBytes } from 'node:crypto'
import { displayHost } from '../addresses.ts'
import { draftFirstLink, forgetSignIn } from '../api/rest/admin/sign-in.ts'
import { readConfig } from '../config/read.ts'
import { CommandError, exitCodes, table, type Command } from './arguments.ts'
import { withCore } from './core.ts'

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
      withCore(env, async ({ store }) => {
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
    run: ({ env, show, positionals: [text = ''] }) =>
      withCore(env, async ({ store }) => {
        const projectId = randomBytes(12).toString('hex')
        const project = { projectId, name: nameOf(text), webhook: null, createdAt: Date.now() }
        const result = await show({ json: project, text: projectId })
        await store.projects.create(project)
        return result
      }),
  },
  {
    name: 'projects rename',
    positionals: ['projectId', 'name'],
    summary: 'gives a project another name',
    run: ({ env, positionals: [projectId = '', text = ''] }) =>
      withCore(env, async ({ store }) => {
        const project = await store.projects.change(projectId, { name: nameOf(text) })
        if (!project) throw new CommandError(`There is no project ${projectId}.`, exitCodes.refused)
        return { json: project, text: `${projectId} is ${project.name}` }
      }),
  },
]

export const adminReset: Command = {
  name: 'admin reset',
  summary: 'forgets the password of the dashboard, signs everybody out and prints a new first link',
  run: ({ env, show }) =>
    withCore(env, async ({ store }) => {
      const { publicUrl, host, port } = readConfig(env)
      const { path, keep } = draftFirstLink({ store, randomBytes })
      const link = `${publicUrl ?? `http://${displayHost(host)}:${port}`}${path}`
      const result = await show({ json: { link }, text: link })
      // After the link was shown: who loses the password and the link is locked out.
      await forgetSignIn(store)
      await keep()
      return result
    }),
}
