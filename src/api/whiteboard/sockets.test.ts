import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import pino from 'pino'
import { WebSocket } from 'ws'
import type { BoardLink } from '../../meeting/whiteboard/whiteboard.ts'
import { WHITEBOARD_SOCKET_PATH } from '../../protocol/whiteboard.ts'
import { WhiteboardSockets, type WhiteboardSocketOptions } from './sockets.ts'

/** Opens a page's socket on a server whose `connect` answers like this. */
async function pageAt(context: TestContext, connect: WhiteboardSocketOptions['connect']): Promise<WebSocket> {
  const sockets = new WhiteboardSockets({
    connect,
    callerOf: ({ socket }) => String(socket.remoteAddress),
    log: pino({ level: 'silent' }),
  })
  const http = createServer()
  sockets.attach(http)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  context.after(() => {
    sockets.close()
    http.close()
  })
  const { port } = http.address() as AddressInfo
  return new WebSocket(`ws://127.0.0.1:${port}${WHITEBOARD_SOCKET_PATH}?key=k`)
}

for (const [answer, code] of [
  ['closed', 4000],
  ['crowded', 1013],
] as const) {
  test(`a page is told that a board is ${answer}`, async (context) => {
    const page = await pageAt(context, () => Promise.resolve(answer))
    const [closed] = (await once(page, 'close')) as [number]
    assert.equal(closed, code)
  })
}

test('a page that reads nothing is disconnected and releases its place', async (context) => {
  const here = Promise.withResolvers<BoardLink>()
  const left = Promise.withResolvers<undefined>()
  const page = await pageAt(context, (key, link) => {
    assert.deepEqual([key, link.caller], ['k', '127.0.0.1'])
    here.resolve(link)
    return Promise.resolve({ handle: () => undefined, close: () => left.resolve(undefined) })
  })
  const link = await here.promise
  await once(page, 'open')
  page.pause()
  // More than the buffers at both ends of a connection can hold.
  const text = 'x'.repeat(1_000_000)
  for (let sent = 0; sent < 40; sent += 1) link.send({ do: 'full', id: text })
  await left.promise
  page.terminate()
})
