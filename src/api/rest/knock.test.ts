/** Anybody who has a meeting's bare address may ask to join if the meeting allows it, and gets nothing else. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { openStore } from '../../store/open.ts'
import { ADMIN_KEY, TestServer } from '../../../test/support/test-server.ts'
import type { WireClient } from '../../../test/support/wire-client.ts'

const OTHER = { apiKey: 'key-of-the-other-project', secret: 'the-secret-of-the-other-project' }
let server: TestServer
let roomId: string
before(async () => {
  server = await TestServer.start({
    maxEntryRequests: 4,
    turnUrls: ['turn:turn.example'],
    turnSecret: 'a-turn-secret-for-tests-only',
  })
  const { dataDir: folder, masterKey, databaseUrl: url } = server.config
  const store = await openStore({ folder, masterKey, url })
  const projectId = 'f'.repeat(24)
  await store.projects.create({ projectId, name: 'another', createdAt: Date.now(), webhook: null })
  await store.keys.create({
    ...{ ...OTHER, projectId, name: 'test', createdAt: Date.now() },
    ...{ lastUsedAt: null, origins: ['https://app.example'], revokedAt: null },
  })
  await store.close()
  await server.restart()
})
after(() => server.stop())
beforeEach(async () => {
  // Knocks from one address are rate-limited.
  server.aheadMs += 60_000
  roomId = await server.createMeeting({ knock: true })
})

interface Knocked {
  token: string
  meetingId: string
  participantId: string
}

const knock = (meetingId: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.url}/page/knock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ meetingId }),
  })

async function knocked(meetingId = roomId): Promise<Knocked> {
  const answer = await knock(meetingId)
  assert.equal(answer.status, 200, await answer.clone().text())
  return (await answer.json()) as Knocked
}

async function refusal(meetingId: string, headers?: Record<string, string>): Promise<unknown> {
  const answer = await knock(meetingId, headers)
  const { code, message } = (await answer.json()) as { code: string; message: string }
  return { status: answer.status, code, message }
}

const guest = ({ token, meetingId, participantId }: Knocked, as = participantId): WireClient =>
  server.connect({ token, meetingId, participantId: as, name: 'Gus' })
const setKnock = (meetingId: string, allowed: boolean): Promise<{ status: number }> =>
  server.rest('PUT', `/v2/rooms/${meetingId}/knock`, { knock: allowed })

async function host(): Promise<WireClient> {
  const ann = server.connect({
    token: server.token(['allow_mod']),
    meetingId: roomId,
    participantId: 'ann',
    name: 'Ann',
  })
  await ann.join()
  return ann
}

test('a meeting that may not be knocked at is refused like one that does not exist', async () => {
  const disabled = await server.createMeeting()
  await server.rest('POST', '/v2/rooms/deactivate', { roomId: disabled })
  const other = server.token(['allow_mod'], OTHER)
  const ofOther = (await server.rest('POST', '/v2/rooms', { customRoomId: 'theirs', knock: true }, other))
    .body
  const nothing = await refusal('aaaa-bbbb-cccc')
  assert.deepEqual(nothing, {
    status: 404,
    code: 'NOT_FOUND',
    message: 'Nobody can ask to join at this address; ask for an invite link.',
  })
  for (const id of [
    await server.createMeeting(),
    await server.createMeeting({ knock: false }),
    disabled,
    'theirs',
    '../v2/rooms',
  ])
    assert.deepEqual(await refusal(id), nothing, id)
  assert.equal((await knock('')).status, 400)
  // Because the meeting allows knocking, its deactivation is no secret.
  await server.rest('POST', '/v2/rooms/deactivate', { roomId })
  assert.equal(((await refusal(roomId)) as { code: string }).code, 'MEETING_ID_DISABLED')
  // The key is limited to its origins; our own page and programs are always allowed.
  assert.equal((await knock(ofOther.roomId, { origin: 'https://evil.example' })).status, 403)
  assert.equal((await knock(ofOther.roomId, { origin: server.url })).status, 200)
})

test('the token asks, for one new participant of that meeting, and opens nothing else', async () => {
  const mine = await knocked()
  const claims = JSON.parse(Buffer.from(mine.token.split('.')[1]!, 'base64url').toString())
  assert.deepEqual(
    [claims.permissions, claims.roles, claims.roomId, claims.participantId],
    [['ask_join'], ['rtc'], roomId, mine.participantId],
  )
  await host()
  const elsewhere = await server.createMeeting({ knock: true })
  const codeOf = async (client: WireClient): Promise<unknown> => (await client.hears('error')).code
  assert.equal(await codeOf(guest({ ...mine, meetingId: elsewhere })), 4022)
  assert.equal(await codeOf(guest(mine, 'ann')), 4023)
  for (const [method, path, body] of [
    ['GET', `/v2/rooms/${roomId}/live`],
    ['GET', `/v2/rooms/${roomId}/knock`],
    ['GET', `/v2/rooms/${roomId}/inside`],
    ['PUT', `/v2/rooms/${roomId}/knock`, { knock: true }],
    ['POST', '/v2/invites', { roomId, entry: 'ask' }],
    ['POST', '/v2/rooms'],
    ['POST', `/v2/rooms/${roomId}/messages`, { topic: 'CHAT', message: 'x' }],
  ] as const)
    assert.ok((await server.rest(method, path, body, mine.token)).status >= 400, path)
  // A list of participants cannot contain somebody whose id was just created.
  const listed = await server.createMeeting({ knock: true, allowedParticipantIds: ['ann'] })
  assert.equal(await codeOf(guest(await knocked(listed))), 4023)
})

test('who knocks waits in the lobby, is let in or not, and is told of the relay only when let in', async () => {
  const ann = await host()
  const mine = await knocked()
  const relays = async (): Promise<number> =>
    (await server.rest('POST', '/infra/v1/meetings/init-config', { roomId }, mine.token)).body.data
      .iceServersPlain.length
  assert.equal(await relays(), 0)
  const gus = guest(mine)
  await gus.enter()
  await ann.hears('entryRequested', ({ id }) => id === mine.participantId)
  assert.equal(await relays(), 0)
  assert.ok(!gus.heard.some(({ method }) => method === 'entryResponded'))
  await ann.request('respondEntry', { id: mine.participantId, decision: 'allowed' })
  await gus.hears('entryResponded', ({ decision }) => decision === 'allowed')
  assert.equal(await relays(), 1)
  await gus.finishJoin()
  // After a removal, a person who knocks again is a stranger who must ask.
  await ann.request('removePeer', { peerId: mine.participantId })
  await gus.gone()
  await assert.rejects(guest(mine).enter(), { errorName: 'REMOVED_FROM_SESSION' })
  const again = await knocked()
  assert.notEqual(again.participantId, mine.participantId)
  const stranger = guest(again)
  await stranger.enter()
  await ann.hears('entryRequested', ({ id }) => id === again.participantId)
  await ann.request('respondEntry', { id: again.participantId, decision: 'denied' })
  await stranger.hears('entryResponded', ({ decision }) => decision === 'denied')
  assert.deepEqual(
    (await server.rest('GET', `/v2/rooms/${roomId}/live`)).body.participants.map(
      ({ participantId }: { participantId: string }) => participantId,
    ),
    ['ann'],
  )
})

test('knocks leave half of the lobby to others, thousands of them cost nothing, and an address has a pace', async () => {
  await host()
  server.stillAt = Date.now()
  try {
    const held = [guest(await knocked()), guest(await knocked())]
    await Promise.all(held.map((one) => one.enter()))
    await assert.rejects(guest(await knocked()).enter(), { errorName: 'RATE_LIMITED' })
    // There is room for an invited guest.
    const invited = server.connect({
      token: server.token(['ask_join']),
      meetingId: roomId,
      participantId: 'i',
    })
    await invited.enter()
    const statuses: number[] = []
    for (let tries = 0; tries < 200; tries++) {
      const answer = await knock(roomId)
      await answer.body?.cancel()
      statuses.push(answer.status)
    }
    assert.equal(statuses.filter((status) => status === 200).length, 27)
    assert.ok(statuses.slice(27).every((status) => status === 429))
    // Nobody who was not admitted appears anywhere.
    const { body } = await server.rest('GET', `/v2/rooms/${roomId}/live`)
    assert.equal(body.entryRequests.length, 3)
  } finally {
    server.stillAt = undefined
  }
})

test('knocking that is forbidden ends the tokens of those outside, and those who were let in come back', async () => {
  const ann = await host()
  const [inside, outside] = [await knocked(), await knocked()]
  const gus = guest(inside)
  await gus.enter()
  await ann.hears('entryRequested', ({ id }) => id === inside.participantId)
  await ann.request('respondEntry', { id: inside.participantId, decision: 'allowed' })
  await gus.hears('entryResponded', ({ decision }) => decision === 'allowed')
  await gus.finishJoin()
  assert.equal((await setKnock(roomId, false)).status, 200)
  assert.equal((await server.rest('GET', `/v2/rooms/${roomId}`)).body.knock, false)
  assert.equal((await knock(roomId)).status, 404)
  assert.equal((await guest(outside).hears('error')).code, 4008)
  const initConfig = (token: string) =>
    server.rest('POST', '/infra/v1/meetings/init-config', { roomId }, token)
  assert.equal((await initConfig(outside.token)).body.code, 4008)
  assert.equal((await initConfig(inside.token)).status, 200)
  gus.close()
  await gus.gone()
  const back = guest(inside)
  await back.enter()
  await back.hears('entryResponded', ({ decision }) => decision === 'allowed')
  // Other settings are kept.
  const { body } = await server.rest('GET', `/v2/rooms/${roomId}`)
  assert.equal(body.autoCloseConfig.type, 'session-ends')
  assert.equal((await setKnock(roomId, true)).status, 200)
  assert.equal((await knock(roomId)).status, 200)
})

test('a meeting from the page may be knocked at, one made over REST may not until it is said', async () => {
  const started = (await server.rest('POST', '/page/start', {}, `Bearer ${ADMIN_KEY}`)).body
  assert.equal((await knock(started.meetingId)).status, 200)
  // Its host has a token that only joins, and may change the setting.
  const change = (token: string) =>
    server.rest('PUT', `/v2/rooms/${started.meetingId}/knock`, { knock: false }, token)
  assert.equal((await change(server.token(['allow_join']))).status, 403)
  assert.equal((await change(server.token(['allow_mod'], { roles: ['rtc'] }))).status, 200)
  assert.equal((await knock(started.meetingId)).status, 404)
  await server.createMeeting({ customRoomId: 'team-weekly', knock: true })
  assert.equal((await knock('team-weekly')).status, 200, 'a custom id of the first project works too')
})
