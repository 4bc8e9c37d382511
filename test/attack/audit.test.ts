/**
 * The audit log: what each operation of the REST API leaves in it, as a table of its own, so that it does not follow from the program; that
 * no secret gets in, and that nothing gets out.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { recordingOrder } from '../../src/meeting/outputs/orders.ts'
import { bodyOf, bodyTypeOf, calls, Stage, type Call } from '../support/rest-calls.ts'
import { ADMIN_KEY, TestServer } from '../support/test-server.ts'

/** The action of each operation that changes something; null: nothing is kept. */
const actions: Record<string, string | null> = {
  'POST /v2/admin/sign-in': 'sign-in.enter',
  'POST /v2/admin/sign-out': 'sign-in.leave',
  'POST /v2/admin/password': 'sign-in.password',
  'POST /v2/admin/sign-ins/{signInId}/end': 'sign-in.end',
  'POST /v2/admin/second-factor/begin': null,
  'POST /v2/admin/second-factor/confirm': 'second-factor.enable',
  'POST /v2/admin/second-factor/recovery-codes': 'second-factor.recovery-codes',
  'POST /v2/admin/second-factor/disable': 'second-factor.disable',
  'PUT /v2/admin/second-factor/required': 'second-factor.require',
  'POST /v2/admin/operators/{operatorId}/second-factor-reset': 'second-factor.reset',
  'PATCH /v2/admin/operators/{operatorId}': 'operator.change',
  'DELETE /v2/admin/operators/{operatorId}': 'operator.delete',
  'POST /v2/admin/operators/{operatorId}/password-link': 'operator.password-link',
  'POST /v2/admin/operator-invites': 'operator.invite',
  'POST /v2/admin/operator-invites/{inviteId}/revoke': 'operator.invite-revoke',
  'POST /v2/admin/operator-invites/look': null,
  'POST /v2/admin/operator-invites/accept': 'operator.accept',
  'POST /v2/admin/projects': 'project.create',
  'PATCH /v2/admin/projects/{projectId}': 'project.change',
  'POST /v2/admin/projects/{projectId}/people/export': 'person.export',
  'POST /v2/admin/projects/{projectId}/people/erase': 'person.erase',
  'POST /v2/admin/keys': 'key.create',
  'PATCH /v2/admin/keys/{apiKey}': 'key.change',
  'POST /v2/admin/keys/{apiKey}/rotate': 'key.rotate',
  'POST /v2/admin/keys/{apiKey}/revoke': 'key.revoke',
  'POST /v2/admin/projects/{projectId}/token': 'token.mint',
  'POST /v2/admin/token/inspect': null,
  // A server alone has no nodes to drain.
  'POST /v2/admin/nodes/{nodeId}/drain': null,
  'DELETE /v2/admin/nodes/{nodeId}/drain': null,
  'POST /v2/tokens/revoke': 'token.revoke',
  'POST /v2/rooms': 'meeting.create',
  'POST /v1/meetings': 'meeting.create',
  'POST /api/meetings': 'meeting.create',
  'POST /create-meeting': 'meeting.create',
  'POST /create-room': 'meeting.create',
  'POST /v1/prebuilt/meetings/{id}': 'meeting.create',
  'POST /v2/rooms/deactivate': 'meeting.deactivate',
  'PUT /v2/rooms/{roomId}/knock': 'meeting.knock',
  'POST /v2/rooms/{roomId}/entry-requests/respond': 'meeting.respond',
  'POST /v2/rooms/{roomId}/messages': 'meeting.message',
  'PUT /v2/rooms/{roomId}/values/{key}': 'meeting.value',
  'POST /v2/rooms/{roomId}/removals/lift': 'participant.readmit',
  'POST /v2/rooms/{roomId}/let-in-always/lift': 'participant.ask-again',
  'POST /v2/sessions/participants/mute': 'participant.mute',
  'POST /v2/sessions/participants/ask': 'participant.ask',
  'POST /v2/sessions/participants/remove': 'participant.remove',
  'POST /v1/meeting-sessions/{sessionId}/remove-participant': 'participant.remove',
  'POST /v2/sessions/end': 'session.end',
  'POST /v1/meeting-sessions/{sessionId}/end': 'session.end',
  'POST /v2/invites': 'invite.create',
  'POST /v2/invites/{inviteId}/revoke': 'invite.revoke',
  'POST /v2/webhooks/deliveries/{deliveryId}/replay': 'webhook.replay',
  'POST /v2/webhooks/deliveries/replay': 'webhook.replay-all',
  'POST /v2/recordings/start': 'recording.start',
  'POST /v2/recordings/end': 'recording.stop',
  'POST /v2/recordings/stop': 'recording.stop',
  'DELETE /v2/recordings/{id}': 'recording.delete',
  'POST /v2/recordings/participant/start': 'participant-recording.start',
  'POST /v2/recordings/participant/stop': 'participant-recording.stop',
  'DELETE /v2/recordings/participant/{id}': 'participant-recording.delete',
  'POST /v2/recordings/participant/track/start': 'track-recording.start',
  'POST /v2/recordings/participant/track/stop': 'track-recording.stop',
  'DELETE /v2/recordings/participant/track/{id}': 'track-recording.delete',
  'POST /v2/recordings/participant/merge': 'transcoding.start',
  'POST /v2/recordings/composite/start': 'composite-recording.start',
  'POST /v2/recordings/composite/stop': 'composite-recording.stop',
  'DELETE /v2/recordings/composite/{id}': 'composite-recording.delete',
  'POST /v2/hls/start': 'hls.start',
  'POST /v2/hls/end': 'hls.stop',
  'POST /v2/hls/stop': 'hls.stop',
  'POST /v2/hls/capture': 'hls.capture',
  'DELETE /v2/hls/{id}': 'hls.delete',
  'POST /v2/livestreams/start': 'livestream.start',
  'POST /v2/livestreams/end': 'livestream.stop',
  'POST /v2/livestreams/stop': 'livestream.stop',
  'POST /v2/transcodings/merge': 'transcoding.start',
  'POST /v2/transcodings/hls-to-mp4': 'transcoding.start',
  'POST /v2/transcodings/meeting-recording-merge': 'transcoding.start',
  'POST /v2/transcodings/{id}/cancel': 'transcoding.cancel',
  'POST /ai/v1/realtime-transcriptions/start': 'transcription.start',
  'POST /ai/v1/realtime-transcriptions/end': 'transcription.stop',
}
/** Called by apps and participants, and changing nothing that an operator answers for. */
const OF_APPS = new Set([
  'POST /infra/v1/meetings/init-config',
  'POST /base64-upload',
  'POST /v1/prebuilt/token',
  'POST /invites/exchange',
  'POST /page/start',
  'POST /page/knock',
  'POST /validate-meeting/{id}',
  'POST /validate-room/{id}',
  'POST /v2/rooms/validate/{id}',
  'POST /v1/meetings/{id}',
  'POST /api/meetings/{id}',
  'POST /v2/whip',
  'POST /whip/{meetingId}',
  'POST /v2/whep',
  'POST /whep/{meetingId}/{participantId}',
  'PATCH /v2/whip/sessions/{sessionId}',
  'DELETE /v2/whip/sessions/{sessionId}',
  'PATCH /v2/whep/sessions/{sessionId}',
  'DELETE /v2/whep/sessions/{sessionId}',
])
/** By those who have no sign-in yet. */
const OPEN = new Set([
  'POST /v2/admin/sign-in',
  'POST /v2/admin/operator-invites/look',
  'POST /v2/admin/operator-invites/accept',
])

/** About the caller, or about all there is. */
const WITHOUT_SUBJECT = new Set([
  'sign-in.leave',
  'sign-in.password',
  'second-factor.require',
  'webhook.replay-all',
])
/** Done with an app and its codes, in second-factor.test.ts. */
const WITH_CODES = /second-factor\/(begin|confirm|recovery-codes|disable)$/
/** These end the caller's sign-in. */
const ENDING = new Set(['POST /v2/admin/sign-out', 'POST /v2/admin/password'])

const PASSWORD = 'a password of enough length'
let server: TestServer
let stage: Stage
let projectId: string
let first: Awaited<ReturnType<Stage['operator']>>
before(async () => {
  server = await TestServer.start({ webhookAllowPrivate: true })
  stage = new Stage(server)
  first = await stage.operator('owner')
  projectId = (await server.admin('GET', '/v2/admin/projects')).body.data[0].projectId
})
after(() => server.stop())
/** Attempts to sign in are limited per minute. */
beforeEach(() => {
  server.aheadMs += 300_000
})

async function send(key: string, call: Call, headers: Record<string, string>) {
  const [method = '', path = ''] = key.split(' ')
  const address = path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(call.path![name]!))
  const answer = await fetch(
    server.url + address + (call.query ? `?${new URLSearchParams(call.query)}` : ''),
    {
      method,
      headers: {
        ...bodyTypeOf(call),
        ...call.headers,
        origin: server.url,
        'x-requested-with': 'test',
        ...headers,
      },
      ...bodyOf(call),
    },
  )
  return { status: answer.status, text: await answer.text() }
}

const log = async (query = ''): Promise<any[]> =>
  (await server.admin('GET', `/v2/admin/audit?perPage=100${query}`)).body.data
const newest = async (): Promise<number> => (await log())[0]?.number ?? 0
const since = async (number: number): Promise<any[]> => (await log()).filter((entry) => entry.number > number)
async function exported(format: string, query = ''): Promise<string> {
  const answer = await fetch(`${server.url}/v2/admin/audit/export?format=${format}${query}`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  assert.equal(answer.status, 200)
  return answer.text()
}

test('every operation that may change something has a row in the tables', async () => {
  const { paths } = await (await fetch(`${server.url}/openapi.json`)).json()
  const changing = Object.entries<any>(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((verb) => verb !== 'get')
      .map((verb) => `${verb.toUpperCase()} ${path}`),
  )
  assert.deepEqual(changing.toSorted(), [...Object.keys(actions), ...OF_APPS].toSorted())
})

const secrets = new Set<string>([ADMIN_KEY, PASSWORD])
/** Finds what an answer or a body says once and for all. */
function remember(text: string): void {
  for (const [, secret] of text.matchAll(/"(?:secret|token|code|password|current)":"([^"]+)"/g))
    if (secret!.length >= 10) secrets.add(secret!)
  for (const [, code] of text.matchAll(/#invite=([\w-]+)/g)) secrets.add(code!)
}

describe('what an operation of an owner leaves in the log', () => {
  for (const [key, action] of Object.entries(actions)) {
    if (WITH_CODES.test(key)) continue
    test(key, async () => {
      const owner = ENDING.has(key) ? await stage.operator('owner') : first
      secrets.add(owner.cookie.split('=')[1]!)
      let call = await calls[key]!(stage)
      if (key === 'POST /v2/admin/password')
        call = { body: { password: 'another password', current: PASSWORD } }
      remember(JSON.stringify(call.body ?? ''))
      const before = await newest()
      const inProject = key.includes('/v2/admin/') ? {} : { 'x-anteroom-project': projectId }
      const { status, text } = await send(
        key,
        call,
        OPEN.has(key) ? {} : { cookie: owner.cookie, ...inProject },
      )
      assert.equal(status, call.status ?? 200, text)
      remember(text)
      const entries = await since(before)
      assert.deepEqual(
        entries.map((entry) => [entry.action, entry.outcome]),
        action === null ? [] : [[action, 'done']],
      )
      if (action === null) return
      const [entry] = entries
      assert.equal(entry.actor, 'operator')
      if (!OPEN.has(key)) assert.deepEqual([entry.actorId, entry.actorName], [owner.operatorId, owner.name])
      assert.equal(entry.address, '127.0.0.1')
      if (!WITHOUT_SUBJECT.has(action)) assert.ok(entry.subject, 'what was acted on')
    })
  }
})

test('“Who deleted that recording?” has an answer: an operator, an app, or nobody', async () => {
  const operator = await stage.operator('operator')
  const order = recordingOrder({}, 'http://localhost')
  const [byOperator, byApp] = [await stage.output(order), await stage.output(order)]
  const path = (id: string): Call => ({ path: { id } })
  await send('DELETE /v2/recordings/{id}', path(byOperator.outputId), {
    cookie: operator.cookie,
    'x-anteroom-project': projectId,
  })
  await send('DELETE /v2/recordings/{id}', path(byApp.outputId), {
    authorization: server.token(['allow_join', 'allow_mod'], { jti: 'the app' }),
  })
  const [first] = await log(`&subject=${byOperator.outputId}&action=recording.delete`)
  assert.deepEqual([first.actor, first.actorName, first.role], ['operator', operator.name, 'operator'])
  assert.equal(first.meetingId, byOperator.roomId)
  const [second] = await log(`&subject=${byApp.outputId}&action=recording.delete`)
  assert.deepEqual([second.actor, second.actorId, second.actorName], ['token', 'test-key', 'jti:the app'])
})

test('failed sign-ins are kept, without what was typed as a name', async () => {
  const { name, operatorId } = await stage.operator()
  const before = await newest()
  const typed = 'a password typed as a name'
  await send('POST /v2/admin/sign-in', { body: { name, password: 'wrong' } }, {})
  await send('POST /v2/admin/sign-in', { body: { name: typed, password: 'wrong' } }, {})
  await send(
    'POST /v2/admin/operator-invites/accept',
    { body: { code: 'x'.repeat(24), password: PASSWORD } },
    {},
  )
  const entries = (await since(before)).toReversed()
  assert.deepEqual(
    entries.map(({ action, outcome, code, actor, actorName, subject }) => [
      action,
      outcome,
      code,
      actor,
      actorName,
      subject,
    ]),
    [
      ['sign-in.enter', 'refused', 'UNAUTHORIZED', 'nobody', name, operatorId],
      ['sign-in.enter', 'refused', 'UNAUTHORIZED', 'nobody', null, null],
      ['operator.accept', 'refused', 'UNAUTHORIZED', 'nobody', null, null],
    ],
  )
  secrets.add(typed)
})

test('who is refused without a limit leaves nothing: nobody can fill the log', async () => {
  const before = await newest()
  const foreign = { origin: 'https://evil.example' }
  const body = { name: 'owner', password: 'wrong' }
  assert.equal((await send('POST /v2/admin/sign-in', { body }, foreign)).status, 403)
  const accepted = { code: 'x'.repeat(24), password: PASSWORD }
  assert.equal(
    (await send('POST /v2/admin/operator-invites/accept', { body: accepted }, foreign)).status,
    403,
  )
  for (const key of [
    'POST /v2/admin/password',
    'POST /v2/admin/second-factor/confirm',
    'POST /v2/admin/second-factor/disable',
  ]) {
    assert.equal((await send(key, { body: {} }, {})).status, 401)
    assert.equal((await send(key, { body: {} }, { cookie: first.cookie, ...foreign })).status, 403)
  }
  assert.deepEqual(await since(before), [])
})

test('the log is filtered, paged and exported', async () => {
  const owner = await stage.operator('owner')
  const ids: string[] = []
  for (const name of ['=1+1', 'Two', 'Three']) {
    const { text } = await send('POST /v2/admin/projects', { body: { name } }, { cookie: owner.cookie })
    ids.push(JSON.parse(text).projectId)
  }
  const of = `&actorId=${owner.operatorId}`
  assert.deepEqual(
    (await log(`${of}&action=project`)).map(({ subject }) => subject),
    ids.toReversed(),
  )
  const page = await server.admin('GET', `/v2/admin/audit?page=2&perPage=2&action=project${of}`)
  assert.deepEqual(page.body.pageInfo, { currentPage: 2, perPage: 2, lastPage: 2, total: 3 })
  assert.deepEqual(
    page.body.data.map(({ subject }: any) => subject),
    [ids[0]],
  )
  const at = (await log(of))[0].at as number
  assert.equal((await log(`${of}&from=${at + 1}`)).length, 0)
  assert.ok((await log(`${of}&to=${at}`)).length >= 3)
  assert.deepEqual(await log(`${of}&outcome=refused`), [])
  const csv = (await exported('csv', `${of}&action=project.create`)).trim().split('\r\n')
  assert.match(csv[0]!, /^"number","at","actor"/)
  assert.deepEqual(
    csv.slice(1).map((row) => ids.findIndex((id) => row.includes(id))),
    [0, 1, 2],
  )
  const lines = (await exported('jsonl', of))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.filter(({ action }) => action === 'project.create').map(({ subject }) => subject),
    ids,
  )
  const refused = await server.admin('GET', '/v2/admin/audit?action=project%25')
  assert.equal(refused.status, 400)
})

test('no secret is in the log', async () => {
  assert.ok(secrets.size > 8, 'the tests before this one met secrets')
  const text = await exported('jsonl')
  for (const secret of secrets) assert.ok(!text.includes(secret), `the log has ${secret}`)
})
