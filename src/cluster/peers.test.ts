import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect as connectPlain, type AddressInfo } from 'node:net'
import { PassThrough, Readable, type Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { Refusal } from '../protocol/errors.ts'
import type { NodeRecord } from '../store/cluster.ts'
import { makeCredentials, type Credentials } from './credentials.ts'
import { encode } from './frames.ts'
import { NodeFiles } from './node-files.ts'
import { Peers, Unreachable, type Answered, type PeersOptions, type Purpose } from './peers.ts'

const MAX_BYTES = 64 * 1024
const nodes: NodeRecord[] = []
const errors: unknown[] = []
let ids = 0
let reads = 0
let own: Record<'home' | 'edge' | 'stranger', Credentials>
let home: Peers
let edge: Peers
/** What the home answers calls with. */
let answer: (method: string, args: unknown[]) => Promise<Answered>
const disk = new Map([['output/film é.mp4', Buffer.from('0123456789')]])
/** What the home has on its disk. */
const files = new NodeFiles(
  'home',
  { others: [], askForFile: () => Promise.reject(new Error()) },
  {
    sizeOf: (key) => Promise.resolve(disk.get(key)?.length),
    read: (key, range) => {
      const file = disk.get(key)
      if (!file) return Promise.resolve(undefined)
      const [from, to] = (range?.match(/\d+/g) ?? [0, file.length - 1]).map(Number) as [number, number]
      if (from >= file.length) return Promise.resolve({ unsatisfiable: file.length })
      const bytes = file.subarray(from, to + 1)
      const part = range === undefined ? undefined : { from, to, of: file.length }
      return Promise.resolve({ body: Readable.from([bytes]), length: bytes.length, ...(part && { part }) })
    },
  },
)

const giveFiles: PeersOptions['giveFile'] = (request, response) => files.give(request, response)

const strangers: string[] = []
const peersOf = (credentials: Credentials, giveFile: PeersOptions['giveFile'] = giveFiles): Peers =>
  new Peers({
    address: '127.0.0.1',
    port: 0,
    credentials,
    maxMessageBytes: MAX_BYTES,
    readNodes: () => {
      reads++
      return Promise.resolve([...nodes])
    },
    answer: (method, args) => answer(method, args),
    giveFile,
    onStranger: (address) => strangers.push(address),
    onError: (error) => errors.push(error),
    newId: () => `id ${++ids}`,
  })
const portOf = ({ server }: Pick<Peers, 'server'>): number => (server.address() as AddressInfo).port
const register = (nodeId: string, { fingerprint }: Credentials, port: number): NodeRecord => {
  const node: NodeRecord = {
    nodeId,
    incarnation: '1',
    address: '127.0.0.1',
    port,
    fingerprint,
    version: '1',
    wireMin: 1,
    wireMax: 1,
    startedAt: 1,
    state: 'serving',
    meetings: 0,
    participants: 0,
    entryRequests: 0,
    processorPercent: 0,
    mediaWorkers: 0,
    isLive: true,
    seenAt: 1,
    leaseAgeMs: 0,
  }
  nodes.push(node)
  return node
}

before(async () => {
  own = {
    home: await makeCredentials('home'),
    edge: await makeCredentials('edge'),
    stranger: await makeCredentials('stranger'),
  }
  home = peersOf(own.home)
  edge = peersOf(own.edge)
  await home.listen()
  register('home', own.home, portOf(home))
  register('edge', own.edge, 1)
  await edge.refresh()
})
after(() => {
  home.close()
  edge.close()
})

/** Sends bytes to the home. Resolves with what came back before the connection ended. */
async function send(bytes: Buffer, shown?: Credentials, purpose?: Purpose): Promise<string> {
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port: portOf(home),
    rejectUnauthorized: false,
    ...(shown && { cert: shown.cert, key: shown.key }),
    ...(purpose && { ALPNProtocols: [purpose] }),
  })
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
  // A reset is an end too.
  socket.on('error', () => undefined)
  socket.write(bytes)
  await new Promise((closed) => socket.once('close', closed))
  return heard
}
const callBytes = (key: string): Buffer => {
  const body = encode({ method: 'endSession', args: ['meeting'], key })
  const head = `POST /call HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

test('only a node is answered, and only on a connection that was opened for calls', async () => {
  const calls: string[] = []
  answer = (method) => {
    calls.push(method)
    return Promise.resolve({ value: true })
  }
  assert.equal(await send(callBytes('a'), undefined, 'anteroom-call'), '', 'without a certificate')
  assert.equal(await send(callBytes('b'), own.stranger, 'anteroom-call'), '', 'with an unknown one')
  assert.equal(await send(callBytes('c'), own.edge, 'anteroom-carry'), '', 'on a carried connection')
  assert.equal(await send(callBytes('d'), own.edge), '', 'on one of no purpose')
  assert.deepEqual(calls, [])
  assert.match(await send(callBytes('e'), own.edge, 'anteroom-call'), /^HTTP\/1.1 200/)
  assert.deepEqual(calls, ['endSession'])
})

test('a stranger that sends nothing is cut, and many of them cost few readings', async () => {
  const heard = await Promise.all(
    Array.from({ length: 20 }, () => send(Buffer.alloc(0), own.stranger, 'anteroom-call')),
  )
  assert.deepEqual(new Set(heard), new Set(['']), 'cut before any time is up, which would be said')
  assert.deepEqual(new Set(strangers), new Set(['127.0.0.1']), 'and told of')
  const before = reads
  await Promise.all(Array.from({ length: 20 }, () => home.refresh()))
  assert.equal(reads - before, 1, 'those who ask at once share one reading')
})

test('a node without a lease is a stranger, and is not called', async () => {
  const gone = register('gone', own.stranger, portOf(home))
  gone.isLive = false
  await edge.refresh()
  assert.equal(await send(callBytes('f'), own.stranger, 'anteroom-call'), '')
  await assert.rejects(edge.call(gone, 'endSession', []), Unreachable)
})

test('nothing is said to a server that shows another certificate than the one of the node', async () => {
  const imposter = register('imposter', own.stranger, portOf(home))
  await edge.refresh()
  answer = () => assert.fail('was asked')
  await assert.rejects(edge.call(imposter, 'endSession', []), /something else answers/)
})

test('a repeated call does nothing twice, unless it was refused', async () => {
  let times = 0
  answer = () => Promise.resolve({ value: ++times })
  assert.equal(await edge.call(nodes[0]!, 'view', [], 'once'), 1)
  assert.equal(await edge.call(nodes[0]!, 'view', [], 'once'), 1)
  answer = () => Promise.reject(new Refusal('SERVER_STOPPING', { reason: 'moved' }))
  await assert.rejects(edge.call(nodes[0]!, 'view', [], 'moved'), { reason: 'moved' })
  // It became the home meanwhile.
  answer = () => Promise.resolve({ value: 'here' })
  assert.equal(await edge.call(nodes[0]!, 'view', [], 'moved'), 'here')
})

test('a call or an answer that is too large is refused', async () => {
  answer = () => Promise.resolve({ value: 'x'.repeat(2 * MAX_BYTES) })
  await assert.rejects(edge.call(nodes[0]!, 'view', []), Unreachable)
  answer = () => assert.fail('was asked')
  errors.length = 0
  await assert.rejects(edge.call(nodes[0]!, 'view', ['x'.repeat(2 * MAX_BYTES)]), Unreachable)
  assert.match(String(errors[0]), /too large/)
})

test('a node reads the files on the disk of another one, whole and in part, and nothing else', async () => {
  const { read, sizeOf } = new NodeFiles('edge', edge, files.on('home')).on('home')
  const film = 'output/film é.mp4'
  const whole = await read(film)
  assert.ok(whole && 'body' in whole)
  assert.deepEqual([whole.length, whole.part, await text(whole.body)], [10, undefined, '0123456789'])
  const part = await read(film, 'bytes=2-4')
  assert.ok(part && 'body' in part)
  assert.deepEqual([part.part, await text(part.body)], [{ from: 2, to: 4, of: 10 }, '234'])
  assert.deepEqual(await read(film, 'bytes=10-12'), { unsatisfiable: 10 })
  assert.deepEqual([await sizeOf(film), await sizeOf('output/other')], [10, undefined])
  disk.set('output/../secret', Buffer.from('x')).set('output/.part', Buffer.from('x'))
  for (const key of ['output/other', 'output/../secret', 'output/.part'])
    assert.equal(await read(key), undefined, key)

  const asked = Buffer.from(
    'GET /output%2Ffilm%20%C3%A9.mp4 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  )
  assert.equal(
    await send(asked, await makeCredentials('unknown'), 'anteroom-file'),
    '',
    'given to a stranger',
  )
  assert.match(await send(asked, own.edge, 'anteroom-file'), /^HTTP\/1.1 200[^]*0123456789/)
})

test('a file whose node dies while it is read fails, and none is read from a node that is away', async () => {
  const stuck = new PassThrough()
  const home = peersOf(own.stranger, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 })
    stuck.pipe(response)
    return Promise.resolve()
  })
  await home.listen()
  const node = register('dying', own.stranger, portOf(home))
  await edge.refresh()
  const { read } = new NodeFiles('edge', edge, files.on('home')).on('dying')
  stuck.write('012')
  const found = await read('output/film')
  assert.ok(found && 'body' in found)
  const [first] = (await once(found.body, 'data')) as [Buffer]
  assert.equal(String(first), '012')
  const failed = once(found.body, 'error')
  node.isLive = false
  await edge.refresh()
  await failed
  home.close()
  await assert.rejects(read('output/film'), /on the disk of the node dying, which cannot be reached/)
})

test('the home hears who the caller is from the other node, never from the caller', async (t) => {
  const arrived = new Promise<IncomingMessage>((resolve) =>
    home.server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      resolve(request)
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    }),
  )
  const open = createServer()
  t.after(() => open.close())
  open.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const place = { ...nodes[0]!, meetingId: 'meeting', epoch: 1 }
    edge.carry(place, request, socket, head, { 'x-anteroom-caller': 'the caller' }).catch(assert.ifError)
  })
  await once(open.listen(0, '127.0.0.1'), 'listening')
  const client = connectPlain((open.address() as AddressInfo).port, '127.0.0.1')
  t.after(() => client.destroy())
  client.write(
    'GET /socket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      'X-Anteroom-Caller: forged\r\nx-name: é\r\nX-ANTEROOM-CALLER: forged\r\n\r\n',
    'latin1',
  )
  const { headers } = await arrived
  assert.equal(headers['x-anteroom-caller'], 'the caller')
  assert.equal(headers['x-name'], 'é')
  const [answered] = (await once(client, 'data')) as [Buffer]
  assert.match(answered.toString(), /^HTTP\/1.1 101/)
})
