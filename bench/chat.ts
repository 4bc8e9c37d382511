/**
 * Messages per second from one sender to 200 subscribers through our chat, compared with bare `ws` that broadcasts
 * frames of the same size, in one run. The server and the receivers have a process each. Goal: 0.6 of bare.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'
import {
  decodeServerFrame,
  encodeChatMessage,
  encodeClientFrame,
  encodeServerFrame,
} from '../src/protocol/chat.ts'
import { Chat } from '../src/meeting/chat/chat.ts'
import type { ChatLink } from '../src/meeting/chat/link.ts'
import { Participant } from '../src/meeting/roster/participant.ts'
import { ChatPace } from '../src/api/limits/chat-pace.ts'
import { ChatSockets } from '../src/api/chat/sockets.ts'
import { printTable } from './table.ts'

const SUBSCRIBERS = 200
const MESSAGES = 4000
const ROUNDS = 3
/** The most messages that wait for an answer at once. */
const WINDOW = 64
const TEXT = 'x'.repeat(100)

const [, , role, which] = process.argv
if (role === 'serve') await serve(which as Kind)
else if (role === 'receive') receive(which!)
else await measure()

type Kind = 'ours' | 'bare ws'

async function serve(kind: Kind): Promise<void> {
  const { createServer } = await import('node:http')
  const http = createServer()
  if (kind === 'ours') {
    const log = { debug: () => undefined, error: console.error } as never
    const chat = new Chat({
      sessionId: 'session',
      limits: {
        maxChatMessageBytes: 65_536,
        maxChatTopics: 10,
        maxChatSubscriptions: 10,
        maxSessionChatBytes: 67_108_864,
      },
      log: {
        append: () => Promise.resolve(0),
        newest: (_most, to) => Promise.resolve({ from: 1, to }),
        read: () => Promise.resolve({ messages: [], rest: undefined }),
      },
      now: Date.now,
      newMessageId: () => crypto.randomUUID(),
      refusalOf: () => undefined,
      onError: console.error,
    })
    let people = 0
    const sockets = new ChatSockets({
      settings: { maxChatMessageBytes: 65_536 },
      pace: new ChatPace(1e9, Date.now),
      openChat: (_ticket: string, link: ChatLink) => {
        const id = `person-${++people}`
        const participant = new Participant({
          participantId: id,
          grant: { tokenId: id, apiKey: 'key', projectId: 'project', entry: 'direct', permissions: [] },
          name: id,
          authority: { canAdmit: true, canModerate: false },
          link: undefined as never,
        })
        participant.joined = true
        return Promise.resolve(chat.connect(participant, link))
      },
      log,
    })
    sockets.attach(http)
  } else {
    const server = new WebSocketServer({ server: http, perMessageDeflate: false })
    server.on('connection', (socket) => {
      socket.on('message', (frame: Buffer) => {
        // Frames this short are the subscribe requests of the receivers.
        if (frame.length < TEXT.length) return
        for (const client of server.clients) if (client !== socket) client.send(frame)
        socket.send(frame.subarray(0, 8))
      })
    })
  }
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  process.send!({ url: `ws://127.0.0.1:${(http.address() as { port: number }).port}/chat?ticket=x` })
}

/** Runs all receivers and reports when each of them has every message. */
function receive(url: string): void {
  let [ready, missing] = [0, 0]
  process.on('message', (what: { expect: number }) => {
    missing = what.expect * SUBSCRIBERS
  })
  for (let at = 0; at < SUBSCRIBERS; at++) {
    const socket = new WebSocket(url)
    socket.binaryType = 'nodebuffer'
    socket.on('open', () => {
      socket.send(encodeClientFrame('subscribe', { topic: 'CHAT', oldMessageLimit: 0, requestId: '1' }))
      if (++ready === SUBSCRIBERS) process.send!({ ready: true })
    })
    socket.on('message', (data: Buffer) => {
      // The tag gives the type of a frame. For a batch, only the number of messages matters here.
      if (data[0] !== 0x0a) return
      const frame = decodeServerFrame(data)
      if (frame.kind !== 'batch') return
      missing -= frame.value.payloads.length
      if (missing === 0) process.send!({ done: true })
    })
  }
}

async function say<T>(child: ChildProcess, name: string): Promise<T> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [Record<string, unknown>]
    if (name in message) return message[name] as T
  }
}

/** Returns the messages per second until the last receiver has the last one. */
async function round(kind: Kind): Promise<number> {
  const server = fork(import.meta.filename, ['serve', kind])
  const url = await say<string>(server, 'url')
  const receivers = fork(import.meta.filename, ['receive', url])
  await say(receivers, 'ready')
  const sender = new WebSocket(url)
  await once(sender, 'open')
  const frame =
    kind === 'ours'
      ? encodeClientFrame('publish', { topic: 'CHAT', message: TEXT, requestId: '1', messageId: 'm' })
      : encodeServerFrame('batch', {
          topic: 'CHAT',
          batchType: 'new-messages',
          isLast: true,
          payloads: [
            encodeChatMessage({
              message: TEXT,
              timestamp: new Date().toISOString(),
              senderId: 'person-201',
              senderName: 'person-201',
              persistMsgId: crypto.randomUUID(),
              messageId: 'm',
              seqNum: 1000,
            }),
          ],
        })
  await new Promise((settled) => setTimeout(settled, 300))
  receivers.send({ expect: MESSAGES })
  const done = say(receivers, 'done')
  const startedAt = performance.now()
  let [sent, answered] = [0, 0]
  const more = (): void => {
    while (sent < MESSAGES && sent - answered < WINDOW) {
      sender.send(frame)
      sent++
    }
  }
  sender.on('message', (data: Buffer) => {
    // Skips the welcome and pings, which answer no message.
    if (kind === 'ours' && data[0] !== 0x12) return
    answered++
    more()
  })
  more()
  await done
  const seconds = (performance.now() - startedAt) / 1000
  sender.terminate()
  receivers.kill('SIGKILL')
  server.kill('SIGKILL')
  return MESSAGES / seconds
}

async function measure(): Promise<void> {
  const rates: Record<Kind, number[]> = { 'bare ws': [], ours: [] }
  for (let at = 0; at < ROUNDS; at++) {
    for (const kind of at % 2 ? (['ours', 'bare ws'] as const) : (['bare ws', 'ours'] as const)) {
      rates[kind].push(await round(kind))
    }
  }
  const middle = (values: number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
  const bare = middle(rates['bare ws'])
  console.log(
    `${MESSAGES} messages of ${TEXT.length} letters to ${SUBSCRIBERS} subscribers, middle of ${ROUNDS} rounds`,
  )
  printTable(
    ['chat', 'messages/s', 'delivered/s', 'to bare'],
    (['bare ws', 'ours'] as const).map((kind) => [
      kind,
      middle(rates[kind]).toFixed(0),
      (middle(rates[kind]) * SUBSCRIBERS).toFixed(0),
      (middle(rates[kind]) / bare).toFixed(2),
    ]),
  )
}
