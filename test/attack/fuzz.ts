/** Sends random inputs to a running server, and checks the properties that must always hold. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { describeSettings } from '../../src/config/describe.ts'
import { readConfig } from '../../src/config/read.ts'
import { ConfigError } from '../../src/errors.ts'
import { sampleDtlsParameters, sampleRtpParameters } from '../support/rtp-samples.ts'
import { encodeClientFrame, decodeServerFrame, type ClientFrame } from '../../src/protocol/chat.ts'
import { errorNames } from '../../src/protocol/errors.ts'
import { absentServices, requests } from '../../src/protocol/requests.ts'
import { signAnything } from '../support/test-server.ts'
import { WireClient, WireError } from '../support/wire-client.ts'
import { deepJson, oddTexts, oddValues } from './odd-values.ts'
import { Random } from './random.ts'

export interface FuzzReport {
  inputs: number
  /** How often each kind of answer came. */
  answers: Map<string, number>
  /** Undocumented answers, internal errors and missing answers; there must be none. */
  wrong: string[]
}

export interface Memory {
  heapUsed: number
  rss: number
}

const PATIENCE_MS = 60_000
const known = new Set<string>(errorNames)
const DIRECT = (): string => signAnything({ apikey: 'test-key', permissions: ['allow_join'] })

const newReport = (): FuzzReport => ({ inputs: 0, answers: new Map(), wrong: [] })
const count = (report: FuzzReport, answer: string): void =>
  void report.answers.set(answer, (report.answers.get(answer) ?? 0) + 1)

/** The server in its own process, and a second meeting in which two people continue to talk. */
export class Fuzzed {
  readonly url: string
  /** Why the server died; undefined while it lives. */
  died: string | undefined
  readonly #child: ChildProcess
  readonly #clients: WireClient[] = []
  /** The longest time that a message in the second meeting took. */
  slowestMs = 0
  said = 0
  #talking = false

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
    let stderr = ''
    child.stderr?.on('data', (chunk) => (stderr += String(chunk)))
    child.once('exit', (code, signal) => (this.died = `exit ${code ?? signal}: ${stderr.slice(0, 2000)}`))
  }

  static async start(): Promise<Fuzzed> {
    const child = fork(join(import.meta.dirname, 'fuzz-server.ts'), {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const [{ url }] = (await once(child, 'message')) as [{ url: string }]
    return new Fuzzed(child, url)
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  async memory(): Promise<Memory> {
    const answered = once(this.#child, 'message')
    this.#child.send('memory')
    const [{ memory }] = (await answered) as [{ memory: Memory }]
    return memory
  }

  async createMeeting(body: unknown = {}): Promise<string> {
    const answer = await fetch(`${this.url}/v2/rooms`, {
      method: 'POST',
      headers: { authorization: DIRECT(), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return ((await answer.json()) as { roomId: string }).roomId
  }

  async join(
    meetingId: string,
    participantId: string,
    token = DIRECT(),
  ): Promise<{ client: WireClient; chatUrl: string }> {
    const client = new WireClient({ url: this.url, token, meetingId, participantId })
    this.#clients.push(client)
    const reply = await client.join()
    return { client, chatUrl: reply.pubSubUrl }
  }

  /** Lets two people in their own meeting exchange messages continuously. */
  async talk(): Promise<void> {
    const meetingId = await this.createMeeting()
    const [ann, bob] = [await this.join(meetingId, 'ann'), await this.join(meetingId, 'bob')]
    await bob.client.request('realtimeStoreObserve', { key: 'said' })
    this.#talking = true
    void (async () => {
      for (let value = 1; this.#talking && this.died === undefined; value++) {
        const from = performance.now()
        await ann.client.request('realtimeStoreSet', { key: 'said', value: String(value) })
        await bob.client.hears('realtimeStoreValueChanged', (heard) => heard.value === String(value))
        bob.client.heard.length = 0
        this.slowestMs = Math.max(this.slowestMs, performance.now() - from)
        this.said++
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })().catch((error: unknown) => {
      this.died ??= `the other meeting stopped: ${String(error).slice(0, 300)}`
    })
  }

  async stop(): Promise<void> {
    this.#talking = false
    for (const client of this.#clients) client.close()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.send('stop')
    await exited
  }
}

/** Runs several lanes concurrently; each takes its next input when the previous one is answered. */
async function together(lanes: number, inputs: number, one: (lane: number) => Promise<void>): Promise<void> {
  let left = inputs
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (left-- > 0) await one(lane)
    }),
  )
}

// HTTP

interface HttpInput {
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer
}

const fieldNames = [
  ...[
    'roomId',
    'meetingId',
    'customRoomId',
    'userMeetingId',
    'token',
    'permissions',
    'participantId',
    'peerId',
  ],
  ...[
    'expiresIn',
    'webhook',
    'autoCloseConfig',
    'autoStartConfig',
    'geoFence',
    'allowedParticipantIds',
    'code',
  ],
  ...['entry', 'expiresInSeconds', 'maxUses', 'fileName', 'base64Data', 'page', 'perPage', 'query', 'apiKey'],
  ...[
    'sessionId',
    'status',
    'startDate',
    'endDate',
    'ignoreClosed',
    '__proto__',
    'constructor',
    'toString',
    '',
  ],
]

const contentTypes = [
  ...[
    'application/json',
    'application/json; charset=utf-16',
    'application/x-www-form-urlencoded',
    'text/plain',
  ],
  ...[
    '',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'text/html',
    'a/b',
    ';;;',
    'application/json, x',
  ],
]

const methods = ['PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND']

/** Returns the paths to request, from the server's own API document where possible. */
async function pathsOf(fuzzed: Fuzzed): Promise<string[]> {
  const paths = [
    ...['/', '/health', '/ping', '/get-token', '/create-meeting', '/create-room', '/validate-meeting/:id'],
    ...['/validate-room/:id', '/v2/rooms', '/v2/rooms/:id', '/v2/rooms/validate/:id', '/v2/rooms/deactivate'],
    ...[
      '/v2/v2/rooms',
      '/v1/meetings',
      '/v1/meetings/:id',
      '/api/meetings',
      '/api/meetings/:id',
      '/v2/invites',
    ],
    ...[
      '/v2/invites/:id/revoke',
      '/invites/exchange',
      '/page/start',
      '/page/sign-in',
      '/base64-upload',
      '/m/:id',
    ],
    ...[
      '/files/:id/:id/:id',
      '/v1/prebuilt/token',
      '/v1/prebuilt/meetings/:id',
      '/v2/sessions',
      '/v2/sessions/end',
    ],
    ...[
      '/v2/sessions/:id',
      '/v2/sessions/:id/participants',
      '/infra/v1/meetings/init-config',
      '/assets/:id',
      '/:id',
    ],
  ]
  for (const address of ['/openapi.json', '/docs/json']) {
    const answer = await fetch(fuzzed.url + address)
    if (!answer.ok) continue
    const described = (await answer.json()) as { paths?: Record<string, unknown> }
    paths.push(...Object.keys(described.paths ?? {}).map((path) => path.replaceAll(/\{\w+\}/g, ':id')))
  }
  return [...new Set(paths)]
}

function httpInput(random: Random, paths: readonly string[], ids: readonly string[]): HttpInput {
  const text = (): string => (random.chance(0.4) ? random.pick(ids) : random.pick(oddTexts))
  const escape = (raw: string): string => {
    // Invalid characters have no escape, and invalid escapes are worth trying.
    if (random.chance(0.03)) return random.pick(['%', '%zz', '%ff%fe', '%c0%af', '%00', '%ed%a0%80'])
    return encodeURIComponent(raw.toWellFormed())
  }
  let path = random.pick(paths).replaceAll(':id', () => escape(text()))
  if (random.chance(0.5)) {
    const pairs = Array.from(
      { length: 1 + random.below(4) },
      () => `${escape(random.pick(fieldNames))}${random.pick(['=', '[]=', '[a]=', ''])}${escape(text())}`,
    )
    path += `?${pairs.join(random.pick(['&', '&', '&&', ';']))}`
  }
  if (random.chance(0.03))
    path = random.pick(['//', '/..', '/%2e%2e/%2e%2e/etc/passwd', '/a//b', '/?', '/?#', '/*'])
  const token = DIRECT()
  const headers: Record<string, string> = {}
  if (random.chance(0.85)) {
    headers.authorization = random.chance(0.85)
      ? random.pick([token, `Bearer ${token}`, `bearer   ${token}`])
      : random.pick([
          `Basic ${random.bytes(20).toString('base64')}`,
          'Bearer',
          ' ',
          token.slice(0, -3),
          'x'.repeat(9000),
        ])
  }
  const type = random.chance(0.7) ? 'application/json' : random.pick(contentTypes)
  if (type !== '') headers['content-type'] = type
  for (const name of random.some(
    ['accept', 'origin', 'host', 'cookie', 'x-forwarded-for', 'x-request-id', 'range'],
    2,
  ))
    headers[name] =
      latin(random.pick([...oddTexts, 'anteroom_sign_in=x', '*/*', 'text/html', 'bytes=0-1,5-'])) || 'x'
  const method = random.chance(0.85) ? random.pick(['GET', 'POST']) : random.pick(methods)
  return { method, path, headers, body: bodyOf(random, text, type) }
}

/** The characters that a header may contain. */
const latin = (text: string): string =>
  text
    .replaceAll(/[^\x20-\x7e\x80-\xff]/g, '')
    .trim()
    .slice(0, 4000)

function bodyOf(random: Random, text: () => string, type: string): Buffer {
  const kind = random.below(10)
  if (kind === 0) return Buffer.alloc(0)
  if (kind === 1) return random.bytes(random.below(300))
  if (kind === 2) return Buffer.from(random.pick(oddTexts))
  if (kind === 3) {
    const depth = random.pick([10, 31, 33, 1000, 50_000])
    return Buffer.from(`{"autoStartConfig":{"a":${deepJson(depth, random.pick(['array', 'object']))}}}`)
  }
  const fields: Record<string, unknown> = {}
  for (const name of random.some(fieldNames, 5)) {
    fields[name] = random.chance(0.5) ? text() : random.pick(oddValues)
    if (random.chance(0.1)) fields[name] = [fields[name], random.pick(oddValues)]
    if (random.chance(0.1)) fields[name] = { [random.pick(fieldNames)]: fields[name] }
  }
  if (type.includes('urlencoded') || random.chance(0.1)) {
    const pairs = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value ?? null)])
    return Buffer.from(new URLSearchParams(pairs).toString())
  }
  const json = Buffer.from(JSON.stringify(fields))
  return random.chance(0.1) ? json.subarray(0, random.below(json.length)) : json
}

export async function fuzzHttp(fuzzed: Fuzzed, seed: number, inputs: number): Promise<FuzzReport> {
  const random = new Random(seed)
  const report = newReport()
  const ids: string[] = ['custom-1', 'custom-2', 'a'.repeat(24)]
  for (const customRoomId of ['custom-1', 'custom-2']) ids.push(await fuzzed.createMeeting({ customRoomId }))
  const paths = await pathsOf(fuzzed)
  const fileMeeting = await fuzzed.createMeeting()
  const fileToken = DIRECT()
  await fuzzed.join(fileMeeting, 'files', fileToken)
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  await together(16, inputs, async () => {
    if (fuzzed.died !== undefined) return
    report.inputs++
    const chance = random.next()
    const input = chance < 0.15 ? fileInput(random, fileMeeting, fileToken) : httpInput(random, paths, ids)
    const shown = `${input.method} ${input.path.slice(0, 200)} ${JSON.stringify(input.headers).slice(0, 300)} ${input.body.toString('latin1').slice(0, 300)}`
    if (chance > 0.97) return rawHttp(fuzzed, random, report)
    try {
      const answer = await askHttp(fuzzed, agent, input)
      judgeHttp(answer, input, shown, report)
      const { url } = jsonOf(answer.body) as { url?: unknown }
      if (input.path.startsWith('/base64-upload') && typeof url === 'string') {
        const file = await askHttp(fuzzed, agent, {
          method: 'GET',
          path: new URL(url).pathname,
          headers: { authorization: fileToken },
          body: Buffer.alloc(0),
        })
        if (file.status !== 200 || file.headers['content-security-policy'] !== "default-src 'none'; sandbox")
          report.wrong.push(`a file does not come back: ${shown}`)
      }
    } catch (error) {
      report.wrong.push(`${String(error)}: ${shown}`)
    }
  })
  agent.destroy()
  return report
}

function fileInput(random: Random, roomId: string, token: string): HttpInput {
  const bytes = random.bytes(random.below(64))
  const base64Data = random.pick([
    bytes.toString('base64'),
    `data:${latin(random.pick(oddTexts))};base64,${bytes.toString('base64')}`,
    bytes.toString('base64url'),
    random.pick(oddTexts),
    bytes.toString('base64').slice(1),
    random.pick(oddValues),
  ])
  const fileName = random.chance(0.8) ? random.pick(oddTexts) : random.pick(oddValues)
  return {
    method: 'POST',
    path: `/base64-upload?roomId=${roomId}`,
    headers: { authorization: token, 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ fileName, base64Data })),
  }
}

interface HttpAnswer {
  status: number
  headers: Record<string, unknown>
  body: string
}

function askHttp(
  fuzzed: Fuzzed,
  agent: Agent,
  { method, path, headers, body }: HttpInput,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      {
        host: '127.0.0.1',
        port: fuzzed.port,
        agent,
        method,
        path,
        headers: { ...headers, 'content-length': body.length },
        timeout: PATIENCE_MS,
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () =>
          resolve({
            status: answer.statusCode!,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
        answer.on('error', reject)
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('silence')))
    asked.on('error', reject)
    asked.end(body)
  })
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function judgeHttp(answer: HttpAnswer, { method }: HttpInput, shown: string, report: FuzzReport): void {
  const { status, body, headers } = answer
  if (status < 400) {
    count(report, String(status))
    return
  }
  const { code, name, statusCode } = jsonOf(body) as Record<string, unknown>
  const told = typeof code === 'string' ? code : typeof name === 'string' ? name : 'none'
  count(report, `${status} ${method === 'HEAD' ? '' : told}`)
  if (status >= 500) report.wrong.push(`${status} ${told}: ${shown}`)
  if (method === 'HEAD') return
  if (
    !known.has(told) ||
    statusCode !== status ||
    !String(headers['content-type']).startsWith('application/json')
  )
    report.wrong.push(`${status} with ${body.slice(0, 200)}: ${shown}`)
}

/** Sends bytes that may not be HTTP: the server answers with a refusal or closes the connection. */
async function rawHttp(fuzzed: Fuzzed, random: Random, report: FuzzReport): Promise<void> {
  const lines = [
    random.pick([
      'GET / HTTP/1.1',
      'GET // HTTP/1.1',
      'POST /v2/rooms HTTP/1.1',
      'GET /\0 HTTP/1.1',
      'X',
      'GET / HTTP/9.9',
      'get / http/1.1',
      'OPTIONS * HTTP/1.1',
      'GET http://a/ HTTP/1.1',
    ]),
    random.pick([
      'host: a',
      'host: a\r\nhost: b',
      'no colon',
      'content-length: -1',
      'content-length: 1\r\ncontent-length: 2',
      'transfer-encoding: chunked\r\ncontent-length: 3',
      'expect: x',
      `x: ${'y'.repeat(20_000)}`,
      'upgrade: websocket\r\nconnection: upgrade',
    ]),
    'connection: close',
  ]
  const bytes = Buffer.concat([
    Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
    random.bytes(random.below(40)),
  ])
  if (random.chance(0.3)) bytes[random.below(bytes.length)] = random.below(256)
  const socket = connectSocket(fuzzed.port, '127.0.0.1')
  let heard = ''
  socket.on('data', (chunk) => (heard += String(chunk)))
  socket.on('error', () => undefined)
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  socket.end(bytes)
  await once(socket, 'close')
  const status = /^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1]
  count(report, `raw ${status ?? 'closed'}`)
  if (Number(status) >= 500 && status !== '505')
    report.wrong.push(`${status}: ${bytes.toString('latin1').slice(0, 300)}`)
}

// Sockets

const dataNames = [
  ...['peerId', 'transportId', 'consumerId', 'producerId', 'dataProducerId', 'dataConsumerId', 'kind', 'id'],
  ...[
    'rtpParameters',
    'rtpCapabilities',
    'appData',
    'metaData',
    'displayName',
    'mode',
    'decision',
    'meetingId',
  ],
  ...['roomId', 'secret', 'key', 'value', 'state', 'spatialLayer', 'priority', 'kinds', 'payload', 'token'],
  ...[
    'producing',
    'consuming',
    'dtlsParameters',
    'sctpCapabilities',
    'sctpStreamParameters',
    'label',
    'protocol',
  ],
  ...['preferredProtocol', 'leaveReason', 'name', 'autoConsume', '__proto__', 'constructor'],
]

export async function fuzzSocket(fuzzed: Fuzzed, seed: number, inputs: number): Promise<FuzzReport> {
  const random = new Random(seed)
  const report = newReport()
  const [meetingId, elsewhere] = [await fuzzed.createMeeting(), await fuzzed.createMeeting()]
  const lanes = 12
  const clients: (WireClient | undefined)[] = []
  const grants = [['allow_join'], ['ask_join'], ['allow_mod']]
  const open = async (lane: number): Promise<WireClient> => {
    const there = clients[lane]
    if (there?.socket.connected) return there
    there?.close()
    // Clients that must ask stay in the lobby, so that the states before admission are tested too.
    const permissions = grants[lane % grants.length]!
    const client = new WireClient({
      url: fuzzed.url,
      token: signAnything({ apikey: 'test-key', permissions }),
      meetingId,
      participantId: `fuzz-${lane}-${random.below(1e9)}`,
    })
    clients[lane] = client
    if (permissions[0] === 'ask_join') {
      await client.hears('connectionSuccess')
      if (random.chance(0.5)) await client.request('requestEntry')
    } else await client.join()
    return client
  }
  const someIds = (lane: number): string[] => {
    const client = clients[lane]!
    const heard = client.heard.slice(-20).map(({ id }) => id)
    return [client.participantId, meetingId, elsewhere, ...Object.values(client.transports), ...heard].filter(
      (id): id is string => typeof id === 'string',
    )
  }
  await together(lanes, inputs, async (lane) => {
    if (fuzzed.died !== undefined) return
    report.inputs++
    let shown = ''
    try {
      const client = await open(lane)
      if (client.heard.length > 500) client.heard.splice(0, 400)
      if (random.chance(0.02)) {
        rawPacket(client, random)
        count(report, 'raw packet')
        return
      }
      const message = socketInput(random, someIds(lane))
      shown = JSON.stringify(message ?? null).slice(0, 400)
      const answer = await new Promise<any>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('silence')), PATIENCE_MS)
        const done = (value: unknown): void => {
          clearTimeout(timer)
          client.socket.off('disconnect', cut)
          resolve(value)
        }
        const cut = (): void => done({ data: 'cut' })
        client.socket.once('disconnect', cut)
        client.socket.emit('request', message, done)
      })
      const { data } = answer
      if (data?.status === 'error') {
        count(report, data.code)
        if (!known.has(data.code) || typeof data.message !== 'string' || data.code === 'SOMETHING_WENT_WRONG')
          report.wrong.push(`${JSON.stringify(data)}: ${shown}`)
      } else count(report, data === 'cut' ? 'closed' : 'ok')
    } catch (error) {
      // Another lane removed it while it joined.
      if (error instanceof WireError) count(report, error.errorName)
      else report.wrong.push(`${String(error).slice(0, 300)}: ${shown}`)
    }
  })
  for (const client of clients) client?.close()
  return report
}

function socketInput(random: Random, ids: readonly string[]): unknown {
  if (random.chance(0.03)) return random.pick(oddValues)
  const names = [...Object.keys(requests), ...absentServices].filter(
    // These end the connection or the meeting, so they are rare.
    (method) => !['leave', 'closeRoom', 'removePeer'].includes(method) || random.chance(0.02),
  )
  const method = random.chance(0.95) ? random.pick(names) : random.pick(oddValues)
  const value = (): unknown => {
    const kind = random.below(8)
    if (kind < 3) return random.pick(ids)
    if (kind === 3)
      return random.pick(['audio', 'video', 'allowed', 'denied', 'SEND_AND_RECV', 'RECV_ONLY', true, 1, 0])
    if (kind === 4) return { [random.pick(dataNames)]: random.pick(oddValues) }
    return random.pick(oddValues)
  }
  const data: Record<string, unknown> = {}
  const shape =
    typeof method === 'string' && Object.hasOwn(requests, method)
      ? requests[method as keyof typeof requests]
      : undefined
  const own = shape ? Object.keys(shape.data.properties) : []
  for (const name of [...own.filter(() => random.chance(0.9)), ...random.some(dataNames, 2)])
    data[name] = value()
  // Valid except for one field, so that the code behind the schemas is reached too.
  if (own.includes('rtpParameters') && random.chance(0.7)) {
    const kind = random.pick(['audio', 'video'] as const)
    data.kind = kind
    data.rtpParameters = changed(random, sampleRtpParameters(kind, { layers: 1 }))
  }
  if (own.includes('dtlsParameters') && random.chance(0.7))
    data.dtlsParameters = changed(random, sampleDtlsParameters())
  if (own.includes('sctpStreamParameters') && random.chance(0.7))
    data.sctpStreamParameters = changed(random, { streamId: random.below(70_000), ordered: true })
  if (own.includes('secret') && random.chance(0.7)) data.secret = DIRECT()
  return { method, data }
}

/** Returns a deep copy with one of its values replaced. */
function changed(random: Random, value: unknown): unknown {
  const copy: unknown = structuredClone(value)
  const places: [holder: any, key: string][] = []
  const walk = (one: unknown): void => {
    if (typeof one !== 'object' || one === null) return
    for (const [key, inner] of Object.entries(one)) {
      places.push([one, key])
      walk(inner)
    }
  }
  walk(copy)
  if (random.chance(0.7)) {
    const [holder, key] = random.pick(places)
    holder[key] = random.pick(oddValues)
  }
  return copy
}

/** Sends packets that no client library would send. */
function rawPacket(client: WireClient, random: Random): void {
  const engine = client.socket.io.engine as unknown as { write(data: string | Buffer): void } | undefined
  const deep = `2["request",{"method":"produceError","data":{"a":${deepJson(60_000)}}}]`
  engine?.write(
    random.pick<string | Buffer>([
      ...[
        '2',
        '2[',
        '2["request"]',
        '2[]',
        '2{}',
        '2[1]',
        '2["request",null]',
        '29["request",{"method":"leave"}',
        '9',
      ],
      ...[
        '51-["request",{"_placeholder":true,"num":0}]',
        '51-["request",{"_placeholder":true,"num":99}]',
        '59999-[]',
      ],
      ...[
        '2/other,["request"]',
        '0',
        '1',
        '3["x"]',
        '4',
        '2["request",{"method":"__proto__"}]',
        '2["disconnect"]',
      ],
      ...['2["connect"]', '2["error"]', '2["newListener",1]', deep, random.bytes(40), Buffer.alloc(0)],
    ]),
  )
}

// Chat

export async function fuzzChat(fuzzed: Fuzzed, seed: number, inputs: number): Promise<FuzzReport> {
  const random = new Random(seed)
  const report = newReport()
  const meetingId = await fuzzed.createMeeting()
  const lanes = 8
  const chatUrls: string[] = []
  for (let lane = 0; lane < lanes; lane++)
    chatUrls.push((await fuzzed.join(meetingId, `chat-${lane}`)).chatUrl)
  const sockets: (WebSocket | undefined)[] = []
  const waiting = Array.from({ length: lanes }, () => new Map<string, (answer: string) => void>())
  const open = async (lane: number): Promise<WebSocket> => {
    const there = sockets[lane]
    if (there?.readyState === WebSocket.OPEN) return there
    const socket = new WebSocket(chatUrls[lane]!)
    sockets[lane] = socket
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer) => {
      const frame = decodeServerFrame(data)
      if (frame.kind !== 'ack' && frame.kind !== 'batch') return
      const settle = waiting[lane]!.get(frame.value.requestId)
      if (!settle) return
      settle(frame.kind === 'batch' || frame.value.ok ? 'ok' : frame.value.error || 'no reason')
    })
    socket.on('close', () => {
      for (const settle of [...waiting[lane]!.values()]) settle('closed')
    })
    await once(socket, 'open')
    return socket
  }
  let requests_ = 0
  await together(lanes, inputs, async (lane) => {
    if (fuzzed.died !== undefined) return
    report.inputs++
    try {
      const socket = await open(lane)
      const requestId = `r${requests_++}`
      const { frame, whole } = chatInput(random, requestId)
      if (!whole) {
        socket.send(frame, { binary: !random.chance(0.05) })
        count(report, 'bytes')
        return
      }
      const answered = new Promise<string>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('silence')), PATIENCE_MS)
        waiting[lane]!.set(requestId, (answer) => {
          clearTimeout(timer)
          waiting[lane]!.delete(requestId)
          resolve(answer)
        })
      })
      socket.send(frame)
      const answer = await answered
      count(report, answer.slice(0, 60))
      if (answer === 'no reason' || answer.startsWith('Something went wrong'))
        report.wrong.push(`${answer}: ${Buffer.from(frame).toString('hex').slice(0, 400)}`)
    } catch (error) {
      report.wrong.push(String(error).slice(0, 300))
    }
  })
  for (const socket of sockets) socket?.terminate()
  return report
}

function chatInput(random: Random, requestId: string): { frame: Uint8Array; whole: boolean } {
  const kind = random.pick<ClientFrame['kind']>([
    'publish',
    'publish',
    'subscribe',
    'unsubscribe',
    'getHistory',
  ])
  const text = (): string => random.pick(oddTexts).toWellFormed()
  const number = (): number => random.pick([0, 1, -1, 100, 2 ** 31 - 1, -(2 ** 31)])
  const topic = random.chance(0.8) ? `t${random.below(40)}` : text()
  const values: Record<string, object> = {
    publish: {
      topic,
      message: text(),
      payload: random.bytes(random.below(100)),
      sendOnly: random.chance(0.3)
        ? random.some(
            oddTexts.map((one) => one.toWellFormed()),
            3,
          )
        : [],
      senderId: text(),
      persist: random.chance(0.1),
      messageId: random.chance(0.5) ? '' : text(),
      requestId,
    },
    subscribe: {
      topic,
      peerId: text(),
      oldMessageLimit: number(),
      realtimeOverflow: random.pick(['queue', 'drop', text()]),
      queueSize: number(),
      newMessageLimit: number(),
      requestId,
    },
    unsubscribe: { topic, requestId },
    getHistory: { topic, persistMsgId: text(), batchSize: Math.max(0, number()), requestId },
  }
  const frame = Buffer.from(encodeClientFrame(kind, values[kind]!))
  const chance = random.next()
  if (chance < 0.8) return { frame, whole: true }
  if (chance < 0.85) return { frame: random.bytes(random.below(200)), whole: false }
  if (chance < 0.88) return { frame: frame.subarray(0, random.below(frame.length)), whole: false }
  if (chance < 0.9)
    return { frame: Buffer.alloc(random.below(60_000), random.pick([0x0b, 0x0a, 0xff, 0x08])), whole: false }
  for (let changes = 1 + random.below(3); changes > 0; changes--)
    frame[random.below(frame.length)] = random.below(256)
  return { frame, whole: false }
}

// Environment

const variables = [...describeSettings().matchAll(/^ {2}([A-Z_]+)/gm)].map(([, name]) => name!)
const SECRET_MARK = 'a-secret-that-nobody-may-read'

/** Random settings give a configuration, or one sentence that names the variable and contains no secret. */
export function fuzzEnvironment(seed: number, inputs: number): FuzzReport {
  const random = new Random(seed)
  const report = newReport()
  for (let input = 0; input < inputs; input++) {
    report.inputs++
    const env: Record<string, string> = {}
    for (const name of random.some(variables, 3)) env[name] = value(random)
    if (random.chance(0.1)) env[`${random.pick(variables)}${random.pick(['S', '_', 'X'])}`] = value(random)
    for (const name of ['MASTER_KEY', 'VIDEOSDK_SECRET_KEY', 'TURN_SECRET', 'DATABASE_URL'])
      if (random.chance(0.2)) env[name] = SECRET_MARK
    if (random.chance(0.1)) env.PUBLIC_URL = `https://user:${SECRET_MARK}@meet.example.org`
    try {
      if (!Object.isFrozen(readConfig(env))) report.wrong.push(`not frozen: ${JSON.stringify(env)}`)
      count(report, 'ok')
    } catch (error) {
      if (!(error instanceof ConfigError)) report.wrong.push(`${String(error)}: ${JSON.stringify(env)}`)
      else if (error.message.includes(SECRET_MARK) || !/^[A-Z_]+ .*[.?]$/s.test(error.message))
        report.wrong.push(`${error.message}: ${JSON.stringify(env)}`)
      else count(report, 'ConfigError')
    }
  }
  return report
}

function value(random: Random): string {
  return random.chance(0.5)
    ? random.pick(oddTexts).replaceAll('\0', '')
    : random.pick([
        '0',
        '1',
        '65536',
        '-1',
        '1e3',
        ' 8 ',
        'true',
        '::1',
        '0.0.0.0',
        'http://a',
        'https://a/b/',
        'turn:a',
        'warn',
      ])
}
