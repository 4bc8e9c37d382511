/** People whom a moderator lets in for good: who may decide that, whom it is about, and how it ends. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start({ sessionGraceSeconds: 1 })
})
after(() => server.stop())

const refused = (code: number, name: string) => (error: unknown) =>
  error instanceof WireError && error.code === code && error.errorName === name

const guestToken = (participantId?: string): string =>
  server.token(['ask_join'], participantId === undefined ? {} : { participantId })

async function inside(meetingId: string, participantId: string, token: string): Promise<WireClient> {
  const client = server.connect({ token, meetingId, participantId, name: participantId })
  await client.join()
  return client
}

const host = (meetingId: string): Promise<WireClient> =>
  inside(meetingId, 'host', server.token(['allow_mod'], { participantId: 'host' }))

/** Asks; the host answers. */
async function letIn(by: WireClient, meetingId: string, id: string, token: string): Promise<WireClient> {
  by.heard.length = 0
  const client = server.connect({ token, meetingId, participantId: id, name: id })
  const joining = client.join()
  await by.hears('entryRequested', (request) => request.id === id)
  await by.request('respondEntry', { id, decision: 'allowed', always: true })
  await joining
  return client
}

/** Whether this person has to ask. */
async function asks(by: WireClient, meetingId: string, id: string, token: string): Promise<boolean> {
  by.heard.length = 0
  const client = server.connect({ token, meetingId, participantId: id, name: id })
  await client.enter()
  const asked = await Promise.race([
    client.hears('entryResponded', (answer) => answer.id === id).then(() => false),
    by.hears('entryRequested', (request) => request.id === id).then(() => true),
  ])
  client.close()
  await client.gone()
  return asked
}

const list = async (meetingId: string): Promise<unknown[]> =>
  (await server.rest('GET', `/v2/rooms/${meetingId}/let-in-always`)).body.data
const lift = (meetingId: string, participantId: string, token?: string) =>
  server.rest('POST', `/v2/rooms/${meetingId}/let-in-always/lift`, { participantId }, token)

test('let in always: only a moderator decides it, sees it and lifts it', async () => {
  const meetingId = await server.createMeeting()
  const admitter = await inside(meetingId, 'admitter', server.token(['allow_join']))
  const mod = await host(meetingId)
  const guest = server.connect({ token: guestToken(), meetingId, participantId: 'ann', name: 'ann' })
  const joining = guest.join()
  await admitter.hears('entryRequested')
  const always = { id: 'ann', decision: 'allowed', always: true }
  await assert.rejects(admitter.request('respondEntry', always), refused(4008, 'INVALID_PERMISSIONS'))
  // A co-host moderates for this session alone.
  await mod.request('setCoHost', { peerId: 'admitter', coHost: true })
  await assert.rejects(admitter.request('respondEntry', always), refused(4008, 'INVALID_PERMISSIONS'))
  assert.deepEqual(await list(meetingId), [])
  await admitter.request('respondEntry', { id: 'ann', decision: 'allowed' })
  await joining
  assert.deepEqual(await list(meetingId), [], 'for this session')
  const joins = server.token(['allow_join'])
  assert.equal((await lift(meetingId, 'ann', joins)).status, 403)
  assert.equal(
    (await server.rest('GET', `/v2/rooms/${meetingId}/let-in-always`, undefined, joins)).status,
    403,
  )
  assert.equal((await lift(meetingId, 'ann')).status, 404)
  for (const one of [guest, admitter, mod]) one.close()
})

test('let in always: a backend decides it over REST, with a token that moderates', async () => {
  const meetingId = await server.createMeeting()
  const mod = await host(meetingId)
  const token = guestToken()
  const guest = server.connect({ token, meetingId, participantId: 'ann', name: 'ann' })
  const joining = guest.join()
  await mod.hears('entryRequested')
  const respond = (by?: string) =>
    server.rest(
      'POST',
      `/v2/rooms/${meetingId}/entry-requests/respond`,
      { participantId: 'ann', decision: 'allowed', always: true },
      by,
    )
  assert.equal((await respond(server.token(['allow_join']))).status, 403)
  assert.deepEqual(await list(meetingId), [])
  assert.equal((await respond()).status, 200)
  await joining
  assert.equal((await list(meetingId)).length, 1)
  for (const one of [guest, mod]) one.close()
})

test('let in always: the same person comes in without asking, nobody else does, until it is lifted', async () => {
  const meetingId = await server.createMeeting()
  const token = guestToken()
  let mod = await host(meetingId)
  ;(await letIn(mod, meetingId, 'ann', token)).close()
  const [entry] = (await list(meetingId)) as [Record<string, unknown>]
  assert.deepEqual(
    [entry.participantId, entry.name, entry.admittedBy, entry.bound],
    ['ann', 'ann', 'host', false],
  )
  // In the next session, after a restart. In this one, she is let in anyway.
  const ended = server.sessionEnded(meetingId)
  mod.close()
  await ended
  await server.restart()
  mod = await host(meetingId)
  assert.equal(await asks(mod, meetingId, 'ann', token), false)
  assert.equal(await asks(mod, meetingId, 'ann', guestToken()), true, 'another token with this id')
  assert.equal(
    await asks(mod, meetingId, 'ann', guestToken('ann')),
    true,
    'a bound one: nobody said that it is hers',
  )
  assert.equal(await asks(mod, meetingId, 'bob', token), true, 'another id with this token')
  const elsewhere = await server.createMeeting()
  const other = await host(elsewhere)
  assert.equal(await asks(other, elsewhere, 'ann', token), true, 'another meeting')
  assert.equal((await lift(meetingId, 'ann')).status, 200)
  assert.deepEqual(await list(meetingId), [])
  assert.equal(await asks(mod, meetingId, 'ann', token), true)
  for (const one of [mod, other]) one.close()
})

test('let in always: a person whose tokens are bound to an id is known by it, and a locked meeting stays locked', async () => {
  const meetingId = await server.createMeeting()
  const mod = await host(meetingId)
  ;(await letIn(mod, meetingId, 'ann', guestToken('ann'))).close()
  assert.equal(await asks(mod, meetingId, 'ann', guestToken('ann')), false)
  assert.equal(await asks(mod, meetingId, 'ann', guestToken()), true, 'a token that is bound to nobody')
  await mod.request('setRules', { locked: true })
  const late = server.connect({ token: guestToken('ann'), meetingId, participantId: 'ann', name: 'ann' })
  await late.hears('connectionSuccess')
  await assert.rejects(late.request('requestEntry', {}), (error) => {
    return error instanceof WireError && error.errorName === 'MEETING_LOCKED'
  })
  mod.close()
})

for (const mayReturn of [true, false])
  test(`let in always: whoever is removed ${mayReturn ? 'for now' : 'for good'} has to ask again`, async () => {
    const meetingId = await server.createMeeting()
    const token = guestToken()
    const mod = await host(meetingId)
    const ann = await letIn(mod, meetingId, 'ann', token)
    await mod.request('removePeer', { peerId: 'ann', ...(mayReturn && { mayReturn }) })
    await ann.gone()
    assert.deepEqual(await list(meetingId), [])
    if (mayReturn) assert.equal(await asks(mod, meetingId, 'ann', token), true)
    mod.close()
  })
