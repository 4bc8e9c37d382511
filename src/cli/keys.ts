/** `anteroom keys …` */
import { randomBytes, randomUUID } from 'node:crypto'
import { CommandError, exitCodes, table, type Command } from './arguments.ts'
import { withFoundation } from './foundation.ts'

const SECRET_BYTES = 32

const when = (at: number | null): string => (at === null ? '' : new Date(at).toISOString())

export const keyCommands: readonly Command[] = [
  {
    name: 'keys list',
    summary: 'the API keys, without their secrets',
    run: ({ env }) =>
      withFoundation(env, async ({ store }) => {
        const keys = (await store.keys.list()).map(({ secret: _, ...shown }) => shown)
        return {
          json: keys,
          text: table(
            ['API KEY', 'NAME', 'PROJECT', 'CREATED', 'REVOKED'],
            keys.map((key) => [
              key.apiKey,
              key.name,
              key.projectId,
              when(key.createdAt),
              when(key.revokedAt),
            ]),
          ),
        }
      }),
  },
  {
    name: 'keys create',
    summary: 'another API key; its secret is shown this once',
    options: {
      name: { value: 'text', help: 'what it is for' },
      project: { value: 'id', help: 'the project it belongs to; default: the first' },
    },
    run: ({ env, values }) =>
      withFoundation(env, async ({ store }) => {
        const projects = await store.projects.list()
        const project =
          values.project === undefined
            ? projects[0]
            : projects.find(({ projectId }) => projectId === values.project)
        if (!project)
          throw new CommandError(`There is no project ${String(values.project)}.`, exitCodes.refused)
        const apiKey = randomUUID()
        const secret = randomBytes(SECRET_BYTES).toString('hex')
        await store.keys.create({
          apiKey,
          projectId: project.projectId,
          name: typeof values.name === 'string' ? values.name : 'key',
          secret,
          createdAt: Date.now(),
          revokedAt: null,
          lastUsedAt: null,
          origins: null,
        })
        return {
          json: { apiKey, secret, projectId: project.projectId },
          text: `API key  ${apiKey}\nsecret   ${secret}`,
        }
      }),
  },
  {
    name: 'keys revoke',
    positionals: ['apiKey'],
    summary: 'takes a key out of force, also in a server that runs, within a second',
    run: ({ env, positionals: [apiKey = ''] }) =>
      withFoundation(env, async ({ store }) => {
        if (!(await store.keys.revoke(apiKey, Date.now()))) {
          throw new CommandError(`There is no API key ${apiKey}.`, exitCodes.refused)
        }
        return { json: { apiKey, revoked: true }, text: `${apiKey} is revoked` }
      }),
  },
]
