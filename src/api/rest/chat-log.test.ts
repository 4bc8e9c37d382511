/** A long chat log over REST is read as fast as the client reads it, and no faster. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { type AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { test } from 'node:test'
import type { KeptMessage, Stretch } from '../../store/store.ts'
import { messagesAsCsv, messagesAsJson, WHOLE_LOG, type ChatPart } from './chat-log.ts'

const PART_MESSAGES = 10

/** A log of this many messages of 10 kB each; counts how often it is read. */
function longLog(messages: number) {
  const log = {
    reads: 0,
    read: (_sessionId: string, { from, to }: Stretch) => {
      log.reads++
      const first = Math.max(from, 1)
      const count = Math.min(PART_MESSAGES, messages - first + 1)
      const rest = first + count > messages ? undefined : { from: first + count, to }
      return Promise.resolve({ messages: Array.from({ length: count }, (_, at) => kept(first + at)), rest })
    },
  }
  return log
}

const kept = (number: number): KeptMessage => ({
  number,
  sessionId: 's',
  messageId: `m${number}`,
  clientMessageId: '',
  topic: 'CHAT',
  senderId: 'ann',
  senderName: 'Ann',
  message: `${number} ${'x'.repeat(10_000)}`,
  payload: Buffer.from(number % 2 ? '{"a":1}' : ''),
  sendOnly: [],
  at: 0,
  tokenId: null,
  accountId: null,
  bytes: 10_300,
})

const partOf = (chat: ChatPart['chat']): ChatPart => ({
  chat,
  sessionId: 's',
  stretch: WHOLE_LOG,
  filter: {},
})

const pageInfo = { currentPage: 1, perPage: 20, lastPage: 1, total: 0 }

test('returns the whole log in order as JSON and CSV; an empty log is an empty page or only headings', async () => {
  for (const messages of [0, 1, 95]) {
    const json = JSON.parse(
      (await messagesAsJson(partOf(longLog(messages)), pageInfo).toArray()).join(''),
    ) as { data: { id: string; payload: unknown }[]; pageInfo: unknown }
    assert.deepEqual(json.pageInfo, pageInfo)
    assert.deepEqual(
      json.data.map(({ id, payload }) => [id, payload]),
      Array.from({ length: messages }, (_, at) => [`m${at + 1}`, at % 2 ? null : { a: 1 }]),
    )
    const csv = (await messagesAsCsv(partOf(longLog(messages))).toArray()).join('')
    assert.equal(csv.split('\r\n').length, messages + 2)
    assert.match(csv, /^\ufeff"timestamp","topic"/)
  }
})

test('reads ahead only a little of a log for a slow client, continues when it reads, and stops when it leaves', async () => {
  const log = longLog(20_000)
  const server = createServer((_request, response) =>
    pipeline(messagesAsCsv(partOf(log)), response, () => undefined),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const request = get({ port, host: '127.0.0.1' })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  /** Returns the number of reads when it no longer grows. */
  const settled = async (): Promise<number> => {
    for (let before = -1; ;) {
      if (log.reads === before) return before
      before = log.reads
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  const unread = await settled()
  // The log has 200 MB; the sockets of both sides buffer a few.
  assert.ok(unread < 300, `${unread} parts were read`)
  let taken = 0
  for await (const chunk of response) {
    taken += (chunk as Buffer).length
    if (taken > 100_000_000) break
  }
  const [went] = [log.reads]
  assert.ok(went > 900 && went < 1500, `${went} parts were read`)
  request.destroy()
  const after = await settled()
  assert.ok(after - went < 100, `${after - went} parts were read for nobody`)
  server.close()
})
