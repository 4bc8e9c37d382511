/**
 * A client that stops reading is disconnected with the reason before much data waits for it, and nobody else is
 * affected.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { WebSocket } from 'ws'
import { ProtooClient } from '../support/protoo-client.ts'
import { TestServer } from '../support/test-server.ts'
import type { WireClient } from '../support/wire-client.ts'

const MIB = 1024 * 1024
/** Far more than the server buffers for one client plus the buffers of the system. */
const MOST_SENT = 64 * MIB

let server: TestServer
before(async () => {
  server = await TestServer.start({ maxRequestsPerSecond: 10_000 })
})
after(() => server.stop())

const join = async (meetingId: string, participantId: string): Promise<WireClient> => {
  const client = server.connect({
    meetingId,
    token: server.token(['allow_join', 'allow_mod']),
    participantId,
  })
  await client.join()
  return client
}

/** The WebSocket below a socket.io client. */
const socketOf = ({ socket }: WireClient): WebSocket =>
  (socket.io.engine.transport as unknown as { ws: WebSocket }).ws

const protoo = async (meetingId: string, participantId: string): Promise<ProtooClient> => {
  const token = server.token(['allow_join'])
  const client = new ProtooClient({ url: server.url, token, meetingId, participantId })
  await client.join(participantId)
  return client
}

async function timesCutOff(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const found = /^anteroom_refusals_total\{[^}]*code="TOO_SLOW"[^}]*\} (\d+)/m.exec(text)
  return Number(found?.[1] ?? 0)
}

const payload = 'x'.repeat(200_000)

/** Ways in which others send much data to the client that does not read. */
const ways: Record<string, { bytes: number; say: (by: WireClient, to: string) => void }> = {
  'to it alone': {
    bytes: payload.length,
    say: (by, peerId) =>
      by.socket.emit('request', { method: 'switchPeerRoom', data: { peerId, roomId: 'elsewhere', payload } }),
  },
  'to all': {
    bytes: 50 * 1000,
    say: (by) => {
      for (let at = 0; at < 50; at++)
        by.socket.emit('request', {
          method: 'realtimeStoreSet',
          data: { key: 'k', value: payload.slice(0, 1000) },
        })
    },
  },
}

for (const kind of ['socket.io', 'protoo'] as const) {
  for (const [way, { bytes, say }] of Object.entries(ways)) {
    test(`a ${kind} client that stops reading is cut off while others talk ${way}`, async () => {
      const meetingId = await server.createMeeting()
      const [ann, bob] = [await join(meetingId, 'ann'), await join(meetingId, 'bob')]
      const slow = await (kind === 'protoo' ? protoo : join)(meetingId, 'slow')
      for (const one of [bob, slow]) await one.request('realtimeStoreObserve', { key: 'k' })
      const socket = 'closedWith' in slow ? slow.socket : socketOf(slow)
      const before = await timesCutOff()
      socket.pause()
      let sent = 0
      while ((await timesCutOff()) === before) {
        assert.ok(sent < MOST_SENT, `${sent} bytes were kept for one who reads nothing`)
        for (let at = 0; at < 10; at++) say(ann, 'slow')
        sent += 10 * bytes
        // Waits until the talker's own requests are answered.
        await ann.request('produceError', {})
      }
      // The others are told that it left, although it reads nothing, long before its pings are missed.
      await bob.hears('peerClosed', ({ peerId }) => peerId === 'slow')
      await bob.request('realtimeStoreSet', { key: 'k', value: 'and all goes on' })
      await bob.hears('realtimeStoreValueChanged', ({ value }) => value === 'and all goes on')
      assert.equal(await timesCutOff(), before + 1)
      assert.ok(ann.socket.connected && bob.socket.connected)
      socket.terminate()
      for (const one of [ann, bob]) one.close()
    })
  }
}

test('a client that reads again in time gets the reason, and comes back to the same session', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  const slow = await join(meetingId, 'slow')
  const before = await timesCutOff()
  socketOf(slow).pause()
  for (let sent = 0; (await timesCutOff()) === before; sent += payload.length) {
    assert.ok(sent < MOST_SENT)
    ways['to it alone']!.say(ann, 'slow')
    await ann.request('produceError', {})
  }
  socketOf(slow).resume()
  assert.equal((await slow.hears('error')).name, 'TOO_SLOW')
  await slow.gone()
  assert.equal(slow.closed, undefined, 'nobody told it to stay away')
  const again = await join(meetingId, 'slow')
  for (const one of [ann, again]) one.close()
})

test('answers to simultaneous requests are never too much for a client that reads', async () => {
  const meetingId = await server.createMeeting()
  const ann = await join(meetingId, 'ann')
  const value = 'x'.repeat(1000)
  await ann.request('realtimeStoreSet', { key: 'k', value })
  // 9 MB of answers at once.
  const answers = await Promise.all(
    Array.from({ length: 9000 }, () => ann.request('realtimeStoreGet', { key: 'k' })),
  )
  assert.ok(answers.every((answer: { value: string }) => answer.value === value))
  ann.close()
})
