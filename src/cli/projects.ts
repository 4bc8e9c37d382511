/** `anteroom projects …` and `anteroom admin …` */
import { randomBytes } from 'node:crypto'
import { displayHost } from '../addresses.ts'
import { draftFirstLink, forgetSignIn } from '../api/rest/admin/sign-in.ts'
import { readConfig } from '../config/read.ts'
import { CommandError, exitCodes, table, type Command } from './arguments.ts'
import { recordDeed } from './audit.ts'
import { withCore } from './core.ts'

const MAX_NAME_LENGTH = 100

function nameOf(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > MAX_NAME_LENGTH)
    throw new CommandError(`A name must have 1 to ${MAX_NAME_LENGTH} characters.`, exitCodes.usage)
  return name
}

export const projectCommands: readonly Command[] = [
  {
    name: 'projects list',
    summary: 'lists the projects; each has its own keys and meetings',
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
    summary: 'creates a project; give it a key with: keys create --project',
    run: ({ env, show, positionals: [text = ''] }) =>
      withCore(env, async ({ store }) => {
        const projectId = randomBytes(12).toString('hex')
        const project = { projectId, name: nameOf(text), webhook: null, createdAt: Date.now() }
        const result = await show({ json: project, text: projectId })
        await store.projects.create(project)
        await recordDeed(store, { action: 'project.create', subject: projectId, projectId })
        return result
      }),
  },
  {
    name: 'projects rename',
    positionals: ['projectId', 'name'],
    summary: 'renames a project',
    run: ({ env, positionals: [projectId = '', text = ''] }) =>
      withCore(env, async ({ store }) => {
        const project = await store.projects.change(projectId, { name: nameOf(text) })
        if (!project) throw new CommandError(`There is no project ${projectId}.`, exitCodes.refused)
        await recordDeed(store, {
          action: 'project.change',
          subject: projectId,
          projectId,
          facts: { fields: 'name' },
        })
        return { json: project, text: `renamed ${projectId} to ${project.name}` }
      }),
  },
]

export const adminReset: Command = {
  name: 'admin reset',
  summary: 'deletes the password of the first owner, signs everybody out and prints a new sign-in link',
  run: ({ env, show }) =>
    withCore(env, async ({ store }) => {
      const { publicUrl, host, port } = readConfig(env)
      const { path, keep } = draftFirstLink({ store, randomBytes })
      const link = `${publicUrl ?? `http://${displayHost(host)}:${port}`}${path}`
      const result = await show({ json: { link }, text: link })
      // Only after the link was shown: without the password and the link, everybody would be locked out.
      await forgetSignIn({ store, randomBytes, now: Date.now })
      await keep()
      await recordDeed(store, { action: 'sign-in.reset' })
      return result
    }),
}
