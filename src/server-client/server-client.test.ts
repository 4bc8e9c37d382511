/** The client of the REST API with a whole server, and with servers that misbehave; refusals first. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { after, before, test } from 'node:test'
import { createCaller } from './call.ts'
import { Receiver } from '../../test/support/receiver.ts'
import { API_KEY, SECRET, TestServer } from '../../test/support/test-server.ts'
import {
  ServerClient,
  ServerClientError,
  signatureHeader,
  verifyWebhook,
  WebhookError,
} from './server-client.ts'

let server: TestServer
let anteroom: ServerClient
before(async () => {
  server = await TestServer.start({ webhookAllowPrivate: true, sessionGraceSeconds: 0 })
  anteroom = new ServerClient({ url: `${server.url}/v2/`, apiKey: API_KEY, secret: SECRET })
})
const running: (() => void)[] = []
after(async () => {
  for (const stop of running) stop()
  await server.stop()
})

const failed = (code: string, status?: number) => (error: unknown) => {
  assert.ok(error instanceof ServerClientError, String(error))
  assert.deepEqual([error.code, error.status], [code, status])
  return true
}

/** A server with the given answers, its requests, and a client that does not really wait. */
async function odd(listener: RequestListener, options: { timeoutMs?: number; now?: () => number } = {}) {
  const asked: { method: string; url: string; token: string }[] = []
  const http = createServer((request, response) => {
    asked.push({ method: request.method!, url: request.url!, token: request.headers.authorization! })
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  running.push(() => {
    http.close()
    http.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(http.address() as { port: number }).port}`
  const waits: number[] = []
  const { now = Date.now, ...rest } = options
  const client = new ServerClient(
    {
      url,
      apiKey: API_KEY,
      secret: SECRET,
      ...rest,
    },
    { now, random: () => 0.5, wait: async (ms) => void waits.push(ms) },
  )
  return { url, client, asked, waits }
}

const refusal = (code: string): string => JSON.stringify({ code, message: 'No.', error: 'No.' })

test('refuses options that make no client', () => {
  const good = { url: server.url, apiKey: API_KEY, secret: SECRET }
  for (const wrong of [
    { url: 'meet.example' },
    { url: 'ftp://meet.example' },
    { apiKey: '' },
    { secret: '' },
  ])
    assert.throws(() => new ServerClient({ ...good, ...wrong }), TypeError, JSON.stringify(wrong))
})

test('does not request an id that would lead to another address', async () => {
  const { client, asked } = await odd((_, response) => response.end('{}'))
  for (const id of ['', '.', '..', undefined as never]) {
    await assert.rejects(async () => client.rooms.get(id), TypeError)
    await assert.rejects(async () => client.sessions.participant('a', id), TypeError)
  }
  assert.deepEqual(asked, [])
  await client.rooms.get('a/../b?c#d')
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['/v2/rooms/a%2F..%2Fb%3Fc%23d'],
  )
})

test('refusals carry the code and status of the server and the request id', async () => {
  const stranger = new ServerClient({ url: server.url, apiKey: API_KEY, secret: 'x'.repeat(40) })
  await assert.rejects(stranger.rooms.list(), (error: ServerClientError) => {
    assert.ok(error.requestId)
    return failed('INVALID_TOKEN', 401)(error)
  })
  await assert.rejects(anteroom.rooms.get('none-none-none'), failed('INVALID_MEETING_ID', 404))
  await assert.rejects(anteroom.sessions.get('f'.repeat(24)), failed('NOT_FOUND', 404))
  await assert.rejects(anteroom.rooms.create({ customRoomId: '' }), failed('INVALID_REQUEST', 400))
  const roomId = await server.createMeeting()
  await assert.rejects(anteroom.sessions.end(roomId), failed('NOT_FOUND', 404))
  await assert.rejects(
    anteroom.live.respondEntry(roomId, 'gus', 'allowed'),
    failed('RESPOND_ENTRY_FAILED', 409),
  )
  await assert.rejects(anteroom.invites.revoke(roomId, 'none'), failed('NOT_FOUND', 404))
  await assert.rejects(anteroom.webhooks.delivery('none'), failed('NOT_FOUND', 404))
})

test('retries 429 for every method, and 5xx only if a retry is safe', async () => {
  const answers: [status: number, tries: { GET: number; POST: number; PUT: number }][] = [
    [429, { GET: 3, POST: 3, PUT: 3 }],
    [500, { GET: 3, POST: 1, PUT: 3 }],
    [503, { GET: 3, POST: 1, PUT: 3 }],
    [404, { GET: 1, POST: 1, PUT: 1 }],
  ]
  for (const [status, tries] of answers) {
    for (const [method, wanted] of Object.entries(tries)) {
      const { client, asked, waits } = await odd((_, response) =>
        response.writeHead(status).end(refusal('RATE_LIMITED')),
      )
      await assert.rejects(client.request(method as 'GET', '/v2/rooms'), failed('RATE_LIMITED', status))
      assert.equal(asked.length, wanted, `${method} ${status}`)
      assert.deepEqual(waits, [1125, 2125].slice(0, wanted - 1))
    }
  }
  let left = 2
  const { client } = await odd((_, response) =>
    left-- > 0 ? response.writeHead(429).end(refusal('RATE_LIMITED')) : response.end('{"roomId":"a"}'),
  )
  assert.equal((await client.rooms.create()).roomId, 'a')
})

test('distinguishes a broken connection from a silent server, and retries both by the same rule', async () => {
  const cut = await odd((request) => request.socket.destroy())
  await assert.rejects(cut.client.rooms.list(), failed('CONNECTION_FAILED'))
  await assert.rejects(cut.client.rooms.create(), failed('CONNECTION_FAILED'))
  assert.deepEqual(
    cut.asked.map(({ method }) => method),
    ['GET', 'GET', 'GET', 'POST'],
  )
  const silent = await odd(() => undefined, { timeoutMs: 50 })
  await assert.rejects(silent.client.rooms.create(), failed('TIMEOUT'))
  assert.deepEqual(silent.waits, [])
})

test('rejects an answer that is not ours, and does not follow a redirect with the token', async () => {
  for (const [status, body] of [
    [200, '<h1>hello</h1>'],
    [502, '<h1>Bad Gateway</h1>'],
    [403, '{"reason":"proxy"}'],
  ] as const) {
    const { client } = await odd((_, response) => response.writeHead(status).end(body))
    await assert.rejects(client.rooms.create(), failed('UNREADABLE_ANSWER', status))
  }
  const elsewhere = await odd((_, response) => response.end('{}'))
  const { client } = await odd((_, response) => response.writeHead(302, { location: elsewhere.url }).end())
  await assert.rejects(client.rooms.create(), failed('CONNECTION_FAILED'))
  assert.deepEqual(elsewhere.asked, [])
})

test('takes an error status as an answer only if the caller expects it', async () => {
  const { client } = await odd((_, response) => response.writeHead(503).end('{"status":"failing"}'))
  assert.deepEqual(await client.request('GET', '/health', { accept: [503] }), { status: 'failing' })
  const other = await odd((_, response) => response.writeHead(500).end(refusal('SOMETHING_WENT_WRONG')))
  await assert.rejects(
    other.client.request('GET', '/health', { accept: [503] }),
    failed('SOMETHING_WENT_WRONG', 500),
  )
})

test('sends no token if it has none, and calls once without retries', async () => {
  const { url, asked } = await odd((_, response) => response.writeHead(429).end(refusal('RATE_LIMITED')))
  const call = createCaller({ baseUrl: url, timeoutMs: 10_000, token: () => undefined })
  await assert.rejects(call('GET', '/x'), failed('RATE_LIMITED', 429))
  assert.deepEqual(asked, [{ method: 'GET', url: '/x', token: undefined }])
})

test('renews the management token a minute before it expires, and the token cannot join', async () => {
  let at = Date.now()
  const { client, asked } = await odd((_, response) => response.end('{}'), { now: () => at })
  for (const later of [0, 58 * 60_000, 59 * 60_000]) {
    at += later
    await client.rooms.create()
  }
  assert.equal(asked[0]!.token, asked[1]!.token)
  assert.notEqual(asked[1]!.token, asked[2]!.token)
  const meetingId = await server.createMeeting()
  const refused = server.connect({ token: anteroom.tokens.management(), meetingId })
  assert.equal((await refused.hears('error')).code, 4024)
})

test('a revoked token opens nothing, and its holder is removed', async () => {
  const meetingId = await server.createMeeting()
  const token = anteroom.tokens.participant({ roomId: meetingId, jti: 'lost-laptop' })
  const ann = server.connect({ token, meetingId, participantId: 'ann' })
  await ann.join()
  assert.equal((await anteroom.tokens.revoke('lost-laptop')).jti, 'lost-laptop')
  await ann.gone()
  const back = server.connect({ token, meetingId, participantId: 'ann' })
  assert.equal((await back.hears('error')).code, 4002)
  assert.deepEqual(
    (await anteroom.tokens.revoked()).data.map(({ jti }) => jti),
    ['lost-laptop'],
  )
})

test('accepts a webhook only if this server signed these bytes', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'pkcs1', format: 'pem' }) as string
  const body = '{"webhookType":"session-started","data":{"meetingId":"é"}}'
  const by = (key: typeof privateKey, text: string): string =>
    sign('RSA-SHA256', Buffer.from(text), key).toString('base64')
  const signature = by(privateKey, body)
  const wrong: [what: string, body: string, signature: string | string[] | undefined][] = [
    ['no signature', body, undefined],
    ['an empty one', body, ''],
    ['two of them', body, [signature, signature]],
    ['no base64', body, '!!!'],
    ['of another key', body, by(other.privateKey, body)],
    ['of another body', body.replace('started', 'ended'), signature],
    ['a space more', `${body} `, signature],
    ['no JSON', 'hello', by(privateKey, 'hello')],
    ['JSON null', 'null', by(privateKey, 'null')],
    ['no webhook', '{"a":1}', by(privateKey, '{"a":1}')],
  ]
  for (const [what, text, given] of wrong)
    assert.throws(() => verifyWebhook(text, given, pem), WebhookError, what)
  assert.throws(() => verifyWebhook(body, signature, 'no key'), TypeError)
  assert.equal(verifyWebhook(body, signature, pem).webhookType, 'session-started')
  assert.equal(verifyWebhook(Buffer.from(body), signature, pem).data.meetingId, 'é')
})

test('creates a room once per custom id, gets, validates, lists and deactivates it', async () => {
  const room = await anteroom.rooms.create({ customRoomId: 'client room', autoCloseConfig: { duration: 30 } })
  assert.equal((await anteroom.rooms.create({ customRoomId: 'client room' })).roomId, room.roomId)
  assert.equal((await anteroom.rooms.get('client room')).user.id, room.userId)
  assert.equal((await anteroom.rooms.validate('client room'))?.roomId, room.roomId)
  assert.equal(await anteroom.rooms.validate('aaaa-bbbb-cccc'), undefined)
  const { pageInfo, data } = await anteroom.rooms.list({ query: room.roomId })
  assert.deepEqual([pageInfo.total, data[0]!.customRoomId], [1, 'client room'])
  for (let made = 0; made < 101; made++) await anteroom.rooms.create()
  const { total } = (await anteroom.rooms.list({ perPage: 1 })).pageInfo
  const seen = new Set<string>()
  for await (const { roomId } of anteroom.rooms.all()) seen.add(roomId)
  assert.ok(total > 100)
  assert.equal(seen.size, total)
  assert.equal((await anteroom.rooms.deactivate(room.roomId)).disabled, true)
  assert.equal(await anteroom.rooms.validate(room.roomId), undefined)
})

test('a backend admits, watches, moderates and ends a session, and reads its record', async () => {
  const { roomId } = await anteroom.rooms.create()
  const joining = { roomId, participantId: 'ann' }
  const ann = server.connect({
    meetingId: roomId,
    participantId: 'ann',
    name: 'Ann',
    token: anteroom.tokens.participant(joining),
  })
  await ann.join()
  const gus = server.connect({
    meetingId: roomId,
    participantId: 'gus',
    name: 'Gus',
    token: anteroom.tokens.participant({ roomId, permissions: ['ask_join'] }),
  })
  await gus.enter()
  const { entryRequests, participants } = await anteroom.live.view(roomId)
  assert.deepEqual([entryRequests[0]!.participantId, participants[0]!.name], ['gus', 'Ann'])
  await anteroom.live.respondEntry(roomId, 'gus', 'allowed')
  await gus.finishJoin()

  await anteroom.live.ask(roomId, 'gus', 'audio')
  await gus.hears('request:enableMic')
  await anteroom.live.mute(roomId, 'ann', 'video')
  const said = await anteroom.live.publish(roomId, { topic: 'CHAT', message: 'Welcome.', persist: true })
  assert.ok(said)
  assert.equal((await anteroom.live.messages(roomId, { topic: 'CHAT' })).data[0]!.message, 'Welcome.')
  await anteroom.live.setValue(roomId, 'slide', '4')
  assert.equal(await anteroom.live.value(roomId, 'slide'), '4')
  await anteroom.live.setValue(roomId, 'slide', null)
  assert.equal(await anteroom.live.value(roomId, 'slide'), null)

  await anteroom.live.remove(roomId, 'gus')
  assert.equal((await gus.hears('close')).code, 1010)
  assert.deepEqual(await anteroom.live.removals(roomId), ['gus'])
  await anteroom.live.liftRemoval(roomId, 'gus')
  assert.deepEqual(await anteroom.live.removals(roomId), [])

  const session = (await anteroom.sessions.ongoing(roomId))!
  assert.deepEqual(
    (await anteroom.sessions.activeParticipants(session.id)).data.map(({ participantId }) => participantId),
    ['ann'],
  )
  assert.equal((await anteroom.sessions.end(roomId)).id, session.id)
  assert.equal(await anteroom.sessions.ongoing(roomId), undefined)
  const there = await anteroom.sessions.participants(session.id, { perPage: 1 })
  assert.deepEqual([there.pageInfo.total, there.data.length], [2, 1])
  assert.equal((await anteroom.sessions.participant(session.id, 'gus')).name, 'Gus')
  assert.equal((await anteroom.sessions.get(session.id)).status, 'ended')
  assert.match(await anteroom.sessions.chatLog(session.id), /Welcome\./)
  assert.equal((await anteroom.sessions.stats(session.id)).sessionId, session.id)
  assert.equal((await anteroom.sessions.participantStats(session.id, 'ann')).participantName, 'Ann')
  const diagnosis = await anteroom.sessions.diagnosis(session.id, 'ann', { from: 0 })
  assert.deepEqual([diagnosis.participantName, diagnosis.stretches], ['Ann', []])
  const all = []
  for await (const one of anteroom.sessions.all({ roomId })) all.push(one.id)
  assert.deepEqual(all, [session.id])
})

test('creates, lists and revokes invites', async () => {
  const { roomId } = await anteroom.rooms.create()
  const invite = await anteroom.invites.create({ roomId, entry: 'ask', maxUses: 3 })
  assert.match(invite.link, /#invite=/)
  await anteroom.invites.revoke(roomId, invite.inviteId)
  const { pageInfo, data } = await anteroom.invites.list(roomId)
  assert.equal(pageInfo.total, 1)
  const [listed] = data
  assert.deepEqual([listed!.inviteId, listed!.revoked, listed!.maxUses], [invite.inviteId, true, 3])
  const all = []
  for await (const { inviteId } of anteroom.invites.all(roomId)) all.push(inviteId)
  assert.deepEqual(all, [invite.inviteId])
})

test('receives, verifies, lists and replays webhooks', async () => {
  const receiver = await Receiver.start()
  running.push(() => receiver.stop())
  const { roomId } = await anteroom.rooms.create({
    webhook: { endPoint: receiver.url, events: ['participant-joined'] },
  })
  const token = anteroom.tokens.participant({ roomId })
  await server.connect({ meetingId: roomId, participantId: 'ann', name: 'Ann', token }).join()
  await receiver.until((hooks) => hooks.length > 0)
  const { raw, headers } = receiver.hooks[0]!
  const told = verifyWebhook(raw, headers[signatureHeader], await anteroom.webhooks.publicKey())
  assert.ok(told.webhookType === 'participant-joined')
  assert.deepEqual([told.data.meetingId, told.data.participantName], [roomId, 'Ann'])
  const { data } = await anteroom.webhooks.deliveries({ roomId })
  assert.deepEqual(
    data.map(({ deliveryId }) => deliveryId),
    [told.deliveryId],
  )
  assert.equal((await anteroom.webhooks.delivery(told.deliveryId)).body, raw.toString())
  assert.equal((await anteroom.webhooks.replay(told.deliveryId)).event, 'participant-joined')
  assert.equal(await anteroom.webhooks.replayParked(), 0)
})

test('starts, stops, lists, finds and deletes what leaves a meeting', async () => {
  const { roomId } = await anteroom.rooms.create()
  const { recordings, hls, livestreams, transcriptions, participantRecordings, trackRecordings } = anteroom
  const { compositeRecordings } = anteroom
  await assert.rejects(recordings.start(roomId), failed('NOT_FOUND', 404))
  await assert.rejects(recordings.get('absent'), failed('NOT_FOUND', 404))
  const ann = server.connect({ meetingId: roomId, participantId: 'ann', token: server.token(['allow_join']) })
  await ann.join()
  await assert.rejects(recordings.stop(roomId), failed('STOP_RECORDING_FAILED', 409))
  await assert.rejects(recordings.start(roomId, { awsDirPath: '../other' }), failed('INVALID_REQUEST', 400))
  await assert.rejects(
    participantRecordings.start(roomId, { participantId: 'ann', bucketDirPath: 'a/.b' }),
    failed('INVALID_REQUEST', 400),
  )

  await recordings.start(roomId, { awsDirPath: '/team/a/', config: { quality: 'low' } })
  await participantRecordings.start(roomId, { participantId: 'ann' })
  await trackRecordings.start(roomId, { participantId: 'ann', kind: 'audio' })
  const { recordingId } = await compositeRecordings.start(roomId, {
    participants: [{ participantId: 'ann' }],
  })
  const { id, playbackHlsUrl } = await hls.start(roomId)
  assert.match(playbackHlsUrl, /\/index\.m3u8$/)
  await livestreams.start(roomId, { outputs: [{ url: 'rtmp://live.example/app', streamKey: 'a-key' }] })
  assert.equal((await transcriptions.start(roomId)).roomId, roomId)
  const recording = (await recordings.list({ roomId })).data[0]!
  assert.equal(recording.end, null)
  await assert.rejects(recordings.delete(recording.id), failed('INVALID_STATE', 409))

  await recordings.stop(roomId)
  await participantRecordings.stop(roomId, 'ann')
  await trackRecordings.stop(roomId, 'ann', 'audio')
  await compositeRecordings.stop(roomId, recordingId)
  await hls.stop(roomId)
  await livestreams.stop(roomId)
  await transcriptions.stop(roomId)
  while ((await recordings.get(recording.id)).end === null) await new Promise((next) => setTimeout(next, 10))
  await recordings.delete(recording.id)
  await assert.rejects(recordings.get(recording.id), failed('NOT_FOUND', 404))

  const kinds = [
    hls,
    livestreams,
    transcriptions,
    participantRecordings,
    trackRecordings,
    compositeRecordings,
  ]
  for (const kind of kinds) {
    const { data, pageInfo } = await kind.list({ roomId, perPage: 1 })
    assert.equal(pageInfo.total, 1)
    assert.equal((await kind.get(data[0]!.id)).roomId, roomId)
    const all: unknown[] = []
    for await (const one of kind.all({ roomId })) all.push(one.id)
    assert.deepEqual(all, [data[0]!.id])
  }
  assert.equal((await hls.list({ roomId })).data[0]!.id, id)
  assert.doesNotMatch(JSON.stringify(await livestreams.list()), /a-key/)
  assert.equal((await trackRecordings.list({ kind: 'video', roomId })).pageInfo.total, 0)
  ann.close()
})
