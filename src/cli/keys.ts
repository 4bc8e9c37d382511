/** `anteroom keys …` */
import { randomBytes, randomUUID } from 'node:crypto'
import { readAdminKey } from '../api/rest/admin/admin-key.ts'
import { readConfig } from '../config/read.ts'
import { createApiKeys, type ApiKeys, type KeyDraft } from '../project/api-keys.ts'
import { normalOrigin } from '../project/origins.ts'
import type { Store } from '../store/store.ts'
import { parseDuration } from '../token/token.ts'
import {
  CommandError,
  exitCodes,
  table,
  type Command,
  type CommandInput,
  type CommandResult,
} from './arguments.ts'
import { recordDeed, type Deed } from './audit.ts'
import { askServer } from './ask-server.ts'
import { namedProject, withCore } from './core.ts'

const when = (at: number | null): string => (at === null ? '' : new Date(at).toISOString())

function withKeys<T>(env: NodeJS.ProcessEnv, work: (keys: ApiKeys, store: Store) => Promise<T>): Promise<T> {
  return withCore(env, ({ store }) =>
    work(createApiKeys({ store, now: Date.now, randomBytes, randomUUID }), store),
  )
}

function originsOf(value: CommandInput['values'][string]): string[] | null {
  if (typeof value !== 'string') return null
  return value.split(',').map((text) => {
    const origin = normalOrigin(text)
    if (origin !== undefined) return origin
    throw new CommandError(
      '--origins must be addresses such as https://app.example.org or https://*.example.org, separated by commas.',
      exitCodes.usage,
    )
  })
}

/** Prints the secret before the key takes effect: a secret that was never shown would be valid but useless. */
async function showThenKeep(
  show: CommandInput['show'],
  draft: KeyDraft,
  store: Store,
  deed: Deed,
): Promise<CommandResult> {
  const { apiKey, secret, projectId } = draft.key
  const result = await show({
    json: { apiKey, secret, projectId },
    text: `API key  ${apiKey}\nsecret   ${secret}`,
  })
  await draft.keep()
  await recordDeed(store, deed)
  return result
}

export const keyCommands: readonly Command[] = [
  {
    name: 'keys list',
    summary: 'lists the API keys, without their secrets',
    run: ({ env }) =>
      withCore(env, async ({ store }) => {
        const keys = (await store.keys.list()).map(({ secret: _, ...shown }) => shown)
        return {
          json: keys,
          text: table(
            ['API KEY', 'NAME', 'PROJECT', 'CREATED', 'LAST USED', 'REVOKED', 'ORIGINS'],
            keys.map((key) => [
              key.apiKey,
              key.name,
              key.projectId,
              when(key.createdAt),
              when(key.lastUsedAt),
              when(key.revokedAt),
              key.origins?.join(' ') ?? 'any',
            ]),
          ),
        }
      }),
  },
  {
    name: 'keys create',
    summary: 'creates an API key; its secret is shown only once',
    options: {
      name: { value: 'text', help: 'what it is for' },
      project: { value: 'id', help: 'the project it belongs to; default: the first' },
      origins: {
        value: 'list',
        help: 'web origins whose pages may use it; separated by commas; default any',
      },
    },
    run: ({ env, values, show }) =>
      withCore(env, async (core) => {
        const { projectId } = await namedProject(core, values.project)
        const { store } = core
        const keys = createApiKeys({ store, now: Date.now, randomBytes, randomUUID })
        const name = typeof values.name === 'string' ? values.name : 'key'
        const draft = await keys.draft({ projectId, name, origins: originsOf(values.origins) })
        return showThenKeep(show, draft, store, {
          action: 'key.create',
          subject: draft.key.apiKey,
          projectId,
        })
      }),
  },
  {
    name: 'keys rotate',
    positionals: ['apiKey'],
    summary: 'replaces a key with a new one; its secret is shown only once',
    options: { overlap: { value: 'span', help: 'how long both keys work: 15m, 24h, 30d; default 24h' } },
    run: ({ env, values, show, positionals: [apiKey = ''] }) =>
      withKeys(env, async (keys, store) => {
        const draft = await keys.draftSuccessor(apiKey, parseDuration(values.overlap ?? '24h'))
        return showThenKeep(show, draft, store, {
          action: 'key.rotate',
          subject: apiKey,
          projectId: draft.key.projectId,
          facts: { successor: draft.key.apiKey },
        })
      }),
  },
  {
    name: 'keys revoke',
    positionals: ['apiKey'],
    summary: 'revokes a key; a running server applies it within a second',
    options: {
      'end-connections': { help: 'also disconnects everybody who used the key; asks the running server' },
    },
    run: async ({ env, values, positionals: [apiKey = ''] }) => {
      if (values['end-connections'] !== true) {
        await withKeys(env, async (keys, store) => {
          const { projectId } = await keys.revoke(apiKey)
          await recordDeed(store, { action: 'key.revoke', subject: apiKey, projectId })
        })
        return { json: { apiKey, revoked: true }, text: `revoked ${apiKey}` }
      }
      const { adminKey: given, dataDir: folder } = readConfig(env)
      const adminKey = await readAdminKey({ given, folder, randomBytes, create: false })
      const path = `/v2/admin/keys/${encodeURIComponent(apiKey)}/revoke`
      const { ended } = await askServer<{ ended: number }>(
        env,
        path,
        { connections: 'end' },
        `Bearer ${adminKey}`,
      )
      return {
        json: { apiKey, revoked: true, ended },
        text: `revoked ${apiKey}, closed ${ended} ${ended === 1 ? 'connection' : 'connections'}`,
      }
    },
  },
]
