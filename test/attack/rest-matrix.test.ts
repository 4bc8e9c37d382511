/**
 * Calls every operation of the REST API with every kind of token: valid, removed from the session, revoked, of another
 * project. The expected results are a separate table, so that they do not follow from the program. Refused calls have
 * no effect.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openStore } from '../../src/store/open.ts'
import { bodyOf, bodyTypeOf, calls, Stage, type Call } from '../support/rest-calls.ts'
import { ADMIN_KEY, API_KEY, SECRET, signAnything, TestServer } from '../support/test-server.ts'
import { OTHER } from './two-projects.ts'

/** The permission that a call needs; `inside`: its holder must be in the meeting with this token. */
type Needs = 'nothing' | 'entry' | 'admit' | 'moderate' | 'allow_mod' | 'inside'

interface Row {
  needs: Needs
  /** The role that a token with roles must name. A token for management then needs no permission. Default `crawler`. */
  role?: 'crawler' | 'rtc' | 'any'
  /** Default: one meeting. `create`: no meeting yet, so a participant removed elsewhere may call it. */
  about?: 'project' | 'create'
  /** What the call is about was made by another token: one that may call it, but does not moderate, is refused so. */
  isAnothers?: true
}

const watch: Row = { needs: 'admit' }
const moderate: Row = { needs: 'moderate' }
const configure: Row = { needs: 'moderate', role: 'any' }
const find: Row = { needs: 'nothing' }
const create: Row = { needs: 'nothing', about: 'create' }
const list: Row = { needs: 'nothing', about: 'project' }
const invite: Row = { needs: 'admit', role: 'any' }
const stream: Row = { needs: 'admit' }
const anothersStream: Row = { needs: 'admit', isAnothers: true }
const manage: Row = { needs: 'allow_mod' }

/** Lists that are empty for a meeting that does not exist or belongs to another project. */
const listsNothing = new Set([
  'GET /v2/sessions',
  'GET /v2/recordings',
  'GET /v2/hls',
  'GET /v2/livestreams',
  'GET /ai/v1/realtime-transcriptions',
  'GET /ai/v1/post-transcriptions',
  'GET /v2/recordings/participant',
  'GET /v2/recordings/participant/track',
  'GET /v2/recordings/composite',
  'GET /v2/recordings/participant/merge',
  'GET /v2/transcodings',
])

const policy: Record<string, Row> = {
  'POST /create-meeting': create,
  'POST /create-room': create,
  'POST /v2/rooms': create,
  'POST /v1/meetings': create,
  'POST /api/meetings': create,
  'POST /v1/prebuilt/meetings/{id}': create,
  'GET /validate-meeting/{id}': find,
  'POST /validate-meeting/{id}': find,
  'GET /validate-room/{id}': find,
  'POST /validate-room/{id}': find,
  'GET /v2/rooms/validate/{id}': find,
  'POST /v2/rooms/validate/{id}': find,
  'POST /v1/meetings/{id}': find,
  'POST /api/meetings/{id}': find,
  'GET /v2/rooms/{id}': find,
  'GET /v1/meetings/{id}': find,
  'GET /api/meetings/{id}': find,
  'GET /v2/rooms': list,
  'GET /v1/meetings': list,
  'GET /api/meetings': list,
  'POST /v2/rooms/deactivate': { needs: 'admit' },
  'GET /v2/rooms/{roomId}/knock': invite,
  'GET /v2/rooms/{roomId}/inside': invite,
  'PUT /v2/rooms/{roomId}/knock': configure,

  'POST /infra/v1/meetings/init-config': { needs: 'entry', role: 'rtc' },
  'POST /base64-upload': { needs: 'inside', role: 'any' },
  'GET /files/{meetingId}/{fileId}/{name}': { needs: 'inside', role: 'any' },
  'POST /v2/invites': invite,
  'GET /v2/invites': invite,
  // The invite in the table was made by another token.
  'POST /v2/invites/{inviteId}/revoke': { needs: 'allow_mod', role: 'any' },

  'GET /v2/sessions': watch,
  'GET /v2/sessions/{sessionId}': watch,
  'GET /v2/sessions/{sessionId}/participants': watch,
  'GET /v2/sessions/{sessionId}/participants/active': watch,
  'GET /v2/sessions/{sessionId}/participants/{participantId}': watch,
  'GET /v2/sessions/{sessionId}/stats': watch,
  'GET /v2/sessions/{sessionId}/participant/{participantId}/stats': watch,
  'GET /v2/sessions/{sessionId}/participants/{participantId}/diagnosis': watch,
  'GET /v2/sessions/{sessionId}/participants/{participantId}/media': watch,
  'GET /v2/sessions/{sessionId}/chat-log': watch,
  'GET /v1/meeting-sessions': { needs: 'admit', about: 'project' },
  'GET /v1/meeting-sessions/{sessionId}': watch,
  'POST /v2/sessions/end': moderate,
  'POST /v2/sessions/participants/remove': moderate,
  'POST /v1/meeting-sessions/{sessionId}/end': moderate,
  'POST /v1/meeting-sessions/{sessionId}/remove-participant': moderate,

  'POST /ai/v1/realtime-transcriptions/start': moderate,
  'POST /ai/v1/realtime-transcriptions/end': moderate,
  'GET /ai/v1/realtime-transcriptions': watch,
  'GET /ai/v1/realtime-transcriptions/{id}': watch,
  'GET /ai/v1/post-transcriptions': watch,
  'GET /ai/v1/post-transcriptions/{id}': watch,
  'POST /v2/recordings/participant/start': moderate,
  'POST /v2/recordings/participant/stop': moderate,
  'GET /v2/recordings/participant': watch,
  'GET /v2/recordings/participant/{id}': watch,
  'DELETE /v2/recordings/participant/{id}': moderate,
  'POST /v2/recordings/participant/track/start': moderate,
  'POST /v2/recordings/participant/track/stop': moderate,
  'GET /v2/recordings/participant/track': watch,
  'GET /v2/recordings/participant/track/{id}': watch,
  'DELETE /v2/recordings/participant/track/{id}': moderate,
  'POST /v2/recordings/composite/start': moderate,
  'POST /v2/recordings/composite/stop': moderate,
  'GET /v2/recordings/composite': watch,
  'GET /v2/recordings/composite/{id}': watch,
  'DELETE /v2/recordings/composite/{id}': moderate,
  'POST /v2/recordings/participant/merge': moderate,
  'GET /v2/recordings/participant/merge': watch,
  'GET /v2/recordings/participant/merge/{id}': watch,
  'POST /v2/transcodings/merge': moderate,
  'POST /v2/transcodings/hls-to-mp4': moderate,
  'POST /v2/transcodings/meeting-recording-merge': moderate,
  'GET /v2/transcodings': watch,
  'GET /v2/transcodings/{id}': watch,
  'POST /v2/transcodings/{id}/cancel': moderate,
  'POST /v2/recordings/start': moderate,
  'POST /v2/recordings/end': moderate,
  'POST /v2/recordings/stop': moderate,
  'GET /v2/recordings': watch,
  'GET /v2/recordings/{id}': watch,
  'DELETE /v2/recordings/{id}': moderate,
  'POST /v2/hls/start': moderate,
  'POST /v2/hls/end': moderate,
  'POST /v2/hls/stop': moderate,
  'POST /v2/hls/capture': moderate,
  'GET /v2/hls': watch,
  'GET /v2/hls/{id}/active': watch,
  'GET /v2/hls/{id}': watch,
  'DELETE /v2/hls/{id}': moderate,
  'POST /v2/livestreams/start': moderate,
  'POST /v2/livestreams/end': moderate,
  'POST /v2/livestreams/stop': moderate,
  'GET /v2/livestreams': watch,
  'GET /v2/livestreams/{id}': watch,

  'POST /v2/whip': stream,
  'POST /whip/{meetingId}': stream,
  'POST /v2/whep': stream,
  'POST /whep/{meetingId}/{participantId}': stream,
  // The session in the table was opened by another token.
  'PATCH /v2/whip/sessions/{sessionId}': anothersStream,
  'DELETE /v2/whip/sessions/{sessionId}': anothersStream,
  'PATCH /v2/whep/sessions/{sessionId}': anothersStream,
  'DELETE /v2/whep/sessions/{sessionId}': anothersStream,

  'GET /v2/rooms/{roomId}/live': watch,
  'POST /v2/rooms/{roomId}/entry-requests/respond': { needs: 'admit' },
  'POST /v2/sessions/participants/mute': moderate,
  'POST /v2/sessions/participants/ask': moderate,
  'POST /v2/rooms/{roomId}/messages': { needs: 'admit' },
  'GET /v2/rooms/{roomId}/messages': watch,
  'GET /v2/rooms/{roomId}/values/{key}': watch,
  'PUT /v2/rooms/{roomId}/values/{key}': { needs: 'admit' },
  'GET /v2/rooms/{roomId}/removals': watch,
  // The removal in the table was made by a moderator.
  'POST /v2/rooms/{roomId}/removals/lift': { needs: 'allow_mod' },
  'GET /v2/rooms/{roomId}/let-in-always': configure,
  'POST /v2/rooms/{roomId}/let-in-always/lift': configure,

  'GET /v2/webhooks/deliveries': manage,
  'GET /v2/webhooks/deliveries/{deliveryId}': manage,
  'POST /v2/webhooks/deliveries/{deliveryId}/replay': manage,
  'POST /v2/webhooks/deliveries/replay': { needs: 'allow_mod', about: 'project' },
  'POST /v2/tokens/revoke': { needs: 'allow_mod', about: 'project' },
  'GET /v2/tokens/revoked': { needs: 'allow_mod', about: 'project' },
}

interface Kind {
  name: string
  permissions: string[]
  roles?: ('crawler' | 'rtc')[]
  /** The meeting of the token: that of the call, or another. */
  room?: 'own' | 'other'
  /** Whether the token is bound to a participant that no call concerns. */
  participant?: true
}

const kinds: Kind[] = [
  { name: 'ask_join', permissions: ['ask_join'] },
  { name: 'allow_join', permissions: ['allow_join'] },
  { name: 'allow_mod', permissions: ['allow_mod'] },
  { name: 'allow_join and allow_mod', permissions: ['allow_join', 'allow_mod'] },
  { name: 'an unknown permission', permissions: ['dance'] },
  { name: 'permissions that contradict each other', permissions: ['ask_join', 'allow_mod'] },
  { name: 'for management', permissions: ['allow_join'], roles: ['crawler'] },
  { name: 'for management, of a moderator', permissions: ['allow_mod'], roles: ['crawler'] },
  { name: 'for management, of one who asks', permissions: ['ask_join'], roles: ['crawler'] },
  { name: 'for joining alone', permissions: ['allow_join'], roles: ['rtc'] },
  { name: 'for joining alone, of a moderator', permissions: ['allow_mod'], roles: ['rtc'] },
  { name: 'for joining and management', permissions: ['allow_join'], roles: ['rtc', 'crawler'] },
  { name: 'for the meeting', permissions: ['allow_mod'], room: 'own' },
  { name: 'for another meeting', permissions: ['allow_mod'], room: 'other' },
  { name: 'for a participant', permissions: ['allow_join'], participant: true },
  { name: 'for a participant who moderates', permissions: ['allow_mod'], participant: true },
]

/** The codes with which a call may be refused; undefined if it must succeed. */
type Expected = { codes: string[] } | undefined

const NO_TOKEN = ['INVALID_TOKEN']

function expected(row: Row, kind: Kind, moderation: 'grant' | 'open'): Expected {
  const { roles, permissions, room } = kind
  const codes: string[] = []
  const { role = 'crawler', needs } = row
  if (role !== 'any' && roles && !roles.includes(role)) codes.push('UNAUTHORIZED_ROLE')
  const way = wayIn(permissions)
  const manages = role === 'crawler' && roles?.includes('crawler')
  const has: Record<Needs, boolean> = {
    nothing: true,
    entry: way !== undefined,
    admit: way === 'direct' || way === 'moderator',
    moderate: way === 'moderator' || (way === 'direct' && moderation === 'open'),
    allow_mod: way === 'moderator',
    inside: false,
  }
  if (needs === 'inside') codes.push('UNAUTHORIZED_REQUEST')
  else if (!manages && !has[needs]) codes.push('INVALID_PERMISSIONS')
  else if (row.isAnothers && !manages && way !== 'moderator') codes.push('UNAUTHORIZED_REQUEST')
  if (room === 'other' || (room === 'own' && row.about !== undefined)) codes.push('UNAUTHORIZED_MEETING_ID')
  return codes.length === 0 ? undefined : { codes }
}

function wayIn(permissions: string[]): 'ask' | 'direct' | 'moderator' | undefined {
  switch (permissions.join()) {
    case 'ask_join':
      return 'ask'
    case 'allow_join':
      return 'direct'
    case 'allow_mod':
    case 'allow_join,allow_mod':
      return 'moderator'
    default:
      return undefined
  }
}

/** Whether a participant can join with the token and be removed; a token without roles has both. */
const canBeRemoved = ({ permissions, roles, room }: Kind): boolean =>
  wayIn(permissions) !== undefined && (roles?.join() ?? 'rtc') === 'rtc' && room !== 'other'

const REVOKED_KEY = { apiKey: 'key-that-was-revoked', secret: 'the-secret-of-the-key-that-was-revoked' }

const servers: Partial<Record<'grant' | 'open', TestServer>> = {}
let document: any
let elsewhere: string
before(async () => {
  for (const moderation of ['grant', 'open'] as const) {
    const server = await TestServer.start({ moderation, webhookAllowPrivate: true })
    servers[moderation] = server
    const store = await openStore({ folder: server.config.dataDir })
    const [project] = await store.projects.list()
    const other = 'f'.repeat(24)
    await store.projects.create({ projectId: other, name: 'another', createdAt: Date.now(), webhook: null })
    const key = { name: 'test', createdAt: Date.now(), lastUsedAt: null, origins: null }
    await store.keys.create({ ...OTHER, ...key, projectId: other, revokedAt: null })
    await store.keys.create({ ...REVOKED_KEY, ...key, projectId: project!.projectId, revokedAt: Date.now() })
    await store.close()
    await server.restart()
  }
  document = await (await fetch(`${servers.grant!.url}/openapi.json`)).json()
  elsewhere = await servers.grant!.createMeeting()
})
after(() => Promise.all(Object.values(servers).map((server) => server.stop())))

const securityOf = (key: string): Record<string, string[]>[] => {
  const [verb = '', path = ''] = key.split(' ')
  return document.paths[path][verb.toLowerCase()].security ?? []
}

test('every operation that takes a token has a row in the table, and names the permission it needs', () => {
  const withToken = Object.keys(calls).filter((key) => securityOf(key).some((way) => 'token' in way))
  assert.deepEqual(withToken.sort(), Object.keys(policy).sort())
  for (const [key, row] of Object.entries(policy)) {
    const named = securityOf(key).flatMap(({ token }) => token)
    const all: Record<Needs, string[]> = {
      nothing: [],
      inside: [],
      entry: ['allow_join', 'allow_mod', 'ask_join'],
      admit: ['allow_join', 'allow_mod'],
      moderate: ['allow_mod'],
      allow_mod: ['allow_mod'],
    }

    // The owner of the removal or invite matters too.
    const isAboutAnothers = key.endsWith('/removals/lift') || key.endsWith('{inviteId}/revoke')
    assert.deepEqual(named, all[isAboutAnothers ? 'admit' : row.needs], key)
  }
})

interface Answer {
  status: number
  code: string | undefined
}

async function send(server: TestServer, key: string, call: Call, authorization: string): Promise<Answer> {
  const [method = '', path = ''] = key.split(' ')
  const address = path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(call.path![name]!))
  const query = call.query ? `?${new URLSearchParams(call.query)}` : ''
  const answer = await fetch(server.url + address + query, {
    method,
    headers: {
      ...(authorization !== '' && { authorization }),
      ...bodyTypeOf(call),
      ...call.headers,
    },
    ...bodyOf(call),
  })
  const text = await answer.text()
  if (answer.ok) return { status: answer.status, code: undefined }
  const body = JSON.parse(text) as { code: string | number; name?: string }
  return { status: answer.status, code: body.name ?? String(body.code) }
}

const management = (server: TestServer): string => server.token(['allow_mod'], { roles: ['crawler'] })

/** The meeting of a call, if it has one. */
async function roomOf(
  server: TestServer,
  { path = {}, query = {}, body, roomId: room }: Call,
): Promise<string | undefined> {
  const { roomId } = (body ?? {}) as { roomId?: string }
  const named = room ?? path.id ?? path.roomId ?? path.meetingId ?? query.roomId ?? roomId
  const get = async (at: string): Promise<any> =>
    (await server.rest('GET', at, undefined, management(server))).body
  if (named !== undefined) return (await get(`/v2/rooms/${encodeURIComponent(named)}`)).roomId
  if (path.sessionId !== undefined) return (await get(`/v2/sessions/${path.sessionId}`)).roomId
  if (path.deliveryId !== undefined) return (await get(`/v2/webhooks/deliveries/${path.deliveryId}`)).roomId
  return undefined
}

/** Everything that the calls could change, as far as it does not change by itself. */
async function stateOf(server: TestServer, key: string, roomId: string | undefined): Promise<string> {
  const token = management(server)
  const get = async (path: string): Promise<unknown> =>
    (await server.rest('GET', path, undefined, token)).body
  const paths = [
    ...(roomId === undefined
      ? []
      : [
          `/v2/rooms/${roomId}`,
          `/v2/rooms/${roomId}/live`,
          `/v2/rooms/${roomId}/removals`,
          `/v2/rooms/${roomId}/let-in-always`,
          `/v2/rooms/${roomId}/messages`,
          `/v2/rooms/${roomId}/values/slide`,
          `/v2/invites?roomId=${roomId}`,
          `/v2/sessions?roomId=${roomId}`,
        ]),
  ]
  const all = await Promise.all(paths.map(get))
  // Each test revokes its own tokens, several at once.
  if (key === 'POST /v2/tokens/revoke') {
    const { body } = await server.rest('GET', '/v2/tokens/revoked?perPage=100', undefined, token)
    all.push(body.data.some(({ jti }: { jti: string }) => jti === 'documented'))
  }
  return JSON.stringify(all, (name, value: unknown) =>
    name === 'activeDuration' || name === 'quality' ? undefined : value,
  )
}

let participants = 0
/** Joins a meeting with this token, and is removed from it. */
async function removedFrom(
  server: TestServer,
  meetingId: string,
  token: string,
  participantId: string,
): Promise<void> {
  const client = server.connect({ meetingId, token, participantId })
  await client.enter()
  if (!client.heard.some(({ method }) => method === 'entryResponded'))
    await server.rest(
      'POST',
      `/v2/rooms/${meetingId}/entry-requests/respond`,
      { participantId, decision: 'allowed' },
      management(server),
    )
  await client.hears('entryResponded', ({ decision }) => decision === 'allowed')
  await client.finishJoin()
  const { status } = await server.rest(
    'POST',
    '/v2/sessions/participants/remove',
    { roomId: meetingId, participantId },
    management(server),
  )
  assert.equal(status, 200)
}

function tokenOf(
  server: TestServer,
  kind: Kind,
  roomId: string | undefined,
  changes: object = {},
): { token: string; participantId: string } {
  const participantId = `self-${++participants}`
  const token = signAnything({
    apikey: API_KEY,
    permissions: kind.permissions,
    ...(kind.roles && { roles: kind.roles }),
    ...(kind.room && { roomId: kind.room === 'own' ? (roomId ?? elsewhere) : elsewhere }),
    ...(kind.participant && { participantId }),
    ...changes,
  })
  return { token, participantId }
}

for (const moderation of ['grant', 'open'] as const) {
  describe(
    `every operation by every kind of token, with MODERATION=${moderation}`,
    { concurrency: 4 },
    () => {
      for (const [key, row] of Object.entries(policy)) {
        // `MODERATION` does not affect the other calls.
        if (moderation === 'open' && row.needs !== 'moderate' && row.needs !== 'allow_mod') continue
        test(key, async () => {
          const server = servers[moderation]!
          const stage = new Stage(server)
          const call = await calls[key]!(stage)
          const roomId = await roomOf(server, call)
          // With a running session, so that somebody can be removed.
          const keeper = roomId ?? (await server.createMeeting())
          await server
            .connect({ meetingId: keeper, token: server.token(['allow_join']), participantId: 'keeper' })
            .join()

          const mayOnceInside = (kind: Kind): boolean =>
            canBeRemoved(kind) && (row.needs === 'inside' || !expected(row, kind, moderation))
          const removed = await Promise.all(
            kinds.filter(mayOnceInside).map(async (kind) => {
              const { token, participantId } = tokenOf(server, kind, keeper)
              await removedFrom(server, keeper, token, participantId)
              // Another token of the same participant is refused too.
              return kind.participant
                ? [token, tokenOf(server, kind, keeper, { participantId }).token].map((one) => ({
                    kind,
                    token: one,
                  }))
                : [{ kind, token }]
            }),
          ).then((all) => all.flat())
          const revokedToken = await revoked(server)
          const before = await stateOf(server, key, roomId)

          const refusals: [what: string, token: string, codes: string[], status?: number][] = [
            ['no token', '', NO_TOKEN, 401],
            ['junk', 'junk', NO_TOKEN, 401],
            [
              'a forged token',
              signAnything({ apikey: API_KEY, permissions: ['allow_mod'] }, 'not-the-secret'),
              NO_TOKEN,
              401,
            ],
            [
              'an expired token',
              signAnything({ apikey: API_KEY, permissions: ['allow_mod'], exp: 1000 }),
              NO_TOKEN,
              401,
            ],
            ['the admin key', `Bearer ${ADMIN_KEY}`, NO_TOKEN, 401],
            [
              'an API key and its secret',
              `Basic ${Buffer.from(`${API_KEY}:${SECRET}`).toString('base64')}`,
              NO_TOKEN,
              401,
            ],
            ['an unknown key', server.token(['allow_mod'], { apiKey: 'nobody' }), ['INVALID_API_KEY'], 401],
            ['a revoked key', server.token(['allow_mod'], REVOKED_KEY), ['APIKEY_DEACTIVATED'], 401],
            ['a revoked token', revokedToken, NO_TOKEN, 401],
          ]
          if (roomId !== undefined && row.about === undefined) {
            const other = server.token(['allow_mod'], {
              ...OTHER,
              ...(row.role === 'rtc' ? {} : { roles: ['crawler', 'rtc'] }),
            })
            // A list for a missing meeting is empty.
            if (!listsNothing.has(key))
              refusals.push(['another project', other, ['INVALID_MEETING_ID', 'NOT_FOUND']])
          }
          for (const kind of kinds) {
            const { codes } = expected(row, kind, moderation) ?? {}
            if (codes) refusals.push([kind.name, tokenOf(server, kind, roomId).token, codes])
          }
          if (row.about !== 'create') {
            for (const { kind, token } of removed)
              refusals.push([`removed: ${kind.name}`, token, ['REMOVED_FROM_SESSION']])
          }
          for (const [what, token, codes, status] of refusals) {
            const answer = await send(server, key, call, token)
            assert.ok(
              answer.status >= 400 && answer.status < 500 && codes.includes(answer.code!),
              `${what} is answered ${answer.status} ${answer.code} and not ${codes.join(' or ')}`,
            )
            if (status !== undefined) assert.equal(answer.status, status, what)
          }
          assert.equal(await stateOf(server, key, roomId), before, 'what was refused changed nothing')

          for (const kind of kinds) {
            if (expected(row, kind, moderation)) continue
            // A call that changes something needs an object of its own.
            const own = key.startsWith('GET ') ? call : await calls[key]!(stage)
            const { token } = tokenOf(server, kind, await roomOf(server, own))
            const answer = await send(server, key, own, token)
            assert.equal(
              answer.status,
              own.status ?? 200,
              `${kind.name} is answered ${answer.status} ${answer.code}`,
            )
          }
          if (row.needs === 'inside') {
            const own = await calls[key]!(stage)
            assert.equal((await send(server, key, own, own.authorization!)).status, 200)
          }
        })
      }
    },
  )
}

async function revoked(server: TestServer): Promise<string> {
  const jti = `revoked-${++participants}`
  const { status } = await server.rest('POST', '/v2/tokens/revoke', { jti }, management(server))
  assert.equal(status, 200)
  return server.token(['allow_join', 'allow_mod'], { jti })
}

describe('operations without a token accept none', () => {
  for (const key of Object.keys(calls).filter(
    (one) =>
      /^\S+ \/v2\/admin\//.test(one) && !/\/(sign-in|look|accept|oidc\/start|oidc\/callback)$/.test(one),
  )) {
    test(key, async () => {
      const server = servers.grant!
      const call = await calls[key]!(new Stage(server))
      for (const kind of kinds) {
        const { token } = tokenOf(server, kind, elsewhere)
        for (const shown of [token, `Bearer ${token}`])
          assert.deepEqual(
            await send(server, key, call, shown),
            { status: 401, code: 'UNAUTHORIZED' },
            kind.name,
          )
      }
    })
  }
})
