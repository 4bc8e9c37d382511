/** What a reader who does not keep up costs, and what it does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeChatMessage, decodeServerFrame, type ClientFrame } from '../protocol/chat.ts'
import { Chat, type ChatLink } from './chat.ts'
import { Participant } from './participant.ts'

class Reader implements ChatLink {
  backlogBytes = 0
  readonly heard: string[] = []
  closedWith: number | undefined

  send(frame: Uint8Array): void {
    const decoded = decodeServerFrame(frame)
    if (decoded.kind !== 'batch') return
    this.heard.push(...decoded.value.payloads.map((payload) => decodeChatMessage(payload).message))
  }

  close(code: number): void {
    this.closedWith = code
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
      tokenId: id,
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
