/**
 * Every rule of entry and removal with an `await` before it: two actions at once, in either order, on a store whose
 * writes wait until both were requested. Whatever the outcome, the invariants of every meeting hold.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { HeldStore } from '../support/held-store.ts'
import { TestServer } from '../support/test-server.ts'
import { WireError, type WireClient } from '../support/wire-client.ts'

const MAX_PARTICIPANTS = 5
const MAX_ENTRY_REQUESTS = 2
/** The participants at the start: three inside, one about to join, one waiting. */
const AT_FIRST = ['bad', 'guest', 'mod', 'mod2', 'seat']

/** A server whose store can be held. There are several, because each scene mostly waits. */
interface Lane {
  server: TestServer
  store: HeldStore
}

const LANES = 4
let lanes: Lane[] = []
before(async () => {
  lanes = await Promise.all(Array.from({ length: LANES }, openLane))
})
after(() => Promise.all(lanes.map(({ server }) => server.stop())))

async function openLane(): Promise<Lane> {
  const store = new HeldStore()
  const settings = {
    maxParticipants: MAX_PARTICIPANTS,
    maxEntryRequests: MAX_ENTRY_REQUESTS,
    sessionGraceSeconds: 600,
    joinTimeoutSeconds: 600,
    maxRequestsPerSecond: 10_000,
  }
  return { store, server: await TestServer.start(settings, { through: store.through }) }
}

interface Member {
  client: WireClient
  token: string
}

interface Scene {
  server: TestServer
  meetingId: string
  /** The token of `bad` and of those who joined with it. */
  badToken: string
  jti: string
  mod: WireClient
  mod2: WireClient
  bad: WireClient
  seat: WireClient
  guest: WireClient
  guestToken: string
  /** Everybody who is in this meeting, or may be. */
  members: Member[]
  /** Participants of another meeting. */
  elsewhere: WireClient[]
}

interface Act {
  /** Prepares the scene; returns the action. */
  prepare: (scene: Scene) => Promise<() => Promise<unknown>>
}

const act =
  (work: (scene: Scene) => Promise<unknown>): Act['prepare'] =>
  (scene) =>
    Promise.resolve(() => work(scene))

/** Opens a socket without requesting anything; the returned function requests entry. */
async function comer(scene: Scene, participantId: string, token: string): Promise<() => Promise<unknown>> {
  const client = scene.server.connect({ meetingId: scene.meetingId, participantId, token })
  await client.hears('connectionSuccess')
  return () => {
    scene.members.push({ client, token })
    return client.request('requestEntry', {})
  }
}

/** Joins another meeting. */
async function elsewhere(
  scene: Scene,
  participantId: string,
): Promise<{ client: WireClient; meetingId: string }> {
  const { server } = scene
  const meetingId = await server.createMeeting()
  const client = server.connect({ meetingId, participantId, token: server.token(['allow_join']) })
  await joinBarely(client)
  scene.elsewhere.push(client)
  return { client, meetingId }
}

const respond = (by: WireClient, decision: 'allowed' | 'denied'): Promise<unknown> =>
  by.request('respondEntry', { id: 'guest', decision })

const acts: Record<string, Act['prepare']> = {
  'somebody comes': (scene) => comer(scene, 'new', scene.server.token(['allow_join'])),
  'somebody else comes': (scene) => comer(scene, 'other', scene.server.token(['allow_join'])),
  'somebody asks': (scene) => comer(scene, 'asks', scene.server.token(['ask_join'])),
  'somebody else asks': (scene) => comer(scene, 'asks-too', scene.server.token(['ask_join'])),
  'one comes with the token of bad': (scene) => comer(scene, 'bad-too', scene.badToken),
  'one takes the place of bad': (scene) => comer(scene, 'bad', scene.server.token(['allow_mod'])),
  'bad comes again': (scene) => comer(scene, 'bad', scene.badToken),
  'the seat of bad’s token joins': act(({ seat }) => seat.request('join', {})),
  'one changes over with the token of bad': async (scene) => {
    const { client } = await elsewhere(scene, 'switcher')
    const { meetingId, badToken } = scene
    return () => client.request('switchToMeeting', { meetingId, secret: badToken })
  },
  'a relay with the token of bad is consented to': async (scene) => {
    const { client, meetingId: from } = await elsewhere(scene, 'relayed')
    const { meetingId, badToken, mod } = scene
    await client.request('mediaRelayRequestSent', { meetingId, secret: badToken })
    return () =>
      mod.request('respondToMediaRelayRequest', { peerId: 'relayed', meetingId: from, decision: 'allowed' })
  },
  'the guest is let in': act(({ mod }) => respond(mod, 'allowed')),
  'another lets the guest in': act(({ mod2 }) => respond(mod2, 'allowed')),
  'bad lets the guest in': act(({ bad }) => respond(bad, 'allowed')),
  'the guest is denied': act(({ mod2 }) => respond(mod2, 'denied')),
  'the guest asks again': (scene) => comer(scene, 'guest', scene.guestToken),
  'the guest goes': act(async ({ guest, mod }) => {
    guest.close()
    await mod.hears('entryWithdrawn', ({ id }) => id === 'guest')
  }),
  'bad is removed': act(({ mod }) => mod.request('removePeer', { peerId: 'bad' })),
  'another removes bad': act(({ mod2 }) => mod2.request('removePeer', { peerId: 'bad' })),
  'bad is removed over REST': act(({ server, meetingId }) =>
    rest(server, '/v2/sessions/participants/remove', { roomId: meetingId, participantId: 'bad' }),
  ),
  'bad removes a moderator': act(({ bad }) => bad.request('removePeer', { peerId: 'mod' })),
  'bad goes': act(async ({ bad, mod }) => {
    bad.close()
    await mod.hears('peerClosed', ({ peerId }) => peerId === 'bad')
  }),
  'the token of bad is revoked': act(({ server, jti }) => rest(server, '/v2/tokens/revoke', { jti })),
  'the meeting is ended for all': act(({ mod2 }) => mod2.request('closeRoom', {})),
  'the meeting is deactivated': act(({ server, meetingId }) =>
    rest(server, '/v2/rooms/deactivate', { roomId: meetingId }),
  ),
}

test('two at once: every rule with one await before it', async (t) => {
  const names = Object.keys(acts)
  const pairs = names.flatMap((first) =>
    names.filter((second) => second !== first).map((second): [string, string] => [first, second]),
  )
  const left = [...pairs]
  let removals = 0
  await Promise.all(
    lanes.map(async (lane) => {
      const removed: Scene[] = []
      for (let pair = left.pop(); pair; pair = left.pop()) {
        const { scene, did } = await play(lane, pair)
        if (!did('the token of bad is revoked') && (await isRemoved(scene))) removed.push(scene)
        for (const client of [...scene.members.map((one) => one.client), ...scene.elsewhere]) client.close()
      }
      await lane.server.restart()
      for (const scene of removed) await keptOut(scene, 'after a restart')
      removals += removed.length
    }),
  )
  t.diagnostic(`${pairs.length} pairs; ${removals} removals held after a restart`)
})

/** Requests both actions while no write completes, then lets them complete, and checks the meeting. */
async function play(
  { server, store }: Lane,
  [first, second]: [string, string],
): Promise<{ scene: Scene; did: (name: string) => boolean }> {
  const scene = await setTheScene(server)
  const [one, two] = [await acts[first]!(scene), await acts[second]!(scene)]
  store.hold()
  const doing = [one()]
  await Promise.race([Promise.allSettled(doing), store.more(0)])
  doing.push(two())
  await Promise.race([Promise.allSettled(doing), store.more(1), heardOut(scene)])
  store.release()
  const outcomes = await Promise.allSettled(doing)
  const did = (name: string): boolean =>
    [first, second].some((act, at) => act === name && outcomes[at]!.status === 'fulfilled')
  await holds(scene, did, `${first}; ${second}: ${outcomes.map(said).join(', ')}`)
  return { scene, did }
}

/** Checks the invariants of every meeting, whatever was done. */
async function holds(scene: Scene, did: (name: string) => boolean, what: string): Promise<void> {
  const { server, meetingId, members, badToken, guest, mod, bad } = scene
  // Messages sent before an answer arrive before it.
  await heardOut(scene)
  const { body: view } = await server.rest('GET', `/v2/rooms/${meetingId}/live`)
  const idsOf = (list: { participantId: string }[]): string[] =>
    list.map(({ participantId }) => participantId)
  const seated = [...idsOf(view.participants), ...idsOf(view.entering)]
  const waiting = idsOf(view.entryRequests)
  assert.ok(seated.length <= MAX_PARTICIPANTS, `full: ${what}`)
  assert.ok(waiting.length <= MAX_ENTRY_REQUESTS, `the lobby is full: ${what}`)

  // Everybody who was not told to leave is inside, once, and nobody else is.
  const guests = ['switcher', 'relayed']
  const here = [...seated, ...waiting].filter((id) => !guests.includes(id)).sort()
  const alive = members.filter(({ client }) => isAlive(client))
  assert.deepEqual(here, alive.map(({ client }) => client.participantId).sort(), what)

  // Every participant whose join a moderator was told of is inside, or the moderator was told that it left.
  const told = mod.heard.filter(({ method }) => method === 'newPeer').map(({ id }) => String(id))
  const inside = idsOf(view.participants)
  if (isAlive(mod))
    for (const id of told)
      if (!inside.includes(id)) await mod.hears('peerClosed', ({ peerId }) => peerId === id)

  const removals = await server.rest('GET', `/v2/rooms/${meetingId}/removals`)
  const removed: string[] = view.sessionId === null ? [] : idsOf(removals.body.data)
  for (const id of removed)
    assert.ok(!seated.includes(id) && !waiting.includes(id), `${id} is removed: ${what}`)
  assert.ok(!did('bad removes a moderator') || !did('bad is removed'), `each removed the other: ${what}`)
  const isOver = did('the meeting is ended for all') || did('the meeting is deactivated')
  const removal = ['bad is removed', 'another removes bad', 'bad is removed over REST'].some(did)
  if (removal && !isOver) {
    assert.ok(removed.includes('bad'), `the removal is kept: ${what}`)
    if (!did('the token of bad is revoked')) await keptOut(scene, what)
    // Unless another participant had joined with the token before.
    if (!seated.includes('seat'))
      assert.deepEqual(
        [...guests, 'bad-too'].filter((id) => seated.includes(id)),
        [],
        `with its token: ${what}`,
      )
  }
  if (did('the token of bad is revoked')) {
    const holders = alive.filter(({ token }) => token === badToken)
    assert.deepEqual(
      holders.map(({ client }) => client.participantId),
      [],
      `revoked: ${what}`,
    )
    assert.deepEqual(
      guests.filter((id) => seated.includes(id)),
      [],
      `revoked: ${what}`,
    )
  }
  if (did('the meeting is deactivated')) assert.deepEqual([seated, waiting], [[], []], what)
  if (isOver) for (const client of [mod, bad]) assert.ok(!isAlive(client) || did('bad comes again'), what)

  // The guest gets one answer, and it is the one that was acknowledged.
  const answers = guest.heard.filter(({ method }) => method === 'entryResponded')
  assert.ok(answers.length <= 1, `one answer: ${what}`)
  const lettingIn = ['the guest is let in', 'another lets the guest in', 'bad lets the guest in'].filter(did)
  assert.ok(lettingIn.length + (did('the guest is denied') ? 1 : 0) <= 1, `one answers: ${what}`)
  if (did('the guest is denied')) assert.ok(!seated.includes('guest'), `denied: ${what}`)
  if (answers[0]?.decision === 'allowed') assert.equal(lettingIn.length, 1, `let in by somebody: ${what}`)
}

function said(outcome: PromiseSettledResult<unknown>): string {
  if (outcome.status === 'fulfilled') return 'ok'
  return outcome.reason instanceof WireError ? outcome.reason.errorName : String(outcome.reason)
}

function isAlive(client: WireClient): boolean {
  return client.socket.connected && !client.closed
}

/** Waits until every client has received its messages, and the server has read theirs. */
async function heardOut({ server, meetingId, members, elsewhere }: Scene): Promise<void> {
  const clients = [...members.map(({ client }) => client), ...elsewhere].filter(isAlive)
  await Promise.allSettled(clients.map((client) => Promise.race([client.request('ping'), client.gone()])))
  await server.rest('GET', `/v2/rooms/${meetingId}/live`)
}

async function isRemoved({ server, meetingId }: Scene): Promise<boolean> {
  const { body } = await server.rest('GET', `/v2/rooms/${meetingId}/removals`)
  return body.data.some(({ participantId }: { participantId: string }) => participantId === 'bad')
}

/** The removed participant cannot come back. */
async function keptOut({ server, meetingId, badToken }: Scene, what: string): Promise<void> {
  const client = server.connect({ meetingId, participantId: 'bad', token: badToken })
  await client.hears('connectionSuccess')
  await assert.rejects(
    client.request('requestEntry', {}),
    (error: unknown) => error instanceof WireError && error.errorName === 'REMOVED_FROM_SESSION',
    `kept out: ${what}`,
  )
  client.close()
}

async function joinBarely(client: WireClient): Promise<void> {
  await client.enter()
  await client.hears('entryResponded')
  await client.request('join', {})
}

async function setTheScene(server: TestServer): Promise<Scene> {
  const meetingId = await server.createMeeting()
  const jti = randomUUID()
  const badToken = server.token(['allow_mod'], { jti })
  const guestToken = server.token(['ask_join'])
  const connect = (participantId: string, token: string): WireClient =>
    server.connect({ meetingId, participantId, token })
  const [modToken, mod2Token] = [server.token(['allow_mod']), server.token(['allow_mod'])]
  const [mod, mod2, bad] = [connect('mod', modToken), connect('mod2', mod2Token), connect('bad', badToken)]
  await Promise.all([mod, mod2, bad].map(joinBarely))
  const [seat, guest] = [connect('seat', badToken), connect('guest', guestToken)]
  await Promise.all([seat.enter(), guest.enter()])
  await seat.hears('entryResponded')
  const members = [
    { client: mod, token: modToken },
    { client: mod2, token: mod2Token },
    { client: bad, token: badToken },
    { client: seat, token: badToken },
    { client: guest, token: guestToken },
  ]
  assert.deepEqual(members.map(({ client }) => client.participantId).sort(), AT_FIRST)
  return { server, meetingId, badToken, jti, mod, mod2, bad, seat, guest, guestToken, members, elsewhere: [] }
}

async function rest(server: TestServer, path: string, body: unknown): Promise<void> {
  const answer = await server.rest('POST', path, body)
  if (answer.status >= 400) throw new Error(`${answer.status} ${answer.body.code}`)
}
