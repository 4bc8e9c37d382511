/** Projects and their API keys. */
import type { ApiKeyRecord } from '../../../store/store.ts'
import type { HttpContext, Routes } from '../../context.ts'
import { normalOrigin } from '../../../project/origins.ts'
import { Refusal } from '../../../protocol/errors.ts'
import {
  ChangeKeyBody,
  ChangeProjectBody,
  CreateKeyBody,
  CreateProjectBody,
  KeyList,
  KeyParams,
  KeysQuery,
  NewKey,
  Project,
  ProjectList,
  ProjectParams,
  RevokedKey,
  RevokeKeyBody,
  RotateKeyBody,
  ShownKey,
} from '../../../protocol/rest/keys.ts'
import { fieldsOf } from '../audit.ts'
import { describe } from '../describe.ts'
import { assertWebhook } from '../webhooks.ts'

const tag = 'Administration'
const refusals = ['NOT_FOUND'] as const

export const keyRoutes: Routes = (app, context) => {
  const { store, keys, apiKeys, meetings, newId, now } = context

  app.get(
    '/v2/admin/projects',
    describe({ summary: 'List the projects', tag, access: 'admin', role: 'viewer', answer: ProjectList }),
    async () => ({ data: await store.projects.list() }),
  )
  app.post(
    '/v2/admin/projects',
    describe({
      summary: 'Create a project',
      audit: { action: 'project.create', subject: (_, { projectId }) => projectId },
      tag,
      access: 'admin',
      role: 'operator',
      body: CreateProjectBody,
      answer: Project,
    }),
    async (request) => {
      const project = {
        projectId: newId(),
        name: request.body.name.trim(),
        webhook: null,
        createdAt: now(),
      }
      await store.projects.create(project)
      return project
    },
  )
  app.patch(
    '/v2/admin/projects/:projectId',
    describe({
      summary: 'Change a project’s name or its webhook',
      audit: { action: 'project.change', facts: ({ body }) => ({ fields: fieldsOf(body) }) },
      tag,
      access: 'admin',
      role: 'operator',
      params: ProjectParams,
      body: ChangeProjectBody,
      answer: Project,
      refusals,
    }),
    async (request) => {
      const { name, webhook } = request.body
      assertWebhook(webhook ?? undefined, context.settings)
      const changed = await store.projects.change(request.params.projectId, {
        ...(name !== undefined && { name: name.trim() }),
        ...(webhook !== undefined && { webhook }),
      })
      if (!changed) throw new Refusal('NOT_FOUND', { message: 'There is no such project.' })
      await context.projectsChanged()
      return changed
    },
  )

  app.get(
    '/v2/admin/keys',
    describe({
      summary: 'List the API keys, without their secrets',
      tag,
      access: 'admin',
      role: 'viewer',
      query: KeysQuery,
      answer: KeyList,
    }),
    async (request) => {
      const { projectId } = request.query
      const all = await store.keys.list()
      const wanted = projectId === undefined ? all : all.filter((key) => key.projectId === projectId)
      return { data: wanted.map((key) => shown(key, keys)) }
    },
  )
  app.post(
    '/v2/admin/keys',
    describe({
      summary: 'Create an API key; its secret is shown only once',
      audit: {
        action: 'key.create',
        subject: (_, { apiKey }) => apiKey,
        facts: ({ body }) => ({ projectId: body.projectId }),
      },
      tag,
      access: 'admin',
      role: 'operator',
      body: CreateKeyBody,
      answer: NewKey,
      refusals,
    }),
    async (request) => {
      const { projectId, name = 'key', origins = null } = request.body
      const key = await apiKeys.create({ projectId, name: name.trim(), origins: originsOf(origins) })
      await keys.refresh()
      return { ...shown(key, keys), secret: key.secret }
    },
  )
  app.patch(
    '/v2/admin/keys/:apiKey',
    describe({
      summary: 'Change a key’s name, or the web origins that may use it',
      audit: { action: 'key.change', facts: ({ body }) => ({ fields: fieldsOf(body) }) },
      tag,
      access: 'admin',
      role: 'operator',
      params: KeyParams,
      body: ChangeKeyBody,
      answer: ShownKey,
      refusals,
    }),
    async (request) => {
      const { apiKey } = request.params
      const { name, origins } = request.body
      await store.keys.change(apiKey, {
        ...(name !== undefined && { name: name.trim() }),
        ...(origins !== undefined && { origins: originsOf(origins) }),
      })
      await keys.refresh()
      return shown(await apiKeys.get(apiKey), keys)
    },
  )
  app.post(
    '/v2/admin/keys/:apiKey/rotate',
    describe({
      summary: 'Replace a key; both keys are valid during the overlap',
      audit: { action: 'key.rotate', facts: (_, { apiKey }) => ({ successor: apiKey }) },
      tag,
      access: 'admin',
      role: 'operator',
      params: KeyParams,
      body: RotateKeyBody,
      answer: NewKey,
      refusals: ['NOT_FOUND', 'INVALID_STATE'],
    }),
    async (request) => {
      const successor = await apiKeys.rotate(request.params.apiKey, request.body.overlapSeconds)
      await keys.refresh()
      return { ...shown(successor, keys), secret: successor.secret }
    },
  )
  app.post(
    '/v2/admin/keys/:apiKey/revoke',
    describe({
      summary: 'Revoke a key at once',
      audit: { action: 'key.revoke', facts: (_, { ended }) => ({ ended }) },
      tag,
      access: 'admin',
      role: 'operator',
      params: KeyParams,
      body: RevokeKeyBody,
      answer: RevokedKey,
      refusals,
    }),
    async (request) => {
      const key = await apiKeys.revoke(request.params.apiKey)
      await keys.refresh()
      const { projectId, apiKey } = key
      const ended =
        request.body.connections === 'end'
          ? await meetings.evictByCredential({ projectId, apiKey }, new Refusal('APIKEY_DEACTIVATED'))
          : 0
      return { ...shown(key, keys), ended }
    },
  )
}

function shown({ secret: _, ...key }: ApiKeyRecord, keys: HttpContext['keys']): ShownKey {
  return { ...key, lastUsedAt: keys.lastUsedAt(key.apiKey) ?? key.lastUsedAt }
}

/** @throws {Refusal} INVALID_REQUEST for the first invalid one */
function originsOf(given: string[] | null): string[] | null {
  if (given === null) return null
  return given.map((text) => {
    const origin = normalOrigin(text)
    if (origin !== undefined) return origin
    throw new Refusal('INVALID_REQUEST', {
      message: 'origins must be addresses such as https://app.example.org or https://*.example.org.',
    })
  })
}
