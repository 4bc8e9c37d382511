/**
 * Records every byte sent to clients that are not admitted, while a busy meeting continues: none of it is about anybody
 * inside.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { sampleRtpParameters } from '../support/rtp-samples.ts'
import { TestServer } from '../support/test-server.ts'
import type { WireClient } from '../support/wire-client.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start({ maxRequestsPerSecond: 1000, maxParticipants: 8 })
})
after(() => server.stop())

/** Writes the frames of the contract by hand, so that the record is complete. */
class Outsider {
  readonly frames: string[] = []
  readonly #socket: WebSocket

  constructor(query: Record<string, string>) {
    const address = `${server.url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket&${new URLSearchParams(query).toString()}`
    this.#socket = new WebSocket(address)
    this.#socket.on('error', () => undefined)
    this.#socket.on('message', (data: Buffer) => {
      const text = data.toString('latin1')
      this.frames.push(text)
      if (text.startsWith('0{')) this.#socket.send('40')
      if (text === '2') this.#socket.send('3')
    })
  }

  async hears(part: string): Promise<void> {
    const giveUpAt = Date.now() + 90_000
    while (!this.frames.some((frame) => frame.includes(part))) {
      if (Date.now() > giveUpAt) throw new Error(`${part} was not heard: ${this.frames.join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  say(id: number, method: string, data: unknown): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    this.#socket.send(`42${id}${JSON.stringify(['request', { method, data }])}`)
  }

  close(): void {
    this.#socket.terminate()
  }
}

async function join(
  meetingId: string,
  participantId: string,
  permissions = ['allow_join'],
): Promise<WireClient> {
  const client = server.connect({
    token: server.token(permissions),
    meetingId,
    participantId,
    name: `name-of-${participantId}`,
  })
  await client.join({ metaData: { secretOf: participantId } })
  return client
}

test('those who wait, were refused or have not asked receive nothing about anybody inside', async () => {
  const customRoomId = 'the-custom-id-of-it'
  const meetingId = await server.createMeeting({ customRoomId })
  const insiders: WireClient[] = []
  for (let at = 0; at < 4; at++) insiders.push(await join(meetingId, `insider-${at}`))
  const moderator = await join(meetingId, 'insider-mod', ['allow_mod'])
  const victim = server.token(['allow_join'])
  const removed = server.connect({ token: victim, meetingId, participantId: 'insider-out' })
  await removed.join()
  await moderator.request('removePeer', { peerId: 'insider-out' })

  const ask = server.token(['ask_join'])
  const outsiders: Record<string, Outsider> = {
    waiting: new Outsider({ roomId: meetingId, peerId: 'waiting', secret: ask }),
    twice: new Outsider({ roomId: meetingId, peerId: 'twice', secret: server.token(['ask_join']) }),
    silent: new Outsider({ roomId: meetingId, peerId: 'silent', secret: server.token(['allow_join']) }),
    removed: new Outsider({ roomId: meetingId, peerId: 'other', secret: victim }),
    denied: new Outsider({ roomId: meetingId, peerId: 'denied', secret: server.token(['ask_join']) }),
    forged: new Outsider({ roomId: meetingId, peerId: 'insider-0', secret: `${ask.slice(0, -3)}AAA` }),
    pinned: new Outsider({
      roomId: customRoomId,
      peerId: 'x',
      secret: server.token(['allow_join'], { roomId: 'aaaa-bbbb-cccc' }),
    }),
    crawler: new Outsider({
      roomId: meetingId,
      peerId: 'x',
      secret: server.token(['allow_join'], { roles: ['crawler'] }),
    }),
    nowhere: new Outsider({ roomId: 'aaaa-bbbb-cccc', peerId: 'x', secret: server.token(['allow_join']) }),
  }
  for (const name of ['waiting', 'twice', 'silent', 'removed', 'denied']) {
    await outsiders[name]!.hears('connectionSuccess')
    if (name !== 'silent') outsiders[name]!.say(1, 'requestEntry', { name })
  }
  await moderator.hears('entryRequested', ({ id }) => id === 'denied')
  await moderator.request('respondEntry', { id: 'denied', decision: 'denied' })

  // Causes everything that a meeting sends to its participants, while the outsiders try everything.
  const [ann, bob] = [insiders[0]!, insiders[1]!]
  for (const kind of ['audio', 'video'] as const) {
    const { id } = await ann.request('produce', {
      transportId: ann.transports.send,
      kind,
      rtpParameters: sampleRtpParameters(kind, { layers: kind === 'video' ? 3 : 1 }),
      appData: { note: 'app-data-inside' },
    })
    if (kind === 'audio') server.sfu.routers.at(-1)!.speak(id)
    await ann.request('pauseProducer', { producerId: id })
    await ann.request('resumeProducer', { producerId: id })
  }
  await ann.request('changeDisplayName', { displayName: 'another-name-inside' })
  await ann.request('realtimeStoreSet', { key: 'key-inside', value: 'value-inside' })
  await bob.request('changeMode', { mode: 'RECV_ONLY' })
  const methods = [
    'getRouterRtpCapabilities',
    'join',
    'produce',
    'respondEntry',
    'realtimeStoreGet',
    'closeRoom',
  ]
  for (const [at, method] of methods.entries())
    for (const outsider of Object.values(outsiders))
      outsider.say(100 + at, method, {
        id: 'waiting',
        decision: 'allowed',
        key: 'key-inside',
        peerId: 'insider-0',
      })
  for (let guest = 0; guest < 2; guest++) {
    const come = await join(meetingId, `insider-late-${guest}`)
    await come.request('leave')
    await ann.hears('peerClosed', ({ peerId }) => peerId === `insider-late-${guest}`)
  }
  await outsiders.waiting!.hears('431')
  await outsiders.twice!.hears('43105')

  const inside = [...insiders, moderator, removed]
  const forbidden = [
    // Ids, names, and participants' descriptions of themselves.
    ...['insider-', 'name-of-', 'another-name-inside', 'secretOf', 'app-data-inside', 'value-inside'],
    // Their number, and their actions.
    ...['peers', 'participants', 'sessionId', 'newPeer', 'peerClosed', 'activeSpeaker', 'MediaState'],
    // Media and its addresses.
    ...[
      'iceCandidates',
      'codecs',
      'mimeType',
      'opus',
      'VP8',
      'fingerprint',
      'candidate',
      '127.0.0.1',
      '40000',
    ],
    ...['ticket', 'pubSub', customRoomId, server.sfu.routers.at(-1)!.id],
    ...inside.flatMap(({ transports }) => Object.values(transports)).filter((id) => id !== ''),
  ]
  for (const [name, outsider] of Object.entries(outsiders)) {
    assert.ok(outsider.frames.length > 1, name)
    for (const frame of outsider.frames)
      for (const word of forbidden) assert.ok(!frame.includes(word), `${name} heard ${word}: ${frame}`)
    outsider.close()
  }
  // The record does contain messages to participants inside.
  assert.ok(ann.heard.some(({ id }) => id === 'insider-late-0'))
})
