/** Webhooks, from the event in a meeting to the request at a backend. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join as pathOf } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { VideoSDK } from '@videosdk.live/server-sdk'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'
import { failing, hanging, Receiver, taking, type Answering } from './support/receiver.ts'
import { API_KEY, SECRET, TestServer } from './support/test-server.ts'

const HOUR_MS = 3_600_000
const ALL = ['*']
let server: TestServer
let sdk: VideoSDK
const receivers: Receiver[] = []
before(async () => {
  server = await TestServer.start({ webhookAllowPrivate: true, sessionGraceSeconds: 0 })
  sdk = new VideoSDK({ apiKey: API_KEY, secret: SECRET, apiEndpoint: server.url })
})
afterEach(() => {
  server.aheadMs = 0
  for (const receiver of receivers.splice(0)) receiver.stop()
})
after(() => server.stop())

async function aReceiver(answer?: Answering): Promise<Receiver> {
  const receiver = await Receiver.start(answer)
  receivers.push(receiver)
  return receiver
}

const meetingTold = (endPoint: string, events: string[] = ALL): Promise<string> =>
  server.createMeeting({ webhook: { endPoint, events } })

async function join(meetingId: string, participantId: string, name = participantId) {
  const client = server.connect({
    token: server.token(['allow_join', 'allow_mod']),
    meetingId,
    participantId,
    name,
  })
  await client.join()
  return client
}

async function endSession(roomId: string): Promise<void> {
  const moderator = server.token(['allow_join', 'allow_mod'])
  const { status, body } = await server.rest('POST', '/v2/sessions/end', { roomId }, moderator)
  assert.equal(status, 200, JSON.stringify(body))
}

async function deliveriesOf(meetingId: string): Promise<any[]> {
  const { status, body } = await server.rest('GET', `/v2/webhooks/deliveries?roomId=${meetingId}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body.data
}

/** Repeats until it holds, because the result is saved after the receiver was answered. */
async function deliveriesUntil(meetingId: string, holds: (data: any[]) => boolean): Promise<any[]> {
  for (let tries = 0; tries < 400; tries++) {
    const data = await deliveriesOf(meetingId)
    if (holds(data)) return data
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  assert.fail(JSON.stringify(await deliveriesOf(meetingId)))
}

async function onItsStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ folder: server.config.dataDir, url: server.config.databaseUrl })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

test('a webhook address that cannot work is refused when the meeting is created', async () => {
  const guarded = await TestServer.start()
  try {
    const refusals: [endPoint: string, pattern: RegExp][] = [
      ['ftp://app.example/hook', /endPoint/],
      ['https://', /http or https address/],
      [`https://app.example/${'x'.repeat(512)}`, /endPoint/],
      ['https://user:pass@app.example/', /without credentials/],
      ['http://localhost:3000/hook', /private/],
      ['http://app.localhost/', /private/],
      ['http://0x7f.1/', /private/],
      ['http://2130706433/', /private/],
      ['http://[::ffff:10.0.0.1]/', /private/],
      ['http://169.254.169.254/latest', /private/],
    ]
    for (const [endPoint, pattern] of refusals) {
      const refused = await guarded.rest('POST', '/v2/rooms', { webhook: { endPoint, events: ALL } })
      assert.equal(refused.status, 400, endPoint)
      assert.equal(refused.body.code, 'INVALID_REQUEST')
      assert.match(refused.body.message, pattern, endPoint)
    }
    for (const endPoint of ['https://app.example/hook', 'http://93.184.215.14:8080/']) {
      const made = await guarded.rest('POST', '/v2/rooms', { webhook: { endPoint, events: ALL } })
      assert.equal(made.status, 200, endPoint)
    }
  } finally {
    await guarded.stop()
  }
})

test('does not connect to a name that leads to a private address', async () => {
  const receiver = await aReceiver()
  const asked: string[] = []
  const guarded = await TestServer.start(
    {},
    {
      resolve: (hostname) => {
        asked.push(hostname)
        return Promise.resolve(['10.0.0.1', '127.0.0.1', '::1', '::ffff:127.0.0.1'])
      },
    },
  )
  try {
    const meetingId = await guarded.createMeeting({
      webhook: { endPoint: `http://app.example:${receiver.port}/hook`, events: ALL },
    })
    await guarded.connect({ token: guarded.token(['allow_join']), meetingId, participantId: 'ann' }).join()
    let first: any
    for (let tries = 0; tries < 400 && !first?.lastError; tries++) {
      const { body } = await guarded.rest('GET', `/v2/webhooks/deliveries?roomId=${meetingId}`)
      first = body.data.at(-1)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    assert.match(first.lastError, /private address.*WEBHOOK_ALLOW_PRIVATE/)
    assert.equal(first.lastStatus, null)
    assert.equal(first.state, 'waiting')
    assert.ok(asked.includes('app.example'))
    assert.equal(receiver.connections, 0)
  } finally {
    await guarded.stop()
  }
})

test('the start warns if private addresses are allowed', async () => {
  assert.match(server.ready.text, /! WEBHOOK_ALLOW_PRIVATE=true/)
})

test('a session is announced in order and in the words of the contract, and the published SDK verifies it', async () => {
  const receiver = await aReceiver()
  const room = await sdk.rooms.create({
    webhook: { url: receiver.url, events: ['session-*', 'participant-*'] },
  })
  const meetingId = room.roomId
  const before = Date.now()
  await join(meetingId, 'ann', 'Ann 😀 "quoted" \u2028')
  const bob = await join(meetingId, 'bob')
  bob.close()
  await receiver.until((hooks) => hooks.length === 4)
  await endSession(meetingId)
  const hooks = await receiver.until((all) => all.at(-1)?.body.webhookType === 'session-ended')
  assert.deepEqual(receiver.events.slice(0, 4), [
    'session-started',
    'participant-joined',
    'participant-joined',
    'participant-left',
  ])
  const [started, annJoined, , bobLeft] = hooks.map(({ body }) => body.data)
  const ended = hooks.at(-1)!.body.data
  const { sessionId } = started
  assert.deepEqual(started, { meetingId, sessionId, start: started.start })
  assert.deepEqual(annJoined, {
    meetingId,
    sessionId,
    participantId: 'ann',
    participantName: 'Ann 😀 "quoted"',
  })
  assert.deepEqual(bobLeft, { meetingId, sessionId, participantId: 'bob', participantName: 'bob' })
  assert.deepEqual(
    { ...ended, end: '' },
    { meetingId, sessionId, start: started.start, end: '', reason: 'MEETING_END_API' },
  )
  assert.ok(Date.parse(started.start) >= before && Date.parse(ended.end) >= Date.parse(started.start))
  assert.equal(new Date(ended.end).toISOString(), ended.end)

  const key = await sdk.webhooks.getPublicKey()
  assert.match(key, /^-----BEGIN RSA PUBLIC KEY-----\n/)
  for (const { raw, headers, body } of hooks) {
    const event = await sdk.webhooks.verify(raw, headers['videosdk-signature'])
    assert.equal(event.type, body.webhookType)
    assert.deepEqual(event.data, body.data)
    // As the documentation's sample verifies it: over a body that was parsed and serialised again.
    const again = Buffer.from(JSON.stringify(body))
    sdk.webhooks.verifySync(again, headers['videosdk-signature'], key)
    const changed = Buffer.from(raw.toString().replace(meetingId, 'aaaa-bbbb-cccc'))
    await assert.rejects(sdk.webhooks.verify(changed, headers['videosdk-signature']), /invalid/)
    assert.equal(headers['anteroom-delivery-id'], body.deliveryId)
    assert.equal(headers['anteroom-occurred-at'], String(body.occurredAt))
    assert.equal(headers['anteroom-event'], body.webhookType)
    assert.equal(headers['content-type'], 'application/json')
  }
  assert.equal(new Set(hooks.map(({ body }) => body.deliveryId)).size, hooks.length)
  const all = await deliveriesUntil(meetingId, (data) => data.every(({ state }) => state === 'delivered'))
  assert.deepEqual(
    all.map(({ deliveryId }) => deliveryId).reverse(),
    hooks.map(({ body }) => body.deliveryId),
  )
})

test('the key is the same after a restart', async () => {
  const key = (await server.rest('GET', '/v2/public/rsa-public-key', undefined, '')).body.publicKey
  await server.restart()
  assert.equal((await server.rest('GET', '/v2/public/rsa-public-key', undefined, '')).body.publicKey, key)
})

test('only requested events are sent, and a meeting without a webhook uses that of its project', async () => {
  const own = await aReceiver()
  const byDefault = await aReceiver()
  await onItsStore(async (store) => {
    const [project] = await store.projects.list()
    await store.projects.change(project!.projectId, {
      webhook: { endPoint: byDefault.url, events: ['session-started'] },
    })
  })
  await server.restart()
  const withOwn = await meetingTold(own.url, ['participant-joined', 'recording-*'])
  const without = await server.createMeeting()
  await join(withOwn, 'ann')
  await join(without, 'bob')
  await endSession(withOwn)
  await endSession(without)
  await own.until((hooks) => hooks.length > 0)
  await byDefault.until((hooks) => hooks.length > 0)
  assert.deepEqual(
    (await deliveriesOf(withOwn)).map(({ event }) => event),
    ['participant-joined'],
  )
  assert.deepEqual(
    (await deliveriesOf(without)).map(({ event }) => event),
    ['session-started'],
  )
  assert.equal(byDefault.hooks[0]!.body.data.meetingId, without)
  // The default webhook is read again while the server runs.
  await onItsStore(async (store) => {
    const [project] = await store.projects.list()
    await store.projects.change(project!.projectId, { webhook: null })
  })
  for (let tries = 0; ; tries++) {
    assert.ok(tries < 20)
    const meetingId = await server.createMeeting()
    await join(meetingId, 'ann')
    if ((await deliveriesOf(meetingId)).length === 0) break
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
})

test('an undelivered event is sent again with the same id, and later ones wait for it', async () => {
  const receiver = await aReceiver(failing)
  const meetingId = await meetingTold(receiver.url)
  await join(meetingId, 'ann')
  await receiver.until((hooks) => hooks.length === 1)
  const [joined, started] = await deliveriesUntil(meetingId, ([, first]) => first?.attempts === 1)
  assert.equal(started.state, 'waiting')
  assert.equal(started.lastStatus, 500)
  assert.match(started.lastError, /answered 500/)
  assert.ok(started.nextAt > started.occurredAt)
  assert.equal(joined.nextAt, null)
  receiver.answer = taking
  server.aheadMs = 3000
  const hooks = await receiver.until((all) => all.length === 3)
  assert.deepEqual(receiver.events, ['session-started', 'session-started', 'participant-joined'])
  assert.equal(hooks[1]!.body.deliveryId, hooks[0]!.body.deliveryId)
  assert.deepEqual(hooks[1]!.raw, hooks[0]!.raw)
  assert.equal(hooks[1]!.headers['anteroom-attempt'], '2')
})

test('does not follow a redirect', async () => {
  const elsewhere = await aReceiver()
  const receiver = await aReceiver(
    (_hook, response) => void response.writeHead(307, { location: elsewhere.url }).end(),
  )
  const meetingId = await meetingTold(receiver.url, ['session-started'])
  await join(meetingId, 'ann')
  const [delivery] = await deliveriesUntil(meetingId, ([one]) => one?.lastError)
  assert.match(delivery.lastError, /307; redirects are not followed/)
  assert.equal(elsewhere.connections, 0)
})

test('a closed, refused or garbled connection is reported in one sentence', async () => {
  const cases: [answer: Answering, pattern: RegExp, state: string][] = [
    [(_hook, response) => void response.socket!.destroy(), /closed the connection/, 'waiting'],
    [
      (_hook, response) => void response.socket!.end('nonsense\r\n\r\n'),
      /cannot be reached \(HPE_/,
      'waiting',
    ],
    [
      (_hook, response) => {
        response.writeHead(200)
        const pour = (): void => {
          if (!response.destroyed) response.write('x'.repeat(65_536), pour)
        }
        pour()
      },
      /^null$/,
      'delivered',
    ],
  ]
  for (const [answer, pattern, state] of cases) {
    const receiver = await aReceiver(answer)
    const meetingId = await meetingTold(receiver.url, ['session-started'])
    await join(meetingId, 'ann')
    const [delivery] = await deliveriesUntil(meetingId, ([one]) => one?.attempts === 1)
    assert.match(String(delivery.lastError), pattern)
    assert.equal(delivery.state, state)
  }
  const gone = await Receiver.start()
  const { url } = gone
  gone.stop()
  const meetingId = await meetingTold(url, ['session-started'])
  await join(meetingId, 'ann')
  const [delivery] = await deliveriesUntil(meetingId, ([one]) => one?.attempts === 1)
  assert.match(delivery.lastError, /refused the connection/)
})

test('an event undelivered for a day is parked, listed, and replayed by REST or by command', async () => {
  const receiver = await aReceiver(failing)
  const meetingId = await meetingTold(receiver.url, ['session-started'])
  await join(meetingId, 'ann')
  for (const attempts of [1, 2, 3]) {
    await deliveriesUntil(meetingId, ([one]) => one?.attempts === attempts)
    // After the first attempt that finds it too old, there is one more.
    server.aheadMs += attempts === 1 ? 25 * HOUR_MS : HOUR_MS
    if (attempts < 3) await receiver.until((hooks) => hooks.length === attempts + 1)
  }
  server.aheadMs = 0
  const [parked] = await deliveriesOf(meetingId)
  assert.equal(parked.state, 'parked')
  assert.equal(parked.nextAt, null)
  const listed = await server.rest(
    'GET',
    `/v2/webhooks/deliveries?state=parked&event=session-started&roomId=${meetingId}`,
  )
  assert.deepEqual(listed.body, {
    pageInfo: { currentPage: 1, perPage: 20, lastPage: 1, total: 1 },
    data: [parked],
  })

  const path = `/v2/webhooks/deliveries/${parked.deliveryId}`
  const whole = (await server.rest('GET', path)).body
  assert.equal(whole.body, receiver.hooks[0]!.raw.toString())
  assert.deepEqual(
    whole.tries.map(({ status }: { status: number }) => status),
    [500, 500, 500],
  )
  for (const one of whole.tries) {
    assert.ok(Number.isInteger(one.tookMs) && one.tookMs >= 0)
    assert.equal(one.error, parked.lastError)
  }
  assert.ok(whole.tries[0].at < whole.tries[1].at && whole.tries[1].at < whole.tries[2].at)
  assert.equal(whole.tries[2].at, parked.settledAt)

  const replayed = await server.rest('POST', `${path}/replay`)
  assert.equal(replayed.body.state, 'waiting')
  await receiver.until((hooks) => hooks.length === 4)
  await deliveriesUntil(meetingId, ([one]) => one.attempts === 1)
  server.aheadMs = 50 * HOUR_MS
  await receiver.until((hooks) => hooks.length === 5)
  await deliveriesUntil(meetingId, ([one]) => one.attempts === 2)
  server.aheadMs += HOUR_MS
  await receiver.until((hooks) => hooks.length === 6)
  await deliveriesUntil(meetingId, ([one]) => one.state === 'parked')
  receiver.answer = taking
  // Including those of other meetings.
  const { body } = await server.rest('POST', '/v2/webhooks/deliveries/replay', { state: 'parked' })
  assert.ok(body.replayed >= 1)
  await receiver.until((hooks) => hooks.length === 7)
  server.aheadMs = 0
  await deliveriesUntil(meetingId, ([one]) => one.state === 'delivered')
  assert.equal(new Set(receiver.hooks.map(({ body }) => body.deliveryId)).size, 1)

  // A separate process, next to the running server, finds it in the store.
  const shown = await anteroom('webhooks', 'show', parked.deliveryId, '--json')
  assert.equal(shown.state, 'delivered')
  assert.equal(shown.body, whole.body)
  // Including the attempts before each replay.
  assert.deepEqual(
    shown.tries.map(({ error }: { error: string | null }) => error === null),
    [false, false, false, false, false, false, true],
  )
  const { deliveries } = await anteroom('webhooks', 'list', '--meeting', meetingId, '--json')
  assert.equal(deliveries[0].deliveryId, parked.deliveryId)
  assert.deepEqual(await anteroom('webhooks', 'replay', parked.deliveryId, '--json'), { replayed: 1 })
  await receiver.until((hooks) => hooks.length === 8)
  const all = await anteroom('webhooks', 'replay', '--parked', '--json')
  assert.equal(typeof all.replayed, 'number')
})

test('deliveries are visible to the owner of the meeting', async () => {
  const receiver = await aReceiver()
  const meetingId = await meetingTold(receiver.url, ['session-started'])
  const other = await server.createMeeting()
  await join(meetingId, 'ann')
  const [{ deliveryId }] = await deliveriesUntil(meetingId, ([one]) => one?.state === 'delivered')
  const path = `/v2/webhooks/deliveries/${deliveryId}`
  const scoped = server.token(['allow_join', 'allow_mod'], { roomId: other })
  const joiner = server.token(['allow_join'], { roles: ['rtc'] })
  const cases: [method: string, path: string, body: unknown, token: string, status: number][] = [
    ['GET', '/v2/webhooks/deliveries', undefined, '', 401],
    ['GET', path, undefined, '', 401],
    ['GET', path, undefined, joiner, 403],
    ['GET', path, undefined, scoped, 403],
    ['POST', `${path}/replay`, undefined, scoped, 403],
    ['GET', '/v2/webhooks/deliveries', undefined, scoped, 403],
    ['GET', `/v2/webhooks/deliveries?roomId=${meetingId}`, undefined, scoped, 403],
    ['GET', `/v2/webhooks/deliveries?roomId=${other}`, undefined, scoped, 200],
    ['POST', '/v2/webhooks/deliveries/replay', { state: 'parked' }, scoped, 403],
    ['GET', '/v2/webhooks/deliveries', undefined, server.token(['ask_join']), 403],
    ['GET', '/v2/webhooks/deliveries', undefined, server.token(['allow_join']), 403],
    ['POST', '/v2/webhooks/deliveries/replay', { state: 'parked' }, server.token(['allow_join']), 403],
    ['GET', '/v2/webhooks/deliveries/nobody', undefined, server.token(['allow_join', 'allow_mod']), 404],
    [
      'GET',
      '/v2/webhooks/deliveries?roomId=nobody',
      undefined,
      server.token(['allow_join', 'allow_mod']),
      404,
    ],
    ['GET', '/v2/webhooks/deliveries?state=lost', undefined, server.token(['allow_join', 'allow_mod']), 400],
    [
      'POST',
      '/v2/webhooks/deliveries/replay',
      { state: 'all' },
      server.token(['allow_join', 'allow_mod']),
      400,
    ],
  ]
  for (const [method, where, body, token, status] of cases) {
    const answer = await server.rest(method, where, body, token)
    assert.equal(answer.status, status, `${method} ${where}: ${JSON.stringify(answer.body)}`)
  }
  assert.equal(receiver.hooks.length, 1)
})

test('a delivery interrupted by a stop is repeated after the next start', async () => {
  const receiver = await aReceiver(hanging)
  const meetingId = await meetingTold(receiver.url, ['session-started'])
  await join(meetingId, 'ann')
  await receiver.until((hooks) => hooks.length === 1)
  receiver.answer = taking
  await server.restart()
  await receiver.until((hooks) => hooks.length === 2)
  const [delivery] = await deliveriesUntil(meetingId, ([one]) => one?.state === 'delivered')
  assert.equal(delivery.attempts, 1)
})

async function anteroom(...args: string[]): Promise<any> {
  const child = spawn(process.execPath, [pathOf(import.meta.dirname, '../src/cli.ts'), ...args], {
    env: {
      ...process.env,
      DATA_DIR: server.config.dataDir,
      ...(server.config.databaseUrl !== undefined && { DATABASE_URL: server.config.databaseUrl }),
      VIDEOSDK_API_KEY: API_KEY,
      VIDEOSDK_SECRET_KEY: SECRET,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 120_000,
  })
  let out = ''
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  const [code] = await once(child, 'close')
  assert.equal(code, 0)
  return JSON.parse(out)
}
