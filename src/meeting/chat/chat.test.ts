/** The cost of a reader that falls behind, and the shares of participants in common limits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeChatMessage, decodeServerFrame, type ClientFrame } from '../../protocol/chat.ts'
import type { ChatFilter, KeptMessage, Newest, Stretch } from '../../store/store.ts'
import { Chat } from './chat.ts'
import type { ChatLimits } from './limits.ts'
import type { ChatLink } from './link.ts'
import type { ChatLog } from './log.ts'
import type { NewMessage } from './message.ts'
import { Participant } from '../roster/participant.ts'

class Reader implements ChatLink {
  backlogBytes = 0
  /** Frames wait until `read()`. */
  stalled = false
  closed = false
  mostBytes = 0
  readonly heard: string[] = []
  readonly batches: { batchType: string; isLast: boolean }[] = []
  closedWith: number | undefined
  #waiting: { bytes: number; taken: (() => void) | undefined }[] = []

  send(frame: Uint8Array, taken?: () => void): void {
    if (this.stalled) {
      this.backlogBytes += frame.length
      this.mostBytes = Math.max(this.mostBytes, this.backlogBytes)
      this.#waiting.push({ bytes: frame.length, taken })
    }
    const decoded = decodeServerFrame(frame)
    if (decoded.kind === 'batch') {
      this.batches.push(decoded.value)
      this.heard.push(...decoded.value.payloads.map((payload) => decodeChatMessage(payload).message))
    }
    if (!this.stalled) taken?.()
  }

  /** Reads the waiting frames. */
  read(): void {
    for (const { bytes, taken } of this.#waiting.splice(0)) {
      this.backlogBytes -= bytes
      taken?.()
    }
  }

  close(code: number): void {
    this.closed = true
    this.closedWith ??= code
    this.read()
  }
}

/** Reads part by part, as the store does. */
class MemoryLog implements ChatLog {
  readonly kept: KeptMessage[] = []
  /** The size of the largest part that was read. */
  mostRead = 0
  /** Fails or waits if a test wants that. */
  before: () => Promise<void> = () => Promise.resolve()

  async append(message: NewMessage): Promise<number> {
    await this.before()
    const number = this.kept.length + 1
    this.kept.push({ ...message, sessionId: 's', number })
    return number
  }

  newest({ messages }: Newest, to: number, filter: ChatFilter): Promise<Stretch> {
    const from = this.#matching({ from: 0, to }, filter).at(-messages)?.number
    return Promise.resolve({ from: from ?? 0, to })
  }

  async read(stretch: Stretch, filter: ChatFilter) {
    await turn()
    const all = this.#matching(stretch, filter)
    const messages = all.slice(0, 16)
    this.mostRead = Math.max(this.mostRead, messages.length)
    const next = all[16]
    return { messages, rest: next && { from: next.number, to: stretch.to } }
  }

  #matching({ from, to }: Stretch, { topic, hearer }: ChatFilter): KeptMessage[] {
    return this.kept.filter(
      (message) =>
        message.number >= from &&
        message.number <= to &&
        message.topic === topic &&
        (message.sendOnly.length === 0 ||
          message.senderId === hearer ||
          message.sendOnly.includes(hearer ?? '')),
    )
  }
}

const EMPTY = {
  topic: 'CHAT',
  peerId: '',
  oldMessageLimit: 0,
  realtimeOverflow: '',
  queueSize: 0,
  requestId: 'r',
  newMessageLimit: 0,
}

function room(changes: Partial<ChatLimits> = {}) {
  const log = new MemoryLog()
  const chat = new Chat({
    sessionId: 's',
    limits: {
      maxChatMessageBytes: 1_000_000,
      maxChatTopics: 3,
      maxChatSubscriptions: 3,
      maxSessionChatBytes: 1_000_000_000,
      ...changes,
    },
    log,
    now: () => 0,
    newMessageId: () => 'id',
    refusalOf: () => undefined,
    onError: () => undefined,
  })
  const enter = async (id: string, realtimeOverflow = 'queue', tokenId = id) => {
    const participant = new Participant({
      participantId: id,
      grant: { tokenId, apiKey: 'key', projectId: 'project', entry: 'direct', permissions: [] },
      name: id,
      authority: { canAdmit: true, canModerate: false },
      link: undefined as never,
    })
    participant.joined = true
    const link = new Reader()
    const connection = chat.connect(participant, link)
    await connection.handle({ kind: 'subscribe', value: { ...EMPTY, realtimeOverflow } })
    return { link, connection }
  }
  return { chat, enter, log }
}

/** A chat with 8 MiB of kept messages. */
async function longChat() {
  const { enter, log } = room()
  const ann = await enter('ann', 'drop')
  const said = Array.from({ length: 1024 }, (_, at) => `${at} ${'x'.repeat(8192)}`)
  for (const text of said) await ann.connection.handle(say(text, true))
  return { ann, enter, said, log }
}

const history: ClientFrame = { kind: 'subscribe', value: { ...EMPTY, oldMessageLimit: -1 } }

const say = (message: string, persist = false, topic = 'CHAT'): ClientFrame => ({
  kind: 'publish',
  value: {
    topic,
    message,
    persist,
    payload: new Uint8Array(0),
    sendOnly: [],
    timestamp: '',
    senderId: '',
    senderName: '',
    messageId: '',
    requestId: 'r',
  },
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a reader that falls behind is cut off, or misses what it agreed to miss; the others get everything', async () => {
  const { enter } = room()
  const [ann, slow, careless] = [await enter('ann'), await enter('slow'), await enter('careless', 'drop')]
  slow.link.backlogBytes = careless.link.backlogBytes = 2 * 1024 * 1024
  await ann.connection.handle(say('one'))
  await turn()
  assert.equal(slow.link.closedWith, 4408)
  assert.equal(careless.link.closedWith, undefined)
  careless.link.backlogBytes = 0
  await ann.connection.handle(say('two'))
  await turn()
  assert.deepEqual(ann.link.heard, ['one', 'two'])
  assert.deepEqual(careless.link.heard, ['two'])
})

test('a message that could not be saved is refused and not delivered; later ones are', async () => {
  const { enter, log } = room()
  const { link, connection } = await enter('ann')
  log.before = () => Promise.reject(new Error('the disk is full'))
  const lost = connection.handle(say('lost', true))
  log.before = () => Promise.resolve()
  await Promise.all([lost, connection.handle(say('kept', true))])
  await turn()
  assert.deepEqual(link.heard, ['kept'])
})

test('a message that is not kept waits for the one before it that is', async () => {
  let stored: () => void = () => undefined
  const { enter, log } = room()
  log.before = () => new Promise((resolve) => (stored = resolve))
  const { link, connection } = await enter('ann')
  const both = [connection.handle(say('first', true)), connection.handle(say('second'))]
  await turn()
  assert.deepEqual(link.heard, [])
  stored()
  await Promise.all(both)
  await turn()
  assert.deepEqual(link.heard, ['first', 'second'])
})

test('a long history waits for a slow reader, and newer messages follow it', async () => {
  const { ann, enter, said, log } = await longChat()
  const { link, connection } = await enter('bob')
  await connection.handle({ kind: 'unsubscribe', value: { topic: 'CHAT', requestId: 'r' } })
  link.stalled = true
  const asked = connection.handle(history)
  await ann.connection.handle(say('live'))
  for (let at = 0; at < 100; at++) await turn()
  assert.ok(link.heard.length < 300, `${link.heard.length} messages were sent to one who reads nothing`)
  for (let at = 0; at < 2000 && link.heard.at(-1) !== 'live'; at++) {
    link.read()
    await turn()
  }
  await asked
  assert.equal(log.mostRead, 16, 'no more is read than goes out')
  assert.ok(link.mostBytes < 1.5 * 1024 * 1024, `${link.mostBytes} bytes waited`)
  assert.deepEqual(link.heard, [...said, 'live'])
  const old = link.batches.filter(({ batchType }) => batchType === 'old-messages')
  assert.deepEqual(
    old.map(({ isLast }) => isLast),
    old.map((_, at) => at === old.length - 1),
  )
  assert.equal(link.closedWith, undefined)
})

test('a client that keeps asking and reads nothing is refused, then cut off', async () => {
  const { enter } = await longChat()
  const { link, connection } = await enter('greedy')
  link.stalled = true
  const asked: Promise<unknown>[] = []
  const value = { ...history.value, requestId: 'r'.repeat(128) }
  for (let round = 0; round < 200 && link.closedWith === undefined; round++) {
    for (let at = 0; at < 1000; at++) asked.push(connection.handle({ ...history, value }))
    await turn()
  }
  assert.equal(link.closedWith, 4408)
  assert.ok(link.mostBytes < 5 * 1024 * 1024, `${link.mostBytes} bytes waited`)
  await Promise.all(asked)
})

test('a message saved while the history is read is delivered once, after it', async () => {
  const { enter } = room()
  const [ann, bob] = [await enter('ann'), await enter('bob')]
  await bob.connection.handle({ kind: 'unsubscribe', value: { topic: 'CHAT', requestId: 'r' } })
  const all: string[] = []
  const speak = (text: string) => {
    all.push(text)
    return ann.connection.handle(say(text, true))
  }
  for (let at = 0; at < 40; at++) await speak(`before ${at}`)
  const asked = bob.connection.handle(history)
  for (let at = 0; at < 40; at++) await speak(`meanwhile ${at}`)
  await asked
  await turn()
  assert.deepEqual(bob.link.heard, all)
  const again = await enter('bob')
  await again.connection.handle({ kind: 'subscribe', value: { ...EMPTY, oldMessageLimit: 3 } })
  assert.deepEqual(again.link.heard, all.slice(-3))
})

test('one participant fills only its share of the kept messages; further ones are still delivered live', async () => {
  const { enter, log } = room({ maxSessionChatBytes: 40_000, maxChatMessageBytes: 1000 })
  const ann = await enter('ann', 'queue', 'one token')
  const fill = async (connection: typeof ann.connection): Promise<number> => {
    for (let kept = 0; ; kept++) {
      const refusal = await connection.handle(say('x'.repeat(740), true))
      if (!refusal) continue
      assert.equal(refusal.code, 'PAYLOAD_TOO_LARGE')
      return kept
    }
  }
  // A thousand bytes each: text, topic and the overhead of a row.
  assert.equal(await fill(ann.connection), 10)
  assert.equal(await ann.connection.handle(say('still heard')), undefined)
  const [again, third] = [
    await enter('ann-again', 'queue', 'one token'),
    await enter('ann-third', 'queue', 'one token'),
  ]
  assert.equal((await fill(again.connection)) + (await fill(third.connection)), 10)
  const bob = await enter('bob')
  log.before = () => Promise.reject(new Error('the disk is full'))
  for (let at = 0; at < 20; at++) await bob.connection.handle(say('x'.repeat(740), true))
  log.before = () => Promise.resolve()
  assert.equal(await fill(bob.connection), 10, 'what failed takes no room')
})

test('a subscription takes a place among the topics, at most a share of them per token, and gives it back', async () => {
  const { enter } = room({ maxChatTopics: 12, maxChatSubscriptions: 3 })
  const listen = (topic: string): ClientFrame => ({ kind: 'subscribe', value: { ...EMPTY, topic } })
  const [ann, second, third] = [
    await enter('a1', 'queue', 'one token'),
    await enter('a2', 'queue', 'one token'),
    await enter('a3', 'queue', 'one token'),
  ]
  for (const topic of ['1', '2']) assert.equal(await ann.connection.handle(listen(topic)), undefined)
  for (const topic of ['3', '4']) assert.equal(await second.connection.handle(listen(topic)), undefined)
  // CHAT, which everybody has subscribed to, is one of them.
  assert.equal(await third.connection.handle(listen('5')), undefined)
  assert.equal((await third.connection.handle(listen('6')))?.code, 'RATE_LIMITED')
  assert.equal(await third.connection.handle(listen('1')), undefined, 'it is taken by this token already')
  const bob = await enter('bob')
  assert.equal(await bob.connection.handle(listen('of bob')), undefined)
  // Publishing needs no subscription.
  for (let at = 0; at < 100; at++)
    assert.equal(await ann.connection.handle(say('x', false, `topic ${at}`)), undefined)
  second.connection.close(1000, 'left')
  assert.equal((await third.connection.handle(listen('6')))?.code, 'RATE_LIMITED', 'it has three itself')
  await third.connection.handle({ kind: 'unsubscribe', value: { topic: '5', requestId: 'r' } })
  for (const topic of ['6']) assert.equal(await third.connection.handle(listen(topic)), undefined)
})
