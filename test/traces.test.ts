/** What an OpenTelemetry collector receives: connected spans, and nothing about people or secrets. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PassThrough } from 'node:stream'
import { createLog } from '../src/log.ts'
import { TestServer } from './support/test-server.ts'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  attributes: Record<string, string | number | boolean>
  failed: boolean
}

/** A collector on loopback, and a receiver of webhooks. */
class Collector {
  readonly requests: { path: string; headers: Record<string, unknown> }[] = []
  readonly spans: Span[] = []
  text = ''
  /** Resolves with the first webhook. */
  readonly hooked: Promise<void>
  #hook!: () => void
  readonly #server: Server

  constructor() {
    this.hooked = new Promise((resolve) => (this.#hook = resolve))
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        this.#take(request.url!, request.headers, Buffer.concat(chunks).toString())
        response.setHeader('content-type', 'application/json').end('{}')
      })
    })
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  named(name: string): Span[] {
    return this.spans.filter((span) => span.name === name)
  }

  #take(path: string, headers: Record<string, unknown>, body: string): void {
    this.requests.push({ path, headers })
    if (path === '/hook') this.#hook()
    if (path !== '/v1/traces') return
    this.text += body
    for (const { scopeSpans } of JSON.parse(body).resourceSpans)
      for (const { spans } of scopeSpans)
        for (const { traceId, spanId, parentSpanId, name, attributes, status } of spans)
          this.spans.push({
            traceId,
            spanId,
            ...(parentSpanId && { parentSpanId }),
            name,
            attributes: Object.fromEntries(
              attributes.map(({ key, value }: any) => [key, Object.values(value)[0]]),
            ),
            failed: status.code === 2,
          })
  }
}

const CALLER = { trace: 'a'.repeat(32), span: 'b'.repeat(16) }
const traceparent = `00-${CALLER.trace}-${CALLER.span}-01`
const HEADER = 'a-secret-of-the-collector'

const collector = new Collector()
const told: { requestId: string; meetingId: string; secrets: string[] } = {
  requestId: '',
  meetingId: '',
  secrets: [],
}

// One server runs everything that can be traced; its spans are examined afterwards, because it sends the rest when it
// stops.
before(async () => {
  const url = await collector.open()
  const server = await TestServer.start({
    traceEndpoint: url,
    traceHeaders: { 'x-collector': HEADER },
    webhookAllowPrivate: true,
  })
  const answer = await fetch(`${server.url}/v2/rooms`, {
    method: 'POST',
    headers: {
      authorization: server.token(['allow_join']),
      'content-type': 'application/json',
      traceparent,
    },
    body: JSON.stringify({ webhook: { endPoint: `${url}/hook`, events: ['*'] } }),
  })
  told.requestId = answer.headers.get('x-request-id')!
  const { roomId } = (await answer.json()) as { roomId: string }
  told.meetingId = roomId
  for (const wrong of [
    'junk',
    `00-${'0'.repeat(32)}-${CALLER.span}-01`,
    `ff-${CALLER.trace}-${CALLER.span}-01`,
  ])
    await (await fetch(`${server.url}/v2/rooms/quite-secret-id`, { headers: { traceparent: wrong } })).text()

  const token = server.token(['allow_join'])
  const ann = server.connect({
    token,
    meetingId: roomId,
    participantId: 'ann-the-participant',
    name: 'Ann of the name',
    requestId: 'quoted-request-id',
    from: { extraHeaders: { traceparent } },
  })
  await ann.join({ metaData: { note: 'a note of the app' } })
  await assert.rejects(ann.request('removePeer', { peerId: 'ann-the-participant' }))
  await assert.rejects(ann.request('made up by a client'))
  await ann.request('changeDisplayName', { displayName: 'Anna of the name' })
  told.secrets = [
    token,
    'ann-the-participant',
    'of the name',
    'a note of the app',
    HEADER,
    'quite-secret-id',
    'made up',
  ]
  const refused = server.connect({
    token: server.token(['allow_join']),
    meetingId: roomId,
    participantId: 'bob',
  })
  await refused.hears('connectionSuccess')
  await assert.rejects(refused.request('getRouterRtpCapabilities'))
  refused.close()
  await collector.hooked
  await server.stop()
})
after(() => collector.close())

test('an HTTP request is a span of its route, with its id, in the trace of its caller', () => {
  const [made] = collector.named('POST /v2/rooms')
  assert.ok(made, collector.spans.map(({ name }) => name).join())
  assert.deepEqual([made.traceId, made.parentSpanId], [CALLER.trace, CALLER.span])
  assert.equal(made.attributes['http.route'], '/v2/rooms')
  assert.equal(made.attributes['http.response.status_code'], 200)
  assert.equal(made.attributes['anteroom.request_id'], told.requestId)
  const others = collector.named('GET /v2/rooms/:id')
  assert.equal(others.length, 3)
  for (const { traceId, parentSpanId } of others) {
    assert.notEqual(traceId, CALLER.trace)
    assert.equal(parentSpanId, undefined)
  }
})

test('a join is one trace of the caller: its requests, admission, router, transports, store', () => {
  const [joined] = collector.named('join')
  assert.ok(joined)
  assert.deepEqual([joined.traceId, joined.parentSpanId], [CALLER.trace, CALLER.span])
  assert.equal(joined.attributes['anteroom.meeting_id'], told.meetingId)
  assert.equal(joined.attributes['anteroom.request_id'], 'quoted-request-id')
  assert.equal(joined.failed, false)
  const within = (parent: Span): string[] =>
    collector.spans
      .filter(({ parentSpanId }) => parentSpanId === parent.spanId)
      .map(({ name }) => name)
      .sort()
  assert.deepEqual(within(joined), [
    'socket createWebRtcTransport',
    'socket createWebRtcTransport',
    'socket getRouterRtpCapabilities',
    'socket join',
    'socket requestEntry',
  ])
  const [entry] = collector.named('socket requestEntry')
  assert.deepEqual(within(entry!), ['admission'])
  assert.deepEqual(within(collector.named('admission')[0]!), ['router'])
  for (const transport of collector.named('socket createWebRtcTransport'))
    assert.deepEqual(within(transport), ['transport'])
  assert.deepEqual(within(collector.named('socket join')[0]!), ['store'])
})

test('a request of a participant is its own trace, and a refusal is recorded by its code', () => {
  const [changed] = collector.named('socket changeDisplayName')
  assert.equal(changed!.parentSpanId, undefined)
  assert.notEqual(changed!.traceId, CALLER.trace)
  assert.equal(changed!.failed, false)
  const [refused] = collector.named('socket removePeer')
  assert.equal(refused!.failed, true)
  assert.equal(refused!.attributes['error.type'], 'INVALID_PERMISSIONS')
  assert.equal(collector.named('socket unknown').length, 1)
})

test('the delivery of a webhook is a span with its event and the answer of the receiver', () => {
  const deliveries = collector.named('webhook delivery')
  assert.ok(deliveries.length > 0)
  for (const { attributes, parentSpanId } of deliveries) {
    assert.equal(attributes['anteroom.meeting_id'], told.meetingId)
    assert.equal(parentSpanId, undefined)
  }
  assert.equal(deliveries[0]!.attributes['http.response.status_code'], 200)
})

test('traces name no person and contain no secret; the collector gets its own header', () => {
  for (const secret of told.secrets) assert.ok(!collector.text.includes(secret), secret)
  assert.doesNotMatch(collector.text, /eyJ|127\.0\.0\.1|ticket/)
  const traces = collector.requests.filter(({ path }) => path === '/v1/traces')
  assert.ok(traces.length > 0)
  for (const { headers } of traces) assert.equal(headers['x-collector'], HEADER)
})

test('a collector that is down affects nobody: it is reported once, and the server stops immediately', async () => {
  const lines = new PassThrough()
  let said = ''
  lines.on('data', (chunk: Buffer) => (said += String(chunk)))
  const server = await TestServer.start(
    { traceEndpoint: 'http://127.0.0.1:9' },
    { log: createLog('warn', lines) },
  )
  await server.createMeeting()
  await server.stop()
  assert.equal(said.split('failed to send traces to the collector').length - 1, 1, said)
})

test('without a collector nothing of the library is loaded', () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      resolve(specifier, context, next) {
        if (/opentelemetry/.test(specifier)) loaded.push(specifier)
        return next(specifier, context)
      },
    })
    const { TestServer } = await import('./test/support/test-server.ts')
    const server = await TestServer.start()
    await server.createMeeting()
    await server.stop()
    console.log(JSON.stringify(loaded))`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '..'),
  })
  assert.equal(status, 0, stderr)
  const loaded = JSON.parse(stdout.trim().split('\n').at(-1)!) as string[]
  // The metrics request it by themselves, to link a figure with a trace.
  assert.deepEqual(
    loaded.filter((name) => name !== '@opentelemetry/api'),
    [],
  )
})
