/** The chat socket from outside: who may open it, which frames it accepts, and how a bad frame affects others. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { WebSocket } from 'ws'
import type { ChatConnection } from '../../meeting/chat/connection.ts'
import { TestServer } from '../../../test/support/test-server.ts'
import {
  decodeChatMessage,
  decodeServerFrame,
  encodeClientFrame,
  type ServerBatch,
  type ServerFrame,
} from '../../protocol/chat.ts'
import { ChatPace } from '../limits/chat-pace.ts'
import { ChatSockets } from './sockets.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start({
    maxChatSubscriptions: 3,
    maxChatTopics: 5,
    maxChatMessagesPerSecond: 25,
    maxChatMessageBytes: 1024,
    // Long enough to reconnect after a restart on a machine under load.
    sessionGraceSeconds: 10,
  })
})
after(() => server.stop())

class ChatClient {
  readonly socket: WebSocket
  readonly heard: ServerFrame[] = []
  closed: number | undefined
  #wake: (() => void)[] = []
  #requests = 0

  constructor(url: string) {
    this.socket = new WebSocket(url)
    this.socket.on('message', (data: Buffer) => {
      const frame = decodeServerFrame(data)
      this.heard.push(frame)
      for (const wake of this.#wake.splice(0)) wake()
    })
    this.socket.on('close', (code) => {
      this.closed = code
      for (const wake of this.#wake.splice(0)) wake()
    })
  }

  async until<T>(look: () => T | undefined): Promise<T> {
    const giveUpAt = Date.now() + 60_000
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (Date.now() > giveUpAt) throw new Error(`not heard; heard: ${JSON.stringify(this.heard)}`)
      await Promise.race([
        new Promise<void>((resolve) => this.#wake.push(resolve)),
        new Promise((resolve) => setTimeout(resolve, 1000)),
      ])
    }
  }

  async ask(
    kind: 'subscribe' | 'unsubscribe' | 'publish' | 'getHistory',
    value: Record<string, unknown>,
  ): Promise<{ ok: boolean; error: string; old: string[] }> {
    const requestId = `r${++this.#requests}`
    this.socket.send(encodeClientFrame(kind, { ...value, requestId }))
    return this.until(() => {
      const ack = this.heard.find((frame) => frame.kind === 'ack' && frame.value.requestId === requestId)
      if (ack?.kind === 'ack') return { ok: ack.value.ok, error: ack.value.error, old: [] }
      const batches = this.batches().filter((batch) => batch.requestId === requestId)
      if (!batches.some(({ isLast }) => isLast)) return undefined
      return { ok: true, error: '', old: batches.flatMap(textsOf) }
    })
  }

  batches(): ServerBatch[] {
    return this.heard.flatMap((frame) => (frame.kind === 'batch' ? [frame.value] : []))
  }

  get live(): string[] {
    return this.batches()
      .filter(({ batchType }) => batchType === 'new-messages')
      .flatMap(textsOf)
  }
}

const textsOf = ({ payloads }: ServerBatch): string[] =>
  payloads.map((payload) => decodeChatMessage(payload).message)

async function join(meetingId: string, participantId: string, at = server) {
  const wire = at.connect({
    token: at.token(['allow_join']),
    meetingId,
    participantId,
    name: participantId,
  })
  const { pubSubUrl } = await wire.join()
  const chat = new ChatClient(pubSubUrl)
  await once(chat.socket, 'open')
  return { wire, chat, pubSubUrl: pubSubUrl as string }
}

test('a ticket opens the chat of one stay only; without a ticket, with a wrong one or after a leave it is refused', async () => {
  const meetingId = await server.createMeeting()
  const { wire, chat, pubSubUrl } = await join(meetingId, 'ann')
  assert.equal(pubSubUrl.includes('eyJ'), false, 'no token in the address')
  const refused = async (url: string): Promise<void> => {
    const socket = new WebSocket(url)
    const [error] = (await once(socket, 'error')) as [Error]
    assert.match(error.message, /401/)
  }
  await refused(pubSubUrl.replace(/ticket=.*/, ''))
  await refused(`${pubSubUrl}x`)
  await refused(pubSubUrl.replace(meetingId, 'aaaa-bbbb-cccc'))
  // A second socket replaces the first.
  const again = new ChatClient(pubSubUrl)
  await chat.until(() => chat.closed)
  wire.close()
  await again.until(() => again.closed)
  await refused(pubSubUrl)
})

test('an invalid frame closes that socket and no other', async () => {
  const meetingId = await server.createMeeting()
  const { chat: bob } = await join(meetingId, 'bob')
  await bob.ask('subscribe', { topic: 'CHAT' })
  for (const [at, junk] of [
    'text',
    Buffer.from([0xff, 0xff, 0xff]),
    Buffer.from([0x0a, 0x7f]),
    Buffer.alloc(0),
  ].entries()) {
    const { chat, wire } = await join(meetingId, `junk-${at}`)
    chat.socket.send(junk)
    await chat.until(() => chat.closed)
    wire.close()
  }
  const { chat: carl } = await join(meetingId, 'carl')
  carl.socket.send(Buffer.alloc(300_000))
  await carl.until(() => carl.closed)
  assert.equal((await bob.ask('publish', { topic: 'CHAT', message: 'still here' })).ok, true)
  await bob.until(() => bob.live.includes('still here') || undefined)
})

test('a sender over a limit is told so, and the others do not get the message', async () => {
  const meetingId = await server.createMeeting()
  const { chat: ann } = await join(meetingId, 'ann')
  const { chat: bob } = await join(meetingId, 'bob')
  await bob.ask('subscribe', { topic: 'CHAT' })
  for (const [what, kind, value] of [
    ['too large', 'publish', { topic: 'CHAT', message: 'x'.repeat(1025) }],
    ['payload counts too', 'publish', { topic: 'CHAT', message: 'x', payload: new Uint8Array(1024) }],
    ['no topic', 'publish', { topic: '', message: 'x' }],
    ['a long topic', 'subscribe', { topic: 'x'.repeat(257) }],
    ['an empty receiver', 'publish', { topic: 'CHAT', message: 'x', sendOnly: [''] }],
  ] as const) {
    const answer = await ann.ask(kind, value)
    assert.equal(answer.ok, false, what)
    assert.notEqual(answer.error, '')
  }
  for (const topic of ['a', 'b', 'c']) assert.equal((await ann.ask('subscribe', { topic })).ok, true)
  assert.equal((await ann.ask('subscribe', { topic: 'CHAT' })).ok, false)
  const flood = await Promise.all(
    Array.from({ length: 150 }, () => ann.ask('publish', { topic: 'a', message: 'flood' })),
  )
  assert.ok(flood.some(({ ok }) => !ok))
  assert.deepEqual(bob.live, [])
})

test('the sender of a message is who the server knows, whatever the frame claims', async () => {
  const meetingId = await server.createMeeting()
  const { chat: ann } = await join(meetingId, 'ann')
  await ann.ask('subscribe', { topic: 'CHAT' })
  await ann.ask('publish', {
    topic: 'CHAT',
    message: 'mine',
    senderId: 'bob',
    senderName: 'Bob',
    timestamp: '1999-01-01T00:00:00.000Z',
    messageId: 'own-id',
  })
  const [batch] = await ann.until(() => (ann.live.length > 0 ? ann.batches() : undefined))
  const message = decodeChatMessage(batch!.payloads[0]!)
  assert.deepEqual([message.senderId, message.senderName, message.messageId], ['ann', 'ann', 'own-id'])
  assert.ok(Date.parse(message.timestamp) > Date.parse('2020-01-01'))
})

test('an unsubscribed listener gets nothing, history can be requested, and two listeners get live messages once', async () => {
  const meetingId = await server.createMeeting()
  const { chat: ann } = await join(meetingId, 'ann')
  for (let at = 0; at < 5; at++) await ann.ask('publish', { topic: 'CHAT', message: `m${at}`, persist: true })
  await ann.ask('publish', { topic: 'CHAT', message: 'not kept' })
  const { chat: bob } = await join(meetingId, 'bob')
  assert.deepEqual((await bob.ask('subscribe', { topic: 'CHAT', oldMessageLimit: -1 })).old, [
    'm0',
    'm1',
    'm2',
    'm3',
    'm4',
  ])
  assert.deepEqual((await bob.ask('subscribe', { topic: 'CHAT', oldMessageLimit: 2 })).old, ['m3', 'm4'])
  assert.deepEqual((await bob.ask('getHistory', { topic: 'CHAT', batchSize: 1 })).old, ['m4'])
  await ann.ask('publish', { topic: 'CHAT', message: 'live' })
  await bob.until(() => bob.live.includes('live') || undefined)
  await bob.ask('unsubscribe', { topic: 'CHAT' })
  await ann.ask('publish', { topic: 'CHAT', message: 'unheard' })
  await bob.ask('subscribe', { topic: 'CHAT', oldMessageLimit: 0 })
  await ann.ask('publish', { topic: 'CHAT', message: 'heard again' })
  await bob.until(() => bob.live.includes('heard again') || undefined)
  assert.deepEqual(bob.live, ['live', 'heard again'])
})

test('everybody gets messages in the same order, numbered without a gap; private ones have no number', async () => {
  const meetingId = await server.createMeeting()
  const people = await Promise.all(['ann', 'bob', 'carl'].map((id) => join(meetingId, id)))
  for (const { chat } of people) await chat.ask('subscribe', { topic: 'CHAT', oldMessageLimit: 0 })
  const [ann, bob, carl] = people.map(({ chat }) => chat)
  await Promise.all(
    people.flatMap(({ chat }, who) =>
      Array.from({ length: 20 }, (_, at) =>
        chat.ask('publish', { topic: 'CHAT', message: `${who}-${at}`, persist: at % 3 === 0 }),
      ),
    ),
  )
  await ann!.ask('publish', { topic: 'CHAT', message: 'secret', sendOnly: ['bob'] })
  await bob!.until(() => bob!.live.includes('secret') || undefined)
  await ann!.ask('publish', { topic: 'CHAT', message: 'end' })
  for (const chat of [ann!, bob!, carl!]) await chat.until(() => chat.live.includes('end') || undefined)
  assert.deepEqual(ann!.live, bob!.live)
  assert.deepEqual(
    carl!.live,
    bob!.live.filter((text) => text !== 'secret'),
  )
  const numbers = carl!
    .batches()
    .filter(({ batchType }) => batchType === 'new-messages')
    .flatMap(({ payloads }) => payloads.map((payload) => decodeChatMessage(payload).seqNum))
  assert.deepEqual(
    numbers,
    Array.from({ length: 61 }, (_, at) => at + 1),
  )
})

test('a listener with a limit gets that many messages in half a second, and the rest later or never, as it asked', async () => {
  const meetingId = await server.createMeeting()
  const { chat: ann } = await join(meetingId, 'ann')
  const { chat: queues } = await join(meetingId, 'queues')
  const { chat: drops } = await join(meetingId, 'drops')
  await queues.ask('subscribe', {
    topic: 'CHAT',
    newMessageLimit: 5,
    realtimeOverflow: 'queue',
    queueSize: 100,
  })
  await drops.ask('subscribe', { topic: 'CHAT', newMessageLimit: 5, realtimeOverflow: 'drop' })
  const all = Array.from({ length: 12 }, (_, at) => `m${at}`)
  await Promise.all(all.map((message) => ann.ask('publish', { topic: 'CHAT', message })))
  await queues.until(() => queues.live.length === all.length || undefined)
  assert.deepEqual(queues.live, all)
  assert.deepEqual(drops.live, all.slice(0, 5))
})

test('a reader that stops reading is dropped, and the others get everything immediately', async () => {
  const large = await TestServer.start({ maxChatMessageBytes: 1_048_576, maxChatMessagesPerSecond: 1000 })
  try {
    const meetingId = await large.createMeeting()
    const [ann, bob, slow] = await Promise.all(
      ['ann', 'bob', 'slow'].map(async (participantId) => {
        const { chat } = await join(meetingId, participantId, large)
        await chat.ask('subscribe', { topic: 'CHAT', oldMessageLimit: 0 })
        return chat
      }),
    )
    slow!.socket.pause()
    // More than the buffers at both ends of a connection can hold.
    const said = Array.from({ length: 40 }, (_, at) => `${at} ${'x'.repeat(1_000_000)}`)
    for (const message of said) await ann!.ask('publish', { topic: 'CHAT', message })
    await bob!.until(() => bob!.batches().length >= said.length || undefined)
    assert.deepEqual(bob!.live, said)
    slow!.socket.resume()
    await slow!.until(() => slow!.closed)
    assert.ok(slow!.live.length < said.length)
  } finally {
    await large.stop()
  }
})

test('a chat socket that reconnects and asks again misses no kept message and gets none twice', async () => {
  const meetingId = await server.createMeeting()
  const { chat: ann } = await join(meetingId, 'ann')
  const { chat: bob, pubSubUrl } = await join(meetingId, 'bob')
  await bob.ask('subscribe', { topic: 'CHAT', oldMessageLimit: -1 })
  const said = Array.from({ length: 30 }, (_, at) => `m${at}`)
  let back: ChatClient | undefined
  let old: string[] = []
  for (const [at, message] of said.entries()) {
    const kept = ann.ask('publish', { topic: 'CHAT', message, persist: true })
    if (at === 10) bob.socket.terminate()
    if (at === 20) {
      back = new ChatClient(pubSubUrl)
      await once(back.socket, 'open')
    }
    // Reconnects in the middle of the messages.
    if (at === 25) old = (await back!.ask('subscribe', { topic: 'CHAT', oldMessageLimit: -1 })).old
    assert.equal((await kept).ok, true)
  }
  await back!.until(() => back!.live.at(-1) === 'm29' || undefined)
  assert.deepEqual([...old, ...back!.live], said)
})

test('both ways into the chat share one rate limit per participant, and reconnecting does not reset it', async () => {
  const paced = await TestServer.start({ maxChatMessagesPerSecond: 2 })
  paced.stillAt = Date.now()
  try {
    const meetingId = await paced.createMeeting()
    const message = { topic: 'CHAT', message: 'x' }
    const { chat, wire } = await join(meetingId, 'ann', paced)
    for (let at = 0; at < 4; at++) assert.equal((await chat.ask('publish', message)).ok, true)
    for (let at = 0; at < 4; at++) await wire.request('pubsubPublish', message)
    const refused = { errorName: 'RATE_LIMITED' }
    await assert.rejects(wire.request('pubsubPublish', message), refused)
    await assert.rejects(wire.request('pubsubSubscribe', { topic: 'CHAT' }), refused)
    wire.close()
    const { chat: other, wire: bob } = await join(meetingId, 'bob', paced)
    const { chat: again, wire: back } = await join(meetingId, 'ann', paced)
    assert.equal((await again.ask('publish', message)).ok, false)
    await assert.rejects(back.request('pubsubPublish', message), refused)
    assert.equal((await other.ask('publish', message)).ok, true)
    await bob.request('pubsubPublish', message)
    paced.aheadMs += 1000
    await back.request('pubsubPublish', message)
  } finally {
    await paced.stop()
  }
})

test('the chat ends with its session and survives a restart', async () => {
  const meetingId = await server.createMeeting()
  const { chat: ann } = await join(meetingId, 'ann')
  await ann.ask('publish', { topic: 'CHAT', message: 'kept', persist: true })
  await server.restart()
  const again = await join(meetingId, 'ann')
  assert.deepEqual((await again.chat.ask('subscribe', { topic: 'CHAT', oldMessageLimit: -1 })).old, ['kept'])
  const ended = server.sessionEnded(meetingId)
  again.wire.close()
  await ended
  const later = await join(meetingId, 'ann')
  assert.deepEqual((await later.chat.ask('subscribe', { topic: 'CHAT', oldMessageLimit: -1 })).old, [])
})

test('a socket that does not answer a ping is closed', async () => {
  const closed: number[] = []
  const sockets = new ChatSockets({
    settings: { maxChatMessageBytes: 1024 },
    pace: new ChatPace(10, Date.now),
    openChat: () =>
      Promise.resolve({ close: (code: number) => closed.push(code) } as unknown as ChatConnection),
    pingIntervalMs: 40,
    log: pino({ level: 'silent' }),
  })
  const http = createServer()
  sockets.attach(http)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `ws://127.0.0.1:${(http.address() as { port: number }).port}/chat?ticket=t`
  const [lively, silent] = [new ChatClient(url), new ChatClient(url)]
  lively.socket.on('message', (data: Buffer) => {
    const frame = decodeServerFrame(data)
    if (frame.kind === 'ping') lively.socket.send(encodeClientFrame('pong', { seq: frame.value.seq }))
  })
  await silent.until(() => silent.closed)
  await lively.until(() => (lively.heard.filter(({ kind }) => kind === 'ping').length > 5 ? true : undefined))
  assert.equal(lively.closed, undefined)
  sockets.close()
  http.close()
})
