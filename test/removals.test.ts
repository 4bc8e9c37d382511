/** A removal keeps a participant out: every way back, shared tokens, and who may lift it (docs/decisions/0004). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { Refusal } from '../src/protocol/errors.ts'
import type { Store } from '../src/store/store.ts'
import { HeldStore } from './support/held-store.ts'
import { TestServer } from './support/test-server.ts'
import { WireError, type WireClient } from './support/wire-client.ts'

let server: TestServer
before(async () => {
  server = await TestServer.start({ sessionGraceSeconds: 600 })
})
after(() => server.stop())

const refused = (code: number, name?: string) => (error: unknown) =>
  error instanceof WireError && error.code === code && (name === undefined || error.errorName === name)
const REMOVED = refused(4025, 'REMOVED_FROM_SESSION')
const FORBIDDEN = refused(4008, 'INVALID_PERMISSIONS')

interface Comer {
  meetingId: string
  participantId: string
  token: string
}

async function inside(options: Comer, at = server): Promise<WireClient> {
  const client = at.connect(options)
  await client.join()
  return client
}

const moderator = (meetingId: string, participantId = 'mod'): Promise<WireClient> =>
  inside({ meetingId, participantId, token: server.token(['allow_mod']) })

async function keptOut(options: Comer, at = server): Promise<void> {
  const client = at.connect(options)
  await client.hears('connectionSuccess')
  await assert.rejects(client.request('requestEntry', {}), REMOVED)
  await client.gone()
}

async function comesIn(options: Comer): Promise<void> {
  const client = await inside(options)
  client.close()
  await client.gone()
}

async function remove(by: WireClient, participantId: string): Promise<void> {
  await by.request('removePeer', { peerId: participantId })
}

/** The removals as moderators see them: id, name, by whom, and whether the token is shared. */
async function view(meetingId: string): Promise<[string, string, string, boolean][]> {
  const { body } = await server.rest('GET', `/v2/rooms/${meetingId}/removals`)
  return body.data.map(({ participantId, name, removedBy, tokenShared }: any) => [
    participantId,
    name,
    removedBy,
    tokenShared,
  ])
}

/** Returns the status with which a chat socket is refused; 101 if it is opened. */
function statusOfChat(pubSubUrl: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(pubSubUrl)
    socket.on('open', () => {
      socket.close()
      resolve(101)
    })
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode!)
      socket.terminate()
    })
    socket.on('error', reject)
  })
}

test('a removed participant comes back neither by its id nor with its token, also after a restart', async () => {
  const meetingId = await server.createMeeting()
  const mod = await moderator(meetingId)
  const token = server.token(['allow_join'])
  const bad = await inside({ meetingId, participantId: 'bad', token })
  await remove(mod, 'bad')
  await bad.gone()
  const back = async (): Promise<void> => {
    await keptOut({ meetingId, participantId: 'bad', token })
    await keptOut({ meetingId, participantId: 'bad', token: server.token(['allow_mod']) })
    await keptOut({ meetingId, participantId: 'bad', token: server.token(['ask_join']) })
    await keptOut({ meetingId, participantId: 'other', token })
  }
  await back()
  await server.restart()
  await back()
  await comesIn({ meetingId, participantId: 'other', token: server.token(['allow_join']) })
})

test('a second seat with a removed token is evicted, and does not join', async () => {
  const meetingId = await server.createMeeting()
  const mod = await moderator(meetingId)
  const token = server.token(['allow_join'])
  const bad = await inside({ meetingId, participantId: 'bad', token })
  const seat = await server.connect({ meetingId, participantId: 'seat', token }).enter()
  await seat.hears('entryResponded')
  await remove(mod, 'bad')
  await bad.gone()
  assert.equal((await seat.hears('error')).name, 'REMOVED_FROM_SESSION')
  await assert.rejects(seat.request('join', {}))
  await seat.gone()
  assert.deepEqual(
    mod.heard.filter(({ method }) => method === 'newPeer').map(({ id }) => id),
    ['bad'],
  )
})

test('a seat that joins in the instant of the removal is not inside afterwards', async () => {
  const meetingId = await server.createMeeting()
  const mod = await moderator(meetingId)
  for (let round = 0; round < 10; round++) {
    const token = server.token(['allow_join'])
    const bad = await inside({ meetingId, participantId: `bad-${round}`, token })
    const seat = await server.connect({ meetingId, participantId: `seat-${round}`, token }).enter()
    await seat.hears('entryResponded')
    const joined = Promise.allSettled([seat.finishJoin()])
    await remove(mod, `bad-${round}`)
    await bad.gone()
    const [outcome] = await joined
    const { participants, entering } = (await server.rest('GET', `/v2/rooms/${meetingId}/live`)).body
    const shown = [...participants, ...entering].map(({ participantId }) => participantId)
    // Either it had joined before, visible to all, so its token is shared; or it is out.
    if (outcome.status === 'rejected') assert.deepEqual(shown, ['mod'])
    else {
      assert.ok(shown.includes(`seat-${round}`) || seat.closed)
      if (shown.includes(`seat-${round}`)) await remove(mod, `seat-${round}`)
    }
    await keptOut({ meetingId, participantId: `again-${round}`, token })
  }
})

for (const twice of [false, true])
  test(`a token that takes the seat while its removal is saved is kept out too, ${twice ? 'removed twice' : 'removed once'}`, async () => {
    const store = new HeldStore()
    const own = await TestServer.start({ sessionGraceSeconds: 600 }, { through: store.through })
    try {
      const meetingId = await own.createMeeting()
      const token = (...permissions: string[]): string => own.token(permissions)
      const [first, second] = [token('allow_join'), token('allow_join')]
      const mod = await inside({ meetingId, participantId: 'mod', token: token('allow_mod') }, own)
      const mod2 = await inside({ meetingId, participantId: 'mod2', token: token('allow_mod') }, own)
      await inside({ meetingId, participantId: 'bad', token: first }, own)
      store.hold()
      const removing = [remove(mod, 'bad')]
      await store.more(0)
      const back = own.connect({ meetingId, participantId: 'bad', token: second })
      await back.enter()
      await back.hears('entryResponded')
      if (twice) removing.push(remove(mod2, 'bad'))
      // The requests of one connection are read in order.
      await mod2.request('ping')
      store.release()
      await Promise.all(removing)
      await back.gone()
      const keptOutBoth = async (): Promise<void> => {
        for (const [at, token] of [first, second].entries())
          await keptOut({ meetingId, participantId: `other${at}`, token }, own)
      }
      await keptOutBoth()
      const { body } = await own.rest('GET', `/v2/rooms/${meetingId}/removals`)
      assert.deepEqual(
        body.data.map((one: any) => [one.participantId, one.tokenShared]),
        [['bad', false]],
      )
      await own.restart()
      await keptOutBoth()
    } finally {
      await own.stop()
    }
  })

test('a removal fails if the second token cannot be saved, and trying again keeps both out', async () => {
  const writes: string[] = []
  let go!: () => void
  const seatIsTaken = new Promise<void>((resolve) => (go = resolve))
  const through = (store: Store): Store => ({
    ...store,
    sessions: {
      ...store.sessions,
      remove: async (removal) => {
        writes.push(removal.tokenId)
        if (writes.length === 1) await seatIsTaken
        if (writes.length === 2) throw new Refusal('STORE_UNAVAILABLE')
        await store.sessions.remove(removal)
      },
    },
  })
  const own = await TestServer.start({ sessionGraceSeconds: 600 }, { through })
  try {
    const meetingId = await own.createMeeting()
    const [first, second] = [own.token(['allow_join']), own.token(['allow_join'])]
    const mod = await inside({ meetingId, participantId: 'mod', token: own.token(['allow_mod']) }, own)
    await inside({ meetingId, participantId: 'bad', token: first }, own)
    const removing = remove(mod, 'bad')
    while (writes.length === 0) await mod.request('ping')
    const back = own.connect({ meetingId, participantId: 'bad', token: second })
    await back.enter()
    await back.hears('entryResponded')
    go()
    await assert.rejects(
      removing,
      (error) => error instanceof WireError && error.errorName === 'STORE_UNAVAILABLE',
    )
    await remove(mod, 'bad')
    await back.gone()
    await own.restart()
    for (const [at, token] of [first, second].entries())
      await keptOut({ meetingId, participantId: `other${at}`, token }, own)
  } finally {
    await own.stop()
  }
})

test('a removal that cannot take back a lasting admission changes nothing, and trying again removes', async () => {
  let failures = 1
  const through = (store: Store): Store => ({
    ...store,
    standing: {
      ...store.standing,
      lift: async (...which) => {
        if (failures-- > 0) throw new Refusal('STORE_UNAVAILABLE')
        return store.standing.lift(...which)
      },
    },
  })
  const own = await TestServer.start({}, { through })
  try {
    const meetingId = await own.createMeeting()
    const token = own.token(['allow_join'])
    const mod = await inside({ meetingId, participantId: 'mod', token: own.token(['allow_mod']) }, own)
    const bad = await inside({ meetingId, participantId: 'bad', token }, own)
    await assert.rejects(
      remove(mod, 'bad'),
      (error) => error instanceof WireError && error.errorName === 'STORE_UNAVAILABLE',
    )
    const { body } = await own.rest('GET', `/v2/rooms/${meetingId}/removals`)
    assert.deepEqual(body.data, [])
    await bad.request('ping')
    await remove(mod, 'bad')
    await bad.gone()
    await keptOut({ meetingId, participantId: 'bad', token }, own)
  } finally {
    await own.stop()
  }
})

test('those who wait with a removed token, or under a removed id, are evicted and not admitted again', async () => {
  const meetingId = await server.createMeeting()
  const mod = await moderator(meetingId)
  const token = server.token(['ask_join'])
  const bad = await server.connect({ meetingId, participantId: 'bad', token }).enter()
  await mod.request('respondEntry', { id: 'bad', decision: 'allowed' })
  await bad.hears('entryResponded')
  await bad.finishJoin()
  const second = await server.connect({ meetingId, participantId: 'second', token }).enter()
  const innocent = await server
    .connect({ meetingId, participantId: 'innocent', token: server.token(['ask_join']) })
    .enter()
  await remove(mod, 'bad')
  assert.equal((await second.hears('error')).name, 'REMOVED_FROM_SESSION')
  await mod.hears('entryWithdrawn', ({ id }) => id === 'second')
  await assert.rejects(mod.request('respondEntry', { id: 'second', decision: 'allowed' }), refused(4059))
  // An admission does not override the removal.
  await keptOut({ meetingId, participantId: 'bad', token })
  await mod.request('respondEntry', { id: 'innocent', decision: 'allowed' })
  assert.equal((await innocent.hears('entryResponded')).decision, 'allowed')
})

test('neither a switch nor a relay brings a removed participant back', async () => {
  const [meetingId, elsewhere] = [await server.createMeeting(), await server.createMeeting()]
  const mod = await moderator(meetingId)
  const token = server.token(['allow_join'])
  const fresh = server.token(['allow_join'])
  await inside({ meetingId, participantId: 'bad', token })
  // A seat and a relay from before the removal.
  const seat = await inside({ meetingId: elsewhere, participantId: 'seat', token: fresh })
  await seat.request('switchToMeeting', { meetingId, secret: token })
  await seat.hears('entryResponded', ({ switchingRoomId }) => switchingRoomId === meetingId)
  const relayed = await inside({ meetingId: elsewhere, participantId: 'relayed', token: fresh })
  await relayed.request('mediaRelayRequestSent', { meetingId, secret: token })
  await mod.hears('mediaRelayRequestReceived')
  await mod.request('respondToMediaRelayRequest', {
    peerId: 'relayed',
    meetingId: elsewhere,
    decision: 'allowed',
  })
  await relayed.hears('mediaRelayStarted')
  const asking = await inside({ meetingId: elsewhere, participantId: 'asking', token: fresh })
  await asking.request('mediaRelayRequestSent', { meetingId, secret: token })
  await mod.hears('mediaRelayRequestReceived', ({ peerId }) => peerId === 'asking')

  await remove(mod, 'bad')
  await relayed.hears('mediaRelayStopped')
  await mod.hears('peerClosed', ({ peerId }) => peerId === 'relayed')
  assert.equal((await seat.hears('error')).name, 'REMOVED_FROM_SESSION')
  await assert.rejects(seat.request('join', { switchingRoom: true }), refused(5000, 'INVALID_STATE'))
  const answer = { peerId: 'asking', meetingId: elsewhere, decision: 'allowed' }
  await assert.rejects(mod.request('respondToMediaRelayRequest', answer), refused(404))
  // Later attempts: with the token, and under the id.
  await assert.rejects(seat.request('switchToMeeting', { meetingId, secret: token }), REMOVED)
  await assert.rejects(seat.request('mediaRelayRequestSent', { meetingId, secret: token }), REMOVED)
  const same = await inside({ meetingId: elsewhere, participantId: 'bad', token: fresh })
  await assert.rejects(same.request('switchToMeeting', { meetingId, secret: fresh }), REMOVED)
  await assert.rejects(same.request('mediaRelayRequestSent', { meetingId, secret: fresh }), REMOVED)
  // Nobody is removed from the other meeting.
  for (const client of [seat, relayed, asking, same]) assert.equal(client.closed, undefined)
})

test('the chat ends with the removal, and its ticket opens nothing', async () => {
  const meetingId = await server.createMeeting()
  const mod = await moderator(meetingId)
  const bad = server.connect({ meetingId, participantId: 'bad', token: server.token(['allow_join']) })
  const { pubSubUrl } = await bad.join()
  const chat = new WebSocket(pubSubUrl)
  await new Promise((resolve) => chat.once('open', resolve))
  const closed = new Promise((resolve) => chat.once('close', resolve))
  await remove(mod, 'bad')
  await closed
  assert.equal(await statusOfChat(pubSubUrl), 401)
})

test('if others share the token, only the participant id is kept out', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join', 'allow_mod'])
  const all = { meetingId, token }
  const mod = await inside({ ...all, participantId: 'mod' })
  const ann = await inside({ ...all, participantId: 'ann' })
  const bad = await inside({ ...all, participantId: 'bad' })
  await remove(mod, 'bad')
  await bad.gone()
  const holds = async (): Promise<void> => {
    await keptOut({ ...all, participantId: 'bad' })
    await keptOut({ meetingId, participantId: 'bad', token: server.token(['allow_join']) })
    // Everybody else with the token may enter, again or for the first time.
    for (const participantId of ['mod', 'ann', 'eve']) await comesIn({ ...all, participantId })
    // The moderator sees that the token is still valid.
    assert.deepEqual(await view(meetingId), [['bad', 'bad', 'mod', true]])
  }
  assert.equal(ann.closed, undefined)
  await holds()
  await server.restart()
  await holds()
})

test('a shared token is removed with the last of its holders', async () => {
  const meetingId = await server.createMeeting()
  const mod = await moderator(meetingId)
  const token = server.token(['allow_join'])
  for (const participantId of ['a', 'b', 'c']) await inside({ meetingId, participantId, token })
  await remove(mod, 'a')
  await comesIn({ meetingId, participantId: 'd', token })
  await remove(mod, 'b')
  await keptOut({ meetingId, participantId: 'a', token })
  const seat = await server.connect({ meetingId, participantId: 'seat', token }).enter()
  await seat.hears('entryResponded')
  // A seat without a join does not count as a holder of the token.
  await remove(mod, 'c')
  assert.equal((await seat.hears('error')).name, 'REMOVED_FROM_SESSION')
  assert.deepEqual(
    (await view(meetingId)).map(([id, , , tokenShared]) => [id, tokenShared]),
    [
      ['a', false],
      ['b', false],
      ['c', false],
    ],
  )
  const over = async (): Promise<void> => {
    for (const participantId of ['a', 'b', 'c', 'd', 'seat', 'new'])
      await keptOut({ meetingId, participantId, token })
  }
  await over()
  await server.restart()
  await over()
})

test('if all holders of a shared token are removed at once, the token is removed too', async () => {
  const meetingId = await server.createMeeting()
  const mod = await moderator(meetingId)
  for (let round = 0; round < 5; round++) {
    const token = server.token(['allow_join'])
    const ids = ['a', 'b', 'c'].map((name) => `${name}-${round}`)
    for (const participantId of ids) await inside({ meetingId, participantId, token })
    await Promise.all(ids.map((id) => remove(mod, id)))
    await keptOut({ meetingId, participantId: `new-${round}`, token })
  }
})

test('nobody lifts their own removal, and only a moderator lifts that of a moderator', async () => {
  const meetingId = await server.createMeeting()
  const mod = await moderator(meetingId)
  const token = server.token(['allow_join', 'allow_mod'])
  const ann = await inside({ meetingId, participantId: 'ann', token: server.token(['allow_join']) })
  await inside({ meetingId, participantId: 'bad', token })
  await remove(mod, 'bad')
  await assert.rejects(ann.request('liftRemoval', { peerId: 'bad' }), FORBIDDEN)
  await assert.rejects(ann.request('liftRemoval', { peerId: 'ann' }), refused(404))
  const path = `/v2/rooms/${meetingId}/removals/lift`
  const lift = async (by: string): Promise<string> =>
    (await server.rest('POST', path, { participantId: 'bad' }, by)).body.code ?? 'lifted'
  assert.equal(await lift(server.token(['allow_join'])), 'INVALID_PERMISSIONS')
  assert.ok(['INVALID_PERMISSIONS', 'REMOVED_FROM_SESSION'].includes(await lift(token)))
  await keptOut({ meetingId, participantId: 'bad', token })
  await mod.request('liftRemoval', { peerId: 'bad' })
  await comesIn({ meetingId, participantId: 'bad', token })
  await server.restart()
  await comesIn({ meetingId, participantId: 'bad', token })
})

test('MODERATION=open: an admitter lifts removals by other admitters, but not by moderators', async () => {
  const open = await TestServer.start({ moderation: 'open' })
  try {
    const meetingId = await open.createMeeting()
    const join = (participantId: string, permissions: string[]): Promise<WireClient> =>
      inside({ meetingId, participantId, token: open.token(permissions) }, open)
    const [ann, bob] = [await join('ann', ['allow_join']), await join('bob', ['allow_join'])]
    const mod = await join('mod', ['allow_mod'])
    for (const id of ['first', 'second']) await join(id, ['allow_join'])
    await remove(ann, 'first')
    await remove(mod, 'second')
    await assert.rejects(bob.request('liftRemoval', { peerId: 'second' }), FORBIDDEN)
    await bob.request('liftRemoval', { peerId: 'first' })
    await join('first', ['allow_join'])
  } finally {
    await open.stop()
  }
})

test('of two moderators who remove each other at once, one is out', async () => {
  for (let round = 0; round < 5; round++) {
    const meetingId = await server.createMeeting()
    const [one, two] = [await moderator(meetingId, 'one'), await moderator(meetingId, 'two')]
    await Promise.allSettled([remove(one, 'two'), remove(two, 'one')])
    const { body } = await server.rest('GET', `/v2/rooms/${meetingId}/live`)
    assert.equal(body.participants.length, 1)
  }
})
