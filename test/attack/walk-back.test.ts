/** Ways around admission that once worked. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { API_KEY, TestServer } from '../support/test-server.ts'
import { WireError } from '../support/wire-client.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

test('a removed participant cannot make an invite to come back with', async () => {
  const meetingId = await server.createMeeting()
  const host = server.connect({ token: server.token(['allow_mod']), meetingId, participantId: 'host' })
  await host.join()
  const token = server.token(['allow_join'])
  const bad = server.connect({ token, meetingId, participantId: 'bad' })
  await bad.join()
  const invite = { roomId: meetingId, entry: 'direct' }
  assert.equal((await server.rest('POST', '/v2/invites', invite, token)).status, 200)
  await host.request('removePeer', { peerId: 'bad' })
  const refused = await server.rest('POST', '/v2/invites', invite, token)
  assert.deepEqual([refused.status, refused.body.code], [403, 'REMOVED_FROM_SESSION'])
  const listed = await server.rest('GET', `/v2/invites?roomId=${meetingId}`, undefined, token)
  assert.equal(listed.body.code, 'REMOVED_FROM_SESSION')
  await host.request('liftRemoval', { peerId: 'bad' })
  assert.equal((await server.rest('POST', '/v2/invites', invite, token)).status, 200)
})

test('a connection opened in time cannot enter a meeting that was deactivated since', async () => {
  const meetingId = await server.createMeeting()
  const early = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'early' })
  await early.hears('connectionSuccess')
  await server.rest('POST', '/v2/rooms/deactivate', { roomId: meetingId })
  await assert.rejects(
    early.request('requestEntry'),
    (error: unknown) => error instanceof WireError && error.errorName === 'MEETING_ID_DISABLED',
  )
  await early.gone()
})

test('an API key alone gets no token for a page of another origin, nor behind a proxy', async () => {
  const ask = async (headers: Record<string, string>): Promise<number> => {
    const answer = await fetch(`${server.url}/v1/prebuilt/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ apiKey: API_KEY }),
    })
    return answer.status
  }
  assert.equal(await ask({ origin: 'https://evil.example' }), 403)
  assert.equal(await ask({ 'x-forwarded-for': '203.0.113.9' }), 403)
  assert.equal(await ask({}), 200)
})

test('handles file names that are cut within a character, and many uploads at once', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join'])
  await server.connect({ token, meetingId, participantId: 'ann' }).join()
  const upload = (fileName: string): Promise<{ status: number; body: any }> =>
    server.rest('POST', `/base64-upload?roomId=${meetingId}`, { fileName, base64Data: 'eA==' }, token)
  const answers = await Promise.all([
    upload(`${'a'.repeat(99)}𝒜.txt`),
    ...Array.from({ length: 60 }, (_, at) => upload(`${at}.txt`)),
  ])
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
})

test('every answer forbids type guessing', async () => {
  for (const path of ['/', '/health', '/nothing', '/v2/rooms', '/assets/nothing', '/m/x']) {
    const answer = await fetch(server.url + path, { headers: { accept: 'text/html' } })
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path)
  }
})
