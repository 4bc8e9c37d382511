/** What a reader who does not keep up costs, and what it does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeChatMessage, decodeServerFrame, type ClientFrame } from '../protocol/chat.ts'
import { Chat, type ChatLink } from './chat.ts'
import { Participant } from './participant.ts'

class Reader implements ChatLink {
  backlogBytes = 0
  /** Takes nothing until `read()`; frames wait. */
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

  /** What waits until now. */
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

const EMPTY = {
  topic: 'CHAT',
  peerId: '',
  oldMessageLimit: 0,
  realtimeOverflow: '',
  queueSize: 0,
  requestId: 'r',
  newMessageLimit: 0,
}

function room(keep: () => Promise<void> = () => Promise.resolve()) {
  const chat = new Chat({
    limits: { maxChatMessageBytes: 1_000_000, maxChatTopics: 3, maxChatSubscriptions: 3 },
    keep,
    now: () => 0,
    newMessageId: () => 'id',
    onError: () => undefined,
  })
  const enter = async (id: string, realtimeOverflow = 'queue') => {
    const participant = new Participant({
      participantId: id,
      grant: { tokenId: id, apiKey: 'key', projectId: 'project', entry: 'direct', permissions: [] },
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
  return { chat, enter }
}

/** 8 MiB that were said before. */
async function longChat() {
  const { enter } = room()
  const ann = await enter('ann', 'drop')
  const said = Array.from({ length: 1024 }, (_, at) => `${at} ${'x'.repeat(8192)}`)
  for (const text of said) await ann.connection.handle(say(text, true))
  return { ann, enter, said }
}

const history: ClientFrame = { kind: 'subscribe', value: { ...EMPTY, oldMessageLimit: -1 } }

const say = (message: string, persist = false): ClientFrame => ({
  kind: 'publish',
  value: {
    topic: 'CHAT',
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

test('a reader who does not keep up is cut off, or misses what it said it may miss; the others hear all', async () => {
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

test('what could not be kept is refused and not heard; what came after it is', async () => {
  let fails = true
  const { enter } = room(() => (fails ? Promise.reject(new Error('the disk is full')) : Promise.resolve()))
  const { link, connection } = await enter('ann')
  const lost = connection.handle(say('lost', true))
  fails = false
  await Promise.all([lost, connection.handle(say('kept', true))])
  await turn()
  assert.deepEqual(link.heard, ['kept'])
})

test('a message that is not kept waits for the one before it that is', async () => {
  let stored: () => void = () => undefined
  const { enter } = room(() => new Promise((resolve) => (stored = resolve)))
  const { link, connection } = await enter('ann')
  const both = [connection.handle(say('first', true)), connection.handle(say('second'))]
  await turn()
  assert.deepEqual(link.heard, [])
  stored()
  await Promise.all(both)
  await turn()
  assert.deepEqual(link.heard, ['first', 'second'])
})

test('a long history waits for a slow reader, and what is said meanwhile comes after it', async () => {
  const { ann, enter, said } = await longChat()
  const { link, connection } = await enter('bob')
  await connection.handle({ kind: 'unsubscribe', value: { topic: 'CHAT', requestId: 'r' } })
  link.stalled = true
  const asked = connection.handle(history)
  await ann.connection.handle(say('live'))
  await turn()
  assert.ok(link.heard.length < 300, `${link.heard.length} messages were sent to one who reads nothing`)
  for (let at = 0; at < 200 && link.heard.at(-1) !== 'live'; at++) {
    link.read()
    await turn()
  }
  await asked
  assert.ok(link.mostBytes < 1.5 * 1024 * 1024, `${link.mostBytes} bytes waited`)
  assert.deepEqual(link.heard, [...said, 'live'])
  const old = link.batches.filter(({ batchType }) => batchType === 'old-messages')
  assert.deepEqual(
    old.map(({ isLast }) => isLast),
    old.map((_, at) => at === old.length - 1),
  )
  assert.equal(link.closedWith, undefined)
})

test('one who asks and asks and reads nothing is refused, then cut off', async () => {
  const { enter } = await longChat()
  const { link, connection } = await enter('greedy')
  link.stalled = true
  const asked: Promise<unknown>[] = []
  for (let round = 0; round < 200 && link.closedWith === undefined; round++) {
    for (let at = 0; at < 1000; at++) asked.push(connection.handle(history))
    await turn()
  }
  assert.equal(link.closedWith, 4408)
  assert.ok(link.mostBytes < 5 * 1024 * 1024, `${link.mostBytes} bytes waited`)
  await Promise.all(asked)
})
