/**
 * Floods, each from its own address: requests over a limit are refused with a reason, and people in another meeting are
 * not affected. The long version, with the real limits and real media, is `npm run attack:floods`.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { after, before, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import { decodeServerFrame, encodeClientFrame } from '../../src/protocol/chat.ts'
import { API_KEY, SECRET, signAnything, TestServer } from '../support/test-server.ts'
import { WireError, type WireClient } from '../support/wire-client.ts'
import { ask, heardUntilClosed, openHalf, openSocket, type Answered } from './caller.ts'
import { OTHER, twoProjects } from './two-projects.ts'

const LIMITS = {
  maxConnectionsPerAddress: 12,
  maxWaitingPerAddress: 3,
  maxHttpRequestsPerSecond: 20,
  maxFailedTokensPerMinute: 6,
  maxEntryRequestsPerMinute: 4,
  maxMediaOpeningsPerMinute: 12,
  maxRequestsPerSecond: 10,
  maxChatMessagesPerSecond: 5,
  maxFileUploadsPerMinute: 3,
  maxSessionFileUploadsPerMinute: 6,
  maxFileBytes: 2_097_152,
  maxBodyBytesPerAddress: 1_048_576,
  headersTimeoutSeconds: 1,
  requestTimeoutSeconds: 2,
}
const TOLD_AT_ONCE = 32
const INIT_CONFIG = '/infra/v1/meetings/init-config'
const JSON_TYPE = { 'content-type': 'application/json' }

let server: TestServer
let ann: WireClient
let bob: WireClient
let said = 0

before(async () => {
  server = await TestServer.start(LIMITS)
  server.stillAt = Date.now()
  const meetingId = await server.createMeeting()
  const person = (participantId: string): WireClient =>
    server.connect({ token: server.token(['allow_join']), meetingId, participantId })
  ;[ann, bob] = [person('ann'), person('bob')]
  await ann.join()
  await bob.join()
})
after(() => server.stop())

/** Two people in another meeting, at another address, still receive each other's messages. */
async function othersGoOn(): Promise<void> {
  const value = `word ${++said}`
  await ann.request('realtimeStoreSet', { key: 'said', value })
  assert.equal((await bob.request('realtimeStoreGet', { key: 'said' })).value, value)
}

function assertLimited({ status, headers, body }: Answered, code: string | number = 'RATE_LIMITED'): void {
  assert.deepEqual([status, body.code], [429, code])
  assert.ok(Number(headers['retry-after']) >= 1)
  assert.ok(body.message.length > 10)
}

const limited = (error: unknown): boolean => error instanceof WireError && error.errorName === 'RATE_LIMITED'

test('connections of one address over the limit get a reason, further ones are cut; another address connects', async () => {
  const localAddress = '127.0.0.11'
  const held = []
  for (let at = 0; at < LIMITS.maxConnectionsPerAddress; at++)
    held.push(await openSocket(server.url, localAddress))
  assertLimited(await ask(server.url, '/v2/rooms', { localAddress }))
  const silent = await Promise.all(
    Array.from({ length: TOLD_AT_ONCE }, () => openSocket(server.url, localAddress)),
  )
  assert.equal(await heardUntilClosed(await openSocket(server.url, localAddress)), '')
  await othersGoOn()
  assert.equal((await ask(server.url, '/ping', { localAddress: '127.0.0.12' })).status, 200)
  // A silent connection is closed with a reason, and its place becomes free.
  for (const socket of [...held, ...silent]) assert.match(await heardUntilClosed(socket), /^HTTP\/1.1 408 /)
  assert.equal((await ask(server.url, '/ping', { localAddress })).status, 200)
})

test('both listeners count connections together, before encryption', async () => {
  const localAddress = '127.0.0.13'
  const held = []
  for (let at = 0; at < LIMITS.maxConnectionsPerAddress; at++)
    held.push(await openSocket(server.url, localAddress))
  const secure = connectTls({
    socket: await openSocket(server.secureUrl, localAddress),
    rejectUnauthorized: false,
  })
  await once(secure, 'secureConnect')
  secure.write('GET /ping HTTP/1.1\r\nhost: localhost\r\n\r\n')
  assert.match(await heardUntilClosed(secure), /^HTTP\/1.1 429 [\s\S]*RATE_LIMITED/)
  for (const socket of held) socket.destroy()
})

test('half-open sockets count as waiting, are refused over the limit, and are closed when they stay silent', async () => {
  const localAddress = '127.0.0.14'
  const meetingId = await server.createMeeting()
  const held: WebSocket[] = []
  for (let at = 0; at < LIMITS.maxWaitingPerAddress; at++)
    held.push((await openHalf(server.url, { localAddress })).socket!)
  const late = server.connect({
    token: server.token(['ask_join']),
    meetingId,
    participantId: 'late',
    from: { localAddress },
  })
  const error = await late.hears('error')
  assert.deepEqual([error.code, error.name], [5000, 'RATE_LIMITED'])
  await othersGoOn()
  for (const socket of held) if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close')
  await late.gone()
  const again = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    participantId: 'again',
    from: { localAddress },
  })
  await again.join()
  again.close()
})

test('half-open sockets far over the limit are refused before they become sockets', async () => {
  const small = await TestServer.start({ maxWaitingPerAddress: 1 })
  try {
    const opened = await Promise.all(
      Array.from({ length: TOLD_AT_ONCE + 6 }, () => openHalf(small.url, { localAddress: '127.0.0.15' })),
    )
    const refused = opened.flatMap((one) => one.refused ?? [])
    assert.equal(refused.length, 5)
    for (const one of refused) assertLimited(one)
    assert.ok((await openHalf(small.url, { localAddress: '127.0.0.16' })).socket)
  } finally {
    await small.stop()
  }
})

test('slow headers and slow bodies end with 408 when their time is over', async () => {
  const localAddress = '127.0.0.17'
  const slow = await Promise.all(Array.from({ length: 6 }, () => openSocket(server.url, localAddress)))
  for (const [at, socket] of slow.entries()) {
    socket.write(
      at % 2 === 0
        ? 'POST /v2/rooms HTTP/1.1\r\nhost: localhost\r\nx-slow: '
        : 'POST /v2/rooms HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    )
  }
  await othersGoOn()
  for (const socket of slow) {
    const heard = await heardUntilClosed(socket)
    assert.match(heard, /^HTTP\/1.1 408 Request Timeout\r\n/)
    assert.match(heard, /"code":"REQUEST_TIMEOUT"/)
  }
})

test('requests of one address are refused with the time to wait; health and other addresses are answered', async () => {
  const localAddress = '127.0.0.18'
  const agent = new Agent({ keepAlive: true, maxSockets: 4, localAddress })
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => ask(server.url, '/nothing', { localAddress, agent })),
  )
  const refused = answers.filter(({ status }) => status !== 404)
  assert.equal(refused.length, 20)
  for (const answer of refused) assertLimited(answer)
  assert.equal((await ask(server.url, '/health', { localAddress })).status, 200)
  assert.equal((await ask(server.url, '/nothing', { localAddress: '127.0.0.19' })).status, 404)
  await othersGoOn()
  agent.destroy()
})

test('a caller that continues after many refusals is cut off without an answer', async () => {
  const localAddress = '127.0.0.20'
  let cut = 0
  for (let at = 0; at < 200 && cut === 0; at++) {
    await ask(server.url, '/nothing', { localAddress }).catch(() => cut++)
  }
  assert.equal(cut, 1)
  await othersGoOn()
})

test('requests are counted per API key from all addresses, and separately from other keys', async () => {
  const few = await TestServer.start({ maxKeyRequestsPerSecond: 2 })
  few.stillAt = Date.now()
  try {
    const call = (at: number): Promise<Answered> =>
      ask(few.url, '/v2/rooms', {
        localAddress: `127.0.0.${30 + at}`,
        headers: { authorization: few.token(['allow_join']) },
      })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => call(at)))
    const refused = answers.filter(({ status }) => status !== 200)
    assert.equal(refused.length, 12)
    for (const answer of refused) assertLimited(answer)
    // A token with an invalid signature does not count for the key that it names.
    few.aheadMs += 10_000
    const forged = signAnything({ apikey: API_KEY, permissions: ['allow_join'] }, 'x'.repeat(32))
    for (let at = 0; at < 20; at++)
      assert.equal((await ask(few.url, '/v2/rooms', { headers: { authorization: forged } })).status, 401)
    assert.equal((await call(0)).status, 200)
  } finally {
    await few.stop()
  }
})

test('init-config with bad tokens: refused another way after some; a good token of that address still works', async () => {
  const localAddress = '127.0.0.21'
  const meetingId = await server.createMeeting()
  const join = (token: string): Promise<Answered> =>
    ask(server.url, INIT_CONFIG, {
      localAddress,
      method: 'POST',
      headers: { ...JSON_TYPE, authorization: token },
      body: JSON.stringify({ roomId: meetingId }),
    })
  const bad = signAnything({ apikey: API_KEY, permissions: ['allow_join'] }, 'x'.repeat(32))
  for (let at = 0; at < LIMITS.maxFailedTokensPerMinute; at++) {
    const { status, body } = await join(bad)
    assert.deepEqual([status, body.code], [401, 4002])
  }
  const refused = await join(bad)
  assertLimited(refused, 5000)
  assert.equal(refused.body.name, 'RATE_LIMITED')
  assert.equal((await join(server.token(['allow_join']))).status, 200)

  const socket = server.connect({ token: bad, meetingId, participantId: 'eve', from: { localAddress } })
  assert.equal((await socket.hears('error')).name, 'RATE_LIMITED')
  const elsewhere = server.connect({ token: bad, meetingId, participantId: 'eve' })
  assert.equal((await elsewhere.hears('error')).code, 4002)
  await othersGoOn()
})

test('attempts at keys and secrets are limited, and even the right one is refused until a minute is over', async () => {
  const localAddress = '127.0.0.22'
  const mint = (secret: string): Promise<Answered> =>
    ask(server.url, '/get-token', {
      localAddress,
      headers: { authorization: `Basic ${Buffer.from(`${API_KEY}:${secret}`).toString('base64')}` },
    })
  for (let at = 0; at < LIMITS.maxFailedTokensPerMinute; at++)
    assert.equal((await mint(`guess-${at}`)).status, 401)
  assertLimited(await mint(SECRET))
  assertLimited(
    await ask(server.url, '/v2/admin/status', { localAddress, headers: { authorization: 'Bearer guess' } }),
  )
  server.aheadMs += 60_000
  assert.equal((await mint(SECRET)).status, 200)
})

test('entry requests of one address are refused with a reason; direct joins are not counted', async () => {
  const from = { localAddress: '127.0.0.23' }
  const [meetingId, other] = [await server.createMeeting(), await server.createMeeting()]
  for (let at = 0; at < LIMITS.maxEntryRequestsPerMinute; at++) {
    const guest = server.connect({
      token: server.token(['ask_join']),
      meetingId,
      participantId: `g${at}`,
      from,
    })
    await guest.enter()
    guest.close()
    await guest.gone()
  }
  const late = server.connect({ token: server.token(['ask_join']), meetingId, participantId: 'late', from })
  await assert.rejects(late.enter(), limited)
  assert.equal((await late.hears('error')).name, 'RATE_LIMITED')
  await late.gone()
  const direct = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'cy', from })
  await direct.join()
  direct.close()
  const guest = server.connect({ token: server.token(['ask_join']), meetingId: other, participantId: 'far' })
  await guest.enter()
  guest.close()
  await othersGoOn()
})

test('produce and close: a connection that opens too many streams is refused, and keeps what it has', async () => {
  const meetingId = await server.createMeeting()
  const cy = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    participantId: 'cy',
    from: { localAddress: '127.0.0.24' },
  })
  await cy.join()
  const produce = (): Promise<{ id: string }> =>
    cy.request('produce', {
      transportId: cy.transports.send,
      kind: 'audio',
      rtpParameters: {
        mid: '0',
        codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }],
        headerExtensions: [],
        encodings: [{ ssrc: 1111 }],
        rtcp: { cname: 'cy' },
      },
      appData: { share: false },
    })
  // Two transports are open already.
  for (let at = 2; at < LIMITS.maxMediaOpeningsPerMinute; at++) {
    const { id } = await produce()
    await cy.request('closeProducer', { producerId: id })
  }
  await assert.rejects(produce(), limited)
  await othersGoOn()
  await cy.request('produceError', {})
  server.aheadMs += 60_000
  await produce()
  cy.close()
})

test('a connection that never stops sending requests is closed with the reason', async () => {
  const meetingId = await server.createMeeting()
  const cy = server.connect({
    token: server.token(['allow_join']),
    meetingId,
    participantId: 'cy',
    from: { localAddress: '127.0.0.25' },
  })
  await cy.join()
  for (let at = 0; at < 500; at++) cy.socket.emit('request', { method: 'produceError', data: {} })
  assert.equal((await cy.hears('error')).name, 'RATE_LIMITED')
  await cy.hears('close')
  await cy.gone()
  await othersGoOn()
})

test('chat over the limit is refused, and a sender that never stops is closed with 1008, also after a reconnect', async () => {
  const meetingId = await server.createMeeting()
  const cy = server.connect({ token: server.token(['allow_join']), meetingId, participantId: 'cy' })
  const { pubSubUrl } = await cy.join()
  const flood = async (
    messages: number,
  ): Promise<{ taken: number; refused: number; code: number; reason: string }> => {
    const socket = new WebSocket(pubSubUrl, { localAddress: '127.0.0.26' })
    let [taken, refused] = [0, 0]
    socket.on('message', (data: Buffer) => {
      const frame = decodeServerFrame(data)
      if (frame.kind !== 'ack') return
      if (frame.value.ok) taken++
      else refused++
    })
    const say = (requestId: string): void =>
      socket.send(encodeClientFrame('publish', { requestId, topic: 'CHAT', message: 'x' }))
    await once(socket, 'open')
    if (messages > 1) {
      // A message within the limit is answered before the flood.
      say('calm')
      while (taken === 0) await once(socket, 'message')
    }
    for (let at = 0; at < messages; at++) say(`r${at}`)
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
    return { taken, refused, code, reason: String(reason) }
  }
  const first = await flood(400)
  assert.deepEqual([first.code, first.reason], [1008, 'too many requests'])
  assert.ok(first.taken > 0 && first.refused > 0)
  assert.deepEqual(await flood(1), { taken: 0, refused: 0, code: 1008, reason: 'too many requests' })
  await othersGoOn()
  cy.close()
})

async function uploader(
  meetingId: string,
  participantId: string,
  localAddress: string,
  { at = server, token = at.token(['allow_join']) }: { at?: TestServer; token?: string } = {},
) {
  const wire = at.connect({ token, meetingId, participantId })
  await wire.join()
  return {
    wire,
    token,
    upload: (bytes = 10): Promise<Answered> =>
      ask(at.url, `/base64-upload?roomId=${meetingId}`, {
        localAddress,
        method: 'POST',
        headers: { ...JSON_TYPE, authorization: token },
        body: JSON.stringify({ fileName: 'x', base64Data: Buffer.alloc(bytes).toString('base64') }),
      }),
  }
}

test('file uploads are limited per participant and per session', async () => {
  const meetingId = await server.createMeeting()
  const [cy, dee] = [
    await uploader(meetingId, 'cy', '127.0.0.27'),
    await uploader(meetingId, 'dee', '127.0.0.28'),
  ]
  for (let at = 0; at < LIMITS.maxFileUploadsPerMinute; at++) assert.equal((await cy.upload()).status, 200)
  assertLimited(await cy.upload())
  for (let at = LIMITS.maxFileUploadsPerMinute; at < LIMITS.maxSessionFileUploadsPerMinute; at++)
    assert.equal((await dee.upload()).status, 200)
  const late = await uploader(meetingId, 'late', '127.0.0.28')
  assertLimited(await late.upload())
  const elsewhere = await uploader(await server.createMeeting(), 'far', '127.0.0.27')
  assert.equal((await elsewhere.upload()).status, 200)
  for (const { wire } of [cy, dee, late, elsewhere]) wire.close()
})

test('tokens of two projects with the same name have separate shares of uploads', async () => {
  const both = await twoProjects(LIMITS)
  try {
    const uploads = []
    for (const [at, key] of [{}, OTHER].entries()) {
      const token = both.token(['allow_join'], { ...key, jti: 'named-alike' })
      const { body } = await both.rest('POST', '/v2/rooms', {}, token)
      uploads.push(await uploader(body.roomId, 'cy', `127.0.0.${30 + at}`, { at: both, token }))
    }
    const [ours, others] = [uploads[0]!, uploads[1]!]
    for (let at = 0; at < LIMITS.maxFileUploadsPerMinute; at++)
      assert.equal((await ours.upload()).status, 200)
    assertLimited(await ours.upload())
    assert.equal((await others.upload()).status, 200)
  } finally {
    await both.stop()
  }
})

test('a large body is read only with a token, and only a few at once per address', async () => {
  const localAddress = '127.0.0.29'
  const meetingId = await server.createMeeting()
  const cy = await uploader(meetingId, 'cy', localAddress)
  const head = (token: string | undefined, bytes: number): string =>
    [
      `POST /base64-upload?roomId=${meetingId} HTTP/1.1`,
      'host: localhost',
      'content-type: application/json',
      `content-length: ${bytes}`,
      ...(token === cy.token ? ['expect: 100-continue'] : []),
      ...(token === undefined ? [] : [`authorization: ${token}`]),
      '\r\n',
    ].join('\r\n')
  const begin = async (token: string | undefined, bytes: number) => {
    const socket = await openSocket(server.url, localAddress)
    socket.write(head(token, bytes))
    return socket
  }
  for (const token of [undefined, 'not.a.token']) {
    const socket = await begin(token, 1_000_000)
    const [heard] = (await once(socket, 'data')) as [Buffer]
    assert.match(String(heard), /^HTTP\/1.1 401 [\s\S]*INVALID_TOKEN/)
    socket.destroy()
  }
  const slow = await begin(cy.token, 1_000_000)
  // The answer 100 shows that its headers were read.
  assert.match(String((await once(slow, 'data'))[0]), /^HTTP\/1.1 100 /)
  assert.equal((await cy.upload()).status, 200)
  assertLimited(await cy.upload(200_000))
  await othersGoOn()
  slow.destroy()
  cy.wire.close()
})

test('a trusted proxy forwards for many callers, each counted alone; other forwarders count as themselves', async () => {
  const behind = await TestServer.start({
    trustedProxies: ['127.0.0.1'],
    maxHttpRequestsPerSecond: 2,
    maxWaitingPerAddress: 1,
    maxConnectionsPerAddress: 4,
  })
  behind.stillAt = Date.now()
  try {
    const flood = async (localAddress: string, header: (at: number) => Record<string, string>) => {
      const answers: Answered[] = []
      for (let at = 0; at < 12; at++)
        answers.push(await ask(behind.url, '/nothing', { localAddress, headers: header(at) }))
      return answers.filter(({ status }) => status === 429).length
    }
    // A caller that is no proxy forges the header: every request counts for the caller itself.
    assert.equal(await flood('127.0.0.41', (at) => ({ 'x-forwarded-for': `198.51.100.${at}` })), 4)
    // The header of the proxy: many clients are not limited together, and one client is, however it varies the header.
    assert.equal(await flood('127.0.0.1', (at) => ({ 'x-forwarded-for': `198.51.100.${at}` })), 0)
    assert.equal(await flood('127.0.0.1', (at) => ({ 'x-forwarded-for': `10.0.0.${at}, 203.0.113.7` })), 4)
    assert.equal(await flood('127.0.0.1', (at) => ({ 'x-forwarded-for': `2001:db8:1:2::${at}` })), 4)
    assert.equal(await flood('127.0.0.1', (at) => ({ 'x-forwarded-for': `2001:db8:2:${at}::1` })), 0)

    const sockets = await Promise.all(
      Array.from({ length: 6 }, () =>
        openHalf(behind.url, { localAddress: '127.0.0.1', headers: { 'x-forwarded-for': '203.0.113.8' } }),
      ),
    )
    assert.ok(sockets.filter(({ refused }) => refused?.status === 429).length >= 2)
    const other = await openHalf(behind.url, { headers: { 'x-forwarded-for': '203.0.113.9' } })
    assert.ok(other.socket)
  } finally {
    await behind.stop()
  }
})

test('connections are limited in total, and one that ends makes room', async () => {
  const small = await TestServer.start({ maxConnections: 3 })
  try {
    const held = await Promise.all([51, 52, 53].map((last) => openSocket(small.url, `127.0.0.${last}`)))
    assertLimited(await ask(small.url, '/ping', { localAddress: '127.0.0.54' }))
    held[0]!.destroy()
    let answer = await ask(small.url, '/ping', { localAddress: '127.0.0.54' })
    // The server may see the end of the connection after the request.
    for (let at = 0; at < 20 && answer.status !== 200; at++)
      answer = await ask(small.url, '/ping', { localAddress: '127.0.0.54' })
    assert.equal(answer.status, 200)
    for (const socket of held) socket.destroy()
  } finally {
    await small.stop()
  }
})

test('large bodies are limited in total; small ones are always accepted', async () => {
  const small = await TestServer.start({ maxBodyBytes: 100_000 })
  try {
    const token = small.token(['allow_join'])
    const slow = await openSocket(small.url, '127.0.0.55')
    slow.write(
      `POST /v2/rooms HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 90000\r\n\r\n`,
    )
    // The answer 100 shows that its headers were read.
    assert.match(String((await once(slow, 'data'))[0]), /^HTTP\/1.1 100 /)
    const create = (bytes: number): Promise<Answered> =>
      ask(small.url, '/v2/rooms', {
        localAddress: '127.0.0.56',
        method: 'POST',
        headers: { ...JSON_TYPE, authorization: token },
        body: JSON.stringify({ unknown: 'x'.repeat(bytes) }),
      })
    assertLimited(await create(20_000))
    assert.notEqual((await create(10_000)).status, 429)
    slow.destroy()
  } finally {
    await small.stop()
  }
})
