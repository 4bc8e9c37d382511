/** The socket of the page /check: what anybody may do there, and what nobody may. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { WebSocket } from 'ws'
import type { CheckAnswer, CheckAnswers } from '../src/protocol/check.ts'
import { TestServer } from './support/test-server.ts'

const LATER = 1013
const OVER = 4000
let server: TestServer
before(async () => {
  server = await TestServer.start({ maxChecks: 2, trustedProxies: ['127.0.0.1', '::1'] })
})
after(() => server.stop())
beforeEach(() => {
  // Checks of one address have a pace.
  server.aheadMs += 120_000
})

/** One page at the check, from an address of its own. */
class Page {
  readonly #socket: WebSocket
  readonly #closed: Promise<{ code: number; reason: string }>
  readonly #answers = new Map<number, (answer: CheckAnswer) => void>()
  #last = 0

  constructor(address: string, url = server.url) {
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/check/socket`, {
      headers: { 'x-forwarded-for': address },
    })
    this.#closed = new Promise((resolve) =>
      this.#socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    )
    this.#socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as CheckAnswer
      this.#answers.get(answer.id)?.(answer)
    })
  }

  async open(): Promise<this> {
    await new Promise((resolve) => this.#socket.once('open', resolve))
    return this
  }

  send(what: unknown): void {
    this.#socket.send(typeof what === 'string' ? what : JSON.stringify(what))
  }

  ask(method: string, data: object = {}): Promise<CheckAnswer> {
    const id = ++this.#last
    this.send({ id, method, data })
    return new Promise((resolve) => this.#answers.set(id, resolve))
  }

  async get<M extends keyof CheckAnswers>(method: M, data: object = {}): Promise<CheckAnswers[M]> {
    const answer = await this.ask(method, data)
    assert.ok(answer.ok, JSON.stringify(answer))
    return answer.data as CheckAnswers[M]
  }

  async refusal(method: string, data: object = {}): Promise<string> {
    const answer = await this.ask(method, data)
    assert.ok(!answer.ok, `${method} was answered`)
    return answer.code
  }

  closed(): Promise<{ code: number; reason: string }> {
    return this.#closed
  }

  async leave(): Promise<void> {
    this.#socket.close()
    await this.#closed
  }
}

const VP8 = {
  codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, parameters: {} }],
  encodings: [{ ssrc: 2222 }],
  rtcp: { cname: 'check' },
}

test('nothing works out of order, nothing foreign is received, and what is no message ends the check', async () => {
  const page = await new Page('192.0.2.1').open()
  const dtlsParameters = { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: 'AA' }] }
  assert.equal(await page.refusal('connect', { direction: 'send', dtlsParameters }), 'INVALID_STATE')
  assert.equal(await page.refusal('produce', { rtpParameters: VP8 }), 'INVALID_STATE')
  await page.get('open', { protocol: 'udp' })
  assert.equal(await page.refusal('consume', { rtpCapabilities: {} }), 'INVALID_STATE')
  await page.get('produce', { rtpParameters: VP8 })
  assert.equal(await page.refusal('produce', { rtpParameters: VP8 }), 'INVALID_STATE')
  // There is no field for somebody else's producer.
  page.send({ id: 99, method: 'join', data: {} })
  assert.deepEqual(await page.closed(), { code: OVER, reason: 'not a message of a check' })
  for (const [nth, junk] of [
    '',
    '{}',
    '[]',
    '{"id":1,"method":"open","data":{"protocol":"sctp"}}',
  ].entries()) {
    const other = await new Page(`192.0.2.${10 + nth}`).open()
    other.send(junk)
    assert.equal((await other.closed()).code, OVER, junk)
  }
})

test('a check gets its own picture back, at the addresses of one protocol, and leaves nothing behind', async () => {
  const page = await new Page('192.0.2.2').open()
  await page.get('ping')
  assert.deepEqual(await page.get('turn'), { relays: [] })
  for (const protocol of ['udp', 'tcp'] as const) {
    const { send, receive, rtpCapabilities } = await page.get('open', { protocol })
    for (const { iceCandidates } of [send, receive]) {
      assert.ok(iceCandidates.every((one) => one.protocol === protocol))
    }
    const { id } = await page.get('produce', { rtpParameters: VP8 })
    assert.equal((await page.get('consume', { rtpCapabilities })).producerId, id)
  }
  const routers = server.sfu.routers.slice(-2)
  assert.deepEqual(
    routers.map(({ closed }) => closed),
    [true, false],
  )
  await page.leave()
  while (!routers[1]!.closed) await new Promise((look) => setImmediate(look))
  assert.ok(routers.every(({ transports }) => transports.size === 0))
})

test('checks are few, short, and end where one moves more than a check does', async () => {
  const first = await new Page('192.0.2.3').open()
  assert.equal((await new Page('192.0.2.3').closed()).reason, 'Another check from this address goes on.')
  const second = await new Page('192.0.2.4').open()
  await second.get('ping')
  const { code, reason } = await new Page('192.0.2.5').closed()
  assert.deepEqual([code, reason], [LATER, 'Others are checking now; try again in a minute.'])
  await second.leave()

  for (let nth = 0; nth < 4; nth++) await first.get('open', { protocol: 'udp' })
  assert.equal(await first.refusal('open', { protocol: 'udp' }), 'RATE_LIMITED')
  await first.leave()

  const greedy = await new Page('192.0.2.6').open()
  await greedy.get('open', { protocol: 'udp' })
  for (const transport of server.sfu.routers.at(-1)!.transports)
    transport.stats = () =>
      Promise.resolve({
        receiveBitrate: 0,
        receiveBytes: 6_000_001,
        sendBitrate: 0,
        sendBytes: 0,
        lostReceiving: null,
        lostSending: null,
        availableBitrate: null,
      })
  await greedy.closed()

  server.stillAt = Date.now()
  const codes: number[] = []
  for (let nth = 0; nth < 7; nth++) {
    const page = await new Page('192.0.2.7').open()
    page.send('junk')
    codes.push((await page.closed()).code)
  }
  server.stillAt = undefined
  assert.deepEqual(codes, [...Array<number>(6).fill(OVER), LATER])

  const talkative = await new Page('192.0.2.8').open()
  for (let nth = 0; nth < 61; nth++) talkative.send({ id: nth, method: 'ping', data: {} })
  assert.deepEqual(await talkative.closed(), { code: OVER, reason: 'too many messages' })
})

test('the server asks its TURN servers once for all checks of a minute, and gives no credentials away', async (t) => {
  let asked = 0
  const relay = createServer((socket) => {
    asked++
    socket.destroy()
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  t.after(() => relay.close())
  const url = `turn:127.0.0.1:${(relay.address() as AddressInfo).port}?transport=tcp`
  const turnSecret = 'a-turn-secret-for-tests-only'
  const own = await TestServer.start({ turnUrls: ['stun:stun.example.org', url], turnSecret })
  t.after(() => own.stop())
  const first = await new Page('192.0.2.10', own.url).open()
  const answers = [await first.get('turn'), await first.get('turn')]
  for (const { relays } of answers) {
    assert.deepEqual(
      relays.map(({ url, relay }) => ({ url, relay })),
      [{ url, relay: 'unreachable' }],
    )
  }
  assert.equal(asked, 1)
  assert.doesNotMatch(JSON.stringify(answers), /anteroom|credential/)
  await first.leave()
})

test('MAX_CHECKS=0 switches them off, and says so', async () => {
  const off = await TestServer.start({ maxChecks: 0 })
  try {
    const { code, reason } = await new Page('192.0.2.9', off.url).closed()
    assert.deepEqual([code, reason], [LATER, 'Checks are switched off on this server.'])
  } finally {
    await off.stop()
  }
})
