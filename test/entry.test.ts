/** Who may use a participant id, how many may enter, and how long a seat without a join lasts. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BadLine, LINE_ADDRESS } from './support/bad-line.ts'
import { ProtooClient } from './support/protoo-client.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

const refused = (code: number, name?: string) => (error: unknown) =>
  error instanceof WireError && error.code === code && (name === undefined || error.errorName === name)
const DUPLICATE = refused(4005, 'DUPLICATE_PARTICIPANT')
const LIMITED = refused(5000, 'RATE_LIMITED')

interface Comer {
  meetingId: string
  participantId: string
  token: string
  name?: string
}

async function inside(options: Comer): Promise<WireClient> {
  const client = server.connect(options)
  await client.join()
  return client
}

async function turnedAway(options: Comer, refusal = DUPLICATE): Promise<void> {
  const client = server.connect(options)
  await assert.rejects(client.enter(), refusal)
  await client.gone()
}

const idsInside = async (meetingId: string): Promise<string[]> =>
  (await server.rest('GET', `/v2/rooms/${meetingId}/live`)).body.participants.map(
    ({ participantId }: { participantId: string }) => participantId,
  )

test('knowing a participant id is not enough to take it', async () => {
  const meetingId = await server.createMeeting()
  const bound = server.token(['allow_mod'], { participantId: 'host' })
  const host = await inside({ meetingId, participantId: 'host', token: bound })
  // Not bound to the id, whatever its authority.
  for (const permissions of [['allow_join'], ['allow_mod'], ['ask_join']])
    await turnedAway({ meetingId, participantId: 'host', token: server.token(permissions) })
  const mod = await inside({ meetingId, participantId: 'mod', token: server.token(['allow_mod']) })
  await turnedAway({ meetingId, participantId: 'mod', token: server.token(['allow_join']) })
  assert.deepEqual(await idsInside(meetingId), ['host', 'mod'])
  for (const client of [host, mod])
    assert.deepEqual(
      client.heard.filter(({ method }) => method === 'close' || method === 'error'),
      [],
    )

  // The same token, a token bound to the id, and one with no less authority displace the holder.
  const again = await inside({ meetingId, participantId: 'host', token: bound })
  assert.equal((await host.hears('error')).code, 4005)
  assert.equal((await host.hears('close')).code, 1011)
  const other = server.token(['allow_join'], { participantId: 'host' })
  await inside({ meetingId, participantId: 'host', token: other })
  assert.equal((await again.hears('close')).code, 1011)
  await inside({ meetingId, participantId: 'mod', token: server.token(['allow_mod']) })
  assert.equal((await mod.hears('close')).code, 1011)
  assert.deepEqual((await idsInside(meetingId)).sort(), ['host', 'mod'])
})

test('a guest who knows the id of a waiting guest cannot displace it or take its admission', async () => {
  const meetingId = await server.createMeeting()
  const host = await inside({ meetingId, participantId: 'host', token: server.token(['allow_join']) })
  const guest = server.connect({
    meetingId,
    participantId: 'guest',
    token: server.token(['ask_join']),
    name: 'Guest',
  })
  await guest.enter()
  await turnedAway({ meetingId, participantId: 'guest', token: server.token(['ask_join']), name: 'Thief' })
  assert.equal(guest.closed, undefined)
  assert.deepEqual(
    host.heard
      .filter(({ method }) => method === 'entryRequested' || method === 'entryWithdrawn')
      .map(({ method, name }) => [method, name]),
    [['entryRequested', 'Guest']],
  )
  await host.request('respondEntry', { id: 'guest', decision: 'allowed' })
  assert.equal((await guest.hears('entryResponded')).decision, 'allowed')
  await guest.finishJoin()
  // An admitted guest cannot be displaced by a stranger, and its admission does not apply to another token.
  await turnedAway({ meetingId, participantId: 'guest', token: server.token(['ask_join']), name: 'Thief' })
  assert.deepEqual((await idsInside(meetingId)).sort(), ['guest', 'host'])
})

test('those who wait are told how many are before them, and nothing else', async () => {
  const meetingId = await server.createMeeting()
  const host = await inside({ meetingId, participantId: 'host', token: server.token(['allow_join']) })
  const [first, second, third] = ['first', 'second', 'third'].map((participantId) =>
    server.connect({ meetingId, participantId, token: server.token(['ask_join']) }),
  )
  for (const guest of [first!, second!, third!]) await guest.enter()
  await first!.hears('entryQueued', ({ before }) => before === 0)
  await third!.hears('entryQueued', ({ before }) => before === 2)
  second!.close()
  await third!.hears('entryQueued', ({ before }) => before === 1)
  await host.request('respondEntry', { id: 'first', decision: 'allowed' })
  await third!.hears('entryQueued', ({ before }) => before === 0)
  for (const { heard } of [first!, third!])
    for (const told of heard.filter(({ method }) => method === 'entryQueued'))
      assert.deepEqual(Object.keys(told).sort(), ['before', 'method'])
  assert.equal(host.heard.filter(({ method }) => method === 'entryQueued').length, 0)
  for (const client of [host, first!, third!]) client.close()
})

test('a guest admitted while its id joined otherwise is told so, and keeps waiting', async () => {
  const meetingId = await server.createMeeting()
  const host = await inside({ meetingId, participantId: 'host', token: server.token(['allow_join']) })
  const guest = server.connect({ meetingId, participantId: 'ann', token: server.token(['ask_join']) })
  await guest.enter()
  const ann = await inside({ meetingId, participantId: 'ann', token: server.token(['allow_join']) })
  await assert.rejects(host.request('respondEntry', { id: 'ann', decision: 'allowed' }), DUPLICATE)
  assert.equal(ann.closed, undefined)
  ann.close()
  await host.hears('peerClosed', ({ peerId }) => peerId === 'ann')
  await host.request('respondEntry', { id: 'ann', decision: 'allowed' })
  assert.equal((await guest.hears('entryResponded')).decision, 'allowed')
})

test(
  'a dead line gives way to a newcomer who could not displace a live one',
  { timeout: 180_000 },
  async () => {
    const port = Number(new URL(server.url).port)
    const line = await BadLine.open([port], [])
    try {
      const url = `http://${LINE_ADDRESS}:${port}`
      const meetingId = await server.createMeeting()
      const host = await inside({ meetingId, participantId: 'mod', token: server.token(['allow_mod']) })
      const ghost = server.connect({
        meetingId,
        participantId: 'ann',
        token: server.token(['allow_mod'], { participantId: 'ann' }),
        url,
      })
      await ghost.join()
      const waiting = server.connect({
        meetingId,
        participantId: 'guest',
        token: server.token(['ask_join']),
        url,
      })
      await waiting.enter()
      await turnedAway({ meetingId, participantId: 'ann', token: server.token(['allow_join']) })
      await turnedAway({ meetingId, participantId: 'guest', token: server.token(['ask_join']) })
      line.quality.silent = true
      const newcomers = [
        inside({ meetingId, participantId: 'ann', token: server.token(['allow_join']) }),
        server.connect({ meetingId, participantId: 'guest', token: server.token(['ask_join']) }).enter(),
      ]
      const [ann, guest] = (await Promise.all(newcomers)) as [WireClient, WireClient]
      assert.equal(
        ((await host.hears('peerClosed', ({ peerId }) => peerId === 'ann')).reason as { code: number }).code,
        1001,
      )
      await host.hears('entryWithdrawn', ({ id }) => id === 'guest')
      await host.request('respondEntry', { id: 'guest', decision: 'allowed' })
      assert.equal((await guest.hears('entryResponded')).decision, 'allowed')
      assert.equal(ann.closed, undefined)
    } finally {
      line.close()
    }
  },
)

test('a dead line gives way, whichever protocol either client speaks', { timeout: 180_000 }, async () => {
  const port = Number(new URL(server.url).port)
  const line = await BadLine.open([port], [])
  const old: ProtooClient[] = []
  const protoo = (options: Comer, url = server.url): ProtooClient => {
    const client = new ProtooClient({ url, ...options })
    old.push(client)
    return client
  }
  try {
    const url = `http://${LINE_ADDRESS}:${port}`
    const meetingId = await server.createMeeting()
    const host = await inside({ meetingId, participantId: 'host', token: server.token(['allow_mod']) })
    const bound = (participantId: string): string => server.token(['allow_mod'], { participantId })
    const ghosts = ['ann', 'bob'].map((participantId) =>
      protoo({ meetingId, participantId, token: bound(participantId) }, url),
    )
    for (const ghost of ghosts) await ghost.join('Ghost')
    const carl = server.connect({ meetingId, participantId: 'carl', token: bound('carl'), url })
    await carl.join()
    // While the connections work, nobody else gets the ids.
    const token = server.token(['allow_join'])
    for (const participantId of ['ann', 'carl']) {
      const refusedOne = protoo({ meetingId, participantId, token })
      await assert.rejects(
        refusedOne.request('requestEntry', {}),
        (error) => error instanceof WireError && error.code === 4005,
      )
      await refusedOne.hears('disconnect')
    }
    line.quality.silent = true
    const [ann, bob, newCarl] = [
      protoo({ meetingId, participantId: 'ann', token }),
      server.connect({ meetingId, participantId: 'bob', token }),
      protoo({ meetingId, participantId: 'carl', token }),
    ]
    await Promise.all([ann.join('Ann'), bob.join(), newCarl.join('Carl')])
    for (const id of ['ann', 'bob', 'carl'])
      assert.equal(
        ((await host.hears('peerClosed', ({ peerId }) => peerId === id)).reason as { code: number }).code,
        1001,
      )
    assert.deepEqual((await idsInside(meetingId)).sort(), ['ann', 'bob', 'carl', 'host'])
  } finally {
    for (const client of old) client.close()
    line.close()
  }
})

test('switching and relaying do not take a participant id either', async () => {
  const [there, here] = [await server.createMeeting(), await server.createMeeting()]
  const host = await inside({
    meetingId: there,
    participantId: 'host',
    token: server.token(['allow_mod'], { participantId: 'host' }),
  })
  const impostor = await inside({
    meetingId: here,
    participantId: 'host',
    token: server.token(['allow_join']),
  })
  const secret = server.token(['allow_join'])
  await assert.rejects(impostor.request('switchToMeeting', { meetingId: there, secret }), DUPLICATE)
  assert.equal(impostor.closed, undefined)
  await impostor.request('changeDisplayName', { displayName: 'still here' })
  await assert.rejects(
    impostor.request('mediaRelayRequestSent', { meetingId: there, secret }),
    refused(4078, 'MEDIA_RELAY_FAILED'),
  )
  assert.equal(host.closed, undefined)

  // The id of a relay guest is protected like a participant's.
  const ann = await inside({
    meetingId: here,
    participantId: 'ann',
    token: server.token(['allow_join']),
  })
  await ann.request('mediaRelayRequestSent', {
    meetingId: there,
    secret: server.token(['allow_join'], { participantId: 'ann' }),
  })
  await host.hears('mediaRelayRequestReceived')
  await host.request('respondToMediaRelayRequest', { peerId: 'ann', meetingId: here, decision: 'allowed' })
  await host.hears('newPeer', ({ id }) => id === 'ann')
  await turnedAway({ meetingId: there, participantId: 'ann', token: server.token(['allow_join']) })
  assert.deepEqual((await idsInside(there)).sort(), ['ann', 'host'])
})

test('a relay request ends with its maker, and one token takes at most half of the places', async () => {
  const small = await TestServer.start({ maxEntryRequests: 4 })
  try {
    const [there, here] = [await small.createMeeting(), await small.createMeeting()]
    const join = async (meetingId: string, participantId: string, token: string): Promise<WireClient> => {
      const client = small.connect({ meetingId, participantId, token })
      await client.join()
      return client
    }
    const host = await join(there, 'host', small.token(['allow_join']))
    const own = small.token(['allow_join'])
    const ask = (client: WireClient, secret = own): Promise<unknown> =>
      client.request('mediaRelayRequestSent', { meetingId: there, secret })
    const people = await Promise.all(['a', 'b', 'c'].map((id) => join(here, id, own)))
    await ask(people[0]!)
    await ask(people[1]!)
    // Asking again is not another request.
    await ask(people[1]!)
    await assert.rejects(ask(people[2]!), LIMITED)
    await assert.rejects(ask(people[2]!, small.token(['allow_join'])), LIMITED)
    const dan = await join(here, 'dan', small.token(['allow_join']))
    await ask(dan, small.token(['allow_join']))

    people[0]!.close()
    await people[1]!.hears('peerClosed', ({ peerId }) => peerId === 'a')
    const answer = { meetingId: here, decision: 'allowed' }
    await assert.rejects(host.request('respondToMediaRelayRequest', { ...answer, peerId: 'a' }), refused(404))
    await ask(people[2]!)
    await host.request('respondToMediaRelayRequest', { ...answer, peerId: 'dan' })
    await dan.hears('mediaRelayStarted')
  } finally {
    await small.stop()
  }
})

test('however many are admitted at once, the meeting holds no more than its limit', async () => {
  const small = await TestServer.start({ maxParticipants: 4 })
  try {
    const meetingId = await small.createMeeting()
    const host = small.connect({ meetingId, participantId: 'host', token: small.token(['allow_join']) })
    await host.join()
    const guests = await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        small.connect({ meetingId, participantId: `g${at}`, token: small.token(['ask_join']) }).enter(),
      ),
    )
    const answers = await Promise.allSettled(
      guests.map(({ participantId: id }) => host.request('respondEntry', { id, decision: 'allowed' })),
    )
    const failed = answers.filter((answer) => answer.status === 'rejected')
    assert.equal(failed.length, 3)
    for (const { reason } of failed) assert.ok(refused(4009, 'MAX_PARTCIPANT_REACHED')(reason))
    const { entering, entryRequests } = (await small.rest('GET', `/v2/rooms/${meetingId}/live`)).body
    assert.deepEqual([entering.length, entryRequests.length], [3, 3])
    // Guests for whom there was no room continue to wait, and enter when there is room.
    guests.find(({ participantId }) => participantId === entering[0].participantId)!.close()
    const next: string = entryRequests[0].participantId
    for (;;) {
      const answer = await Promise.allSettled([
        host.request('respondEntry', { id: next, decision: 'allowed' }),
      ])
      if (answer[0].status === 'fulfilled') break
      assert.ok(refused(4009)(answer[0].reason))
    }
    const late = guests.find(({ participantId }) => participantId === next)!
    assert.equal((await late.hears('entryResponded')).decision, 'allowed')
  } finally {
    await small.stop()
  }
})

test('a token takes at most half of the lobby, and three quarters of the seats not yet joined', async () => {
  const small = await TestServer.start({ maxParticipants: 4, maxEntryRequests: 4 })
  try {
    const meetingId = await small.createMeeting()
    const comer = (participantId: string, token: string): WireClient =>
      small.connect({ meetingId, participantId, token })
    const [asks, joins] = [small.token(['ask_join']), small.token(['allow_join'])]
    await comer('g1', asks).enter()
    const second = await comer('g2', asks).enter()
    await assert.rejects(comer('g3', asks).enter(), LIMITED)
    await comer('g4', small.token(['ask_join'])).enter()
    second.close()
    await second.gone()

    const first = await comer('s1', joins).enter()
    await first.hears('entryResponded')
    await comer('s2', joins).enter()
    const third = await comer('s3', joins).enter()
    await assert.rejects(comer('s4', joins).enter(), LIMITED)
    third.close()
    await third.gone()
    // A participant who has joined makes room for the next seat.
    await first.finishJoin()
    await comer('s3', joins).enter()
    const { participants, entering } = (await small.rest('GET', `/v2/rooms/${meetingId}/live`)).body
    const ids = (list: { participantId: string }[]) => list.map(({ participantId }) => participantId)
    assert.deepEqual([ids(participants), ids(entering)], [['s1'], ['s2', 's3']])
    await comer('other', small.token(['allow_join'])).join()
  } finally {
    await small.stop()
  }
})

test('a seat that nobody joins with is visible, is given up, and does not keep a session alive', async () => {
  const small = await TestServer.start({ joinTimeoutSeconds: 2, sessionGraceSeconds: 1 })
  try {
    const meetingId = await small.createMeeting()
    const host = small.connect({ meetingId, participantId: 'host', token: small.token(['allow_join']) })
    await host.join()
    const seat = small.connect({ meetingId, participantId: 'seat', token: small.token(['allow_join']) })
    await seat.enter()
    const { entering } = (await small.rest('GET', `/v2/rooms/${meetingId}/live`)).body
    assert.deepEqual(
      entering.map(({ participantId, name }: Record<string, unknown>) => [participantId, name]),
      [['seat', 'seat']],
    )
    const error = await seat.hears('error')
    assert.deepEqual([error.name, error.message], ['INVALID_STATE', 'The participant did not join in time.'])
    await seat.gone()
    assert.equal(host.closed, undefined)

    const session = { ended: false }
    const ended = small.sessionEnded(meetingId).then(() => {
      session.ended = true
    })
    host.close()
    // One after the other, so that there is always a seat: the session ends anyway.
    for (let at = 0; !session.ended; at++) {
      const next = small.connect({ meetingId, participantId: `s${at}`, token: small.token(['allow_join']) })
      await next.enter()
      await Promise.race([next.gone(), ended])
    }
  } finally {
    await small.stop()
  }
})
