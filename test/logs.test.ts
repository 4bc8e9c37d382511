/** The content of the log at its default level after a whole journey, and what it must not contain. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createLog } from '../src/log.ts'
import { API_KEY, SECRET, TestServer } from './support/test-server.ts'

interface Line {
  msg: string
  requestId?: string
  connection?: string
  [field: string]: unknown
}

test('a journey is found by the id of its first request, and its log holds no token, name, address or secret', async () => {
  let text = ''
  const server = await TestServer.start(
    { sessionGraceSeconds: 0, webhookAllowPrivate: true },
    { log: createLog('info', { write: (line) => void (text += line) }) },
  )
  const lines = (): Line[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  const secrets: string[] = [SECRET, API_KEY, 'Ann-Example', 'Bob-Example', 'ann-id', 'bob-id', 'carl-id']
  secrets.push('say-nothing-of-this', 'a-topic-of-theirs', '127.0.0.1', '::1', 'MyBrowser')
  const token = (permissions: string[]): string => {
    const made = server.token(permissions)
    secrets.push(made, made.split('.')[1]!, made.split('.')[2]!)
    return made
  }
  // Observes that a webhook arrived which the connection caused.
  const delivered: string[] = []
  const receiver = createServer((request, response) => {
    if (request.headers['anteroom-event'] === 'participant-joined')
      delivered.push(String(request.headers['anteroom-delivery-id']))
    request.resume()
    response.end()
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  try {
    const meetingId = await server.createMeeting({
      webhook: { endPoint: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, events: ['*'] },
    })
    const ann = token(['allow_join', 'allow_mod'])
    const init = await fetch(`${server.url}/infra/v1/meetings/init-config`, {
      method: 'POST',
      headers: { authorization: ann, 'content-type': 'application/json', 'x-request-id': 'quoted-by-ann-1' },
      body: JSON.stringify({ roomId: meetingId, peerId: 'ann-id' }),
    })
    assert.equal(init.headers.get('x-request-id'), 'quoted-by-ann-1')
    const host = server.connect({
      token: ann,
      meetingId,
      participantId: 'ann-id',
      name: 'Ann-Example',
      requestId: 'quoted-by-ann-1',
    })
    await host.join({ deviceInfo: { browser: 'MyBrowser' } })
    const bob = server.connect({
      token: token(['ask_join']),
      meetingId,
      participantId: 'bob-id',
      name: 'Bob-Example',
    })
    await bob.enter()
    await host.hears('entryRequested')
    await host.request('respondEntry', { id: 'bob-id', decision: 'allowed' })
    await bob.hears('entryResponded')
    await bob.finishJoin()
    await host.request('realtimeStoreSet', { key: 'a-topic-of-theirs', value: 'say-nothing-of-this' })
    await assert.rejects(bob.request('removePeer', { peerId: 'ann-id' }))
    await host.request('removePeer', { peerId: 'bob-id' })
    await bob.gone()
    const again = server.connect({
      token: token(['ask_join', 'allow_mod']),
      meetingId,
      participantId: 'bob-id',
    })
    await again.gone()
    const forged = server.connect({ token: `${ann}x`, meetingId, participantId: 'carl-id' })
    await forged.gone()
    await fetch(`${server.url}/v2/rooms/${meetingId}?token=${ann}`, { headers: { authorization: `${ann}x` } })
    await fetch(`${server.url}/infra/v1/meetings/init-config`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ann}x`, 'content-type': 'application/json' },
      body: JSON.stringify({ roomId: meetingId }),
    })
    await server.rest('POST', '/v2/sessions/end', { roomId: meetingId }, ann)
    await host.gone()
    while (delivered.length < 2) await once(receiver, 'request')
  } finally {
    await server.stop()
    receiver.close()
  }

  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} is in the log`)
  const ofAnn = lines().filter(({ requestId }) => requestId === 'quoted-by-ann-1')
  const messages = ofAnn.map(({ msg }) => msg)
  for (const expected of ['answered', 'connected', 'joined', 'disconnected'])
    assert.ok(messages.includes(expected), `${expected} is found by the request: ${messages.join(', ')}`)
  const connections = new Set(ofAnn.flatMap(({ connection }) => connection ?? []))
  assert.equal(connections.size, 1, 'one request led to one connection')
  const told = ofAnn.find(({ event }) => event === 'participant-joined')
  assert.ok(delivered.includes(String(told?.deliveryId)), 'its event is found by the id of the delivery')
  assert.ok(
    lines().some(({ msg, deliveryId }) => msg === 'delivered an event' && deliveryId === told?.deliveryId),
  )
  const refused = lines().filter(({ msg }) => msg.startsWith('refused a '))
  assert.equal(refused.length, 3)
  assert.ok(refused.every(({ code, requestId }) => typeof code === 'string' && typeof requestId === 'string'))
})

test('an invalid request id does not reach the log', async () => {
  const server = await TestServer.start()
  try {
    for (const quoted of ['short', 'x'.repeat(65), 'two words of it', '{"level":60}']) {
      const answer = await fetch(`${server.url}/ping`, { headers: { 'x-request-id': quoted } })
      assert.match(answer.headers.get('x-request-id')!, /^[0-9a-f]{12}-[0-9a-z]+$/)
    }
  } finally {
    await server.stop()
  }
})

test('an error that quotes a token is logged without it', () => {
  let text = ''
  const log = createLog('trace', { write: (line) => void (text += line) })
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJhcGlrZXkiOiJrIn0.c2lnbmF0dXJl'
  log.error({ err: new Error(`GET https://example.org/?token=${token} failed`) }, 'asking')
  assert.match(text, /\?token=\[token\] failed/)
  assert.ok(!text.includes('eyJ'))
})
