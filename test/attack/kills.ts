/**
 * A server is killed repeatedly under a load of writes and joins: everything acknowledged must exist afterwards, and
 * participants must return.
 */
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { Person } from '../support/browser.ts'
import { AppServer, Published } from '../support/published.ts'
import { RealServer } from '../support/real-server.ts'
import { Receiver } from '../support/receiver.ts'
import { ADMIN_KEY, API_KEY, signAnything } from '../support/test-server.ts'
import { WireClient } from '../support/wire-client.ts'

export interface KillOptions {
  kills: number
  /** How long a session waits for its participants; the shorter, the sooner abandoned sessions end. */
  graceSeconds: number
  /** With a browser, an own and a published client are inside all the time and return by themselves. */
  browser?: Browser
  say: (line: string) => void
}

/** The number of concurrent writers of each kind. */
const WRITERS = 2
const LOAD_MS = { least: 200, most: 1200 }
const PATIENCE_MS = 120_000
/** The time from the ready server until everybody is inside, on an idle machine: for the long run. */
const RETURN_LIMIT_MS = 10_000

interface Acknowledged {
  meetings: string[]
  invites: { meetingId: string; inviteId: string }[]
  /** Tokens of keys that were revoked. */
  revoked: string[]
  /** Participants removed from the main meeting, with their tokens. */
  removed: { participantId: string; token: string }[]
  messages: string[]
  joins: { meetingId: string; participantId: string; before: number }[]
}

const moderator = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
const direct = (): string => signAnything({ apikey: API_KEY, permissions: ['allow_join'] })

export async function attackByKills({ kills, graceSeconds, browser, say }: KillOptions): Promise<void> {
  const receiver = await Receiver.start()
  const server = await RealServer.start({
    ADMIN_KEY,
    LOG_LEVEL: 'error',
    MEDIA_WORKERS: '1',
    SESSION_GRACE_SECONDS: String(graceSeconds),
    WEBHOOK_ALLOW_PRIVATE: 'true',
    MAX_WAITING_PER_ADDRESS: '500',
    MAX_INVITES: '100000',
  })
  const app = browser && (await AppServer.start())
  try {
    await run(server, receiver, kills, say, browser && app && { browser, app })
  } finally {
    await server.stop()
    receiver.stop()
    app?.stop()
  }
}

async function run(
  server: RealServer,
  receiver: Receiver,
  kills: number,
  say: (line: string) => void,
  pages: { browser: Browser; app: AppServer } | undefined,
): Promise<void> {
  const webhook = { endPoint: receiver.url, events: ['*'] }
  const mainId = await server.createMeeting({ customRoomId: 'main', webhook })
  const acknowledged: Acknowledged = {
    meetings: [mainId],
    invites: [],
    revoked: [],
    removed: [],
    messages: [],
    joins: [],
  }
  const { body: projects } = await server.rest('GET', '/v2/admin/projects', undefined, `Bearer ${ADMIN_KEY}`)
  const projectId: string = projects.data[0].projectId
  const residents = pages && (await moveIn(server, mainId, pages))
  const returns = { wire: [] as number[], own: [] as number[], published: [] as number[] }
  const restarts: number[] = []
  const writers: Promise<void>[] = []
  let sessionId: string | undefined

  for (let round = 0; round < kills; round++) {
    // A participant who is inside all the time, and returns as soon as possible.
    const mod = new WireClient({ url: server.url, token: moderator, meetingId: mainId, participantId: 'mod' })
    const beganAt = performance.now()
    const { self } = await mod.join()
    if (round > 0) returns.wire.push(performance.now() - beganAt)
    sessionId ??= self.sessionId as string
    assert.equal(self.sessionId, sessionId, 'the session of the main meeting continues through every kill')

    const clients = [mod]
    let over = false
    writers.push(...load({ server, mainId, projectId, webhook, acknowledged, clients, round }, () => over))
    const forMs = LOAD_MS.least + Math.random() * (LOAD_MS.most - LOAD_MS.least)
    await new Promise((next) => setTimeout(next, forMs))
    const killedAt = performance.now()
    await server.end('SIGKILL')
    over = true
    for (const client of clients) client.close()
    await server.run()
    const readyAt = performance.now()
    restarts.push(readyAt - killedAt)
    if (residents) {
      const [own, published] = await residents.returned(readyAt)
      returns.own.push(own)
      returns.published.push(published)
    }
    await holds(server, mainId, acknowledged)
    say(`kill ${round + 1} of ${kills}: ${count(acknowledged)}`)
  }
  await residents?.moveOut()
  await Promise.all(writers)
  await endRightly(server, receiver, acknowledged)
  say(`restarted, from the kill to ready: ${spread(restarts)}`)
  for (const [who, times] of Object.entries(returns)) {
    if (times.length === 0) continue
    say(`back after ready, ${who} client: ${spread(times)}`)
    if (pages) assert.ok(Math.max(...times) < RETURN_LIMIT_MS, `the ${who} client is back within 10 s`)
  }
  say(`${kills} kills, acknowledged and there: ${count(acknowledged)}; ${receiver.hooks.length} webhooks`)
}

/** Stops and restarts a server in order with people inside: each is told the reason, and returns by itself. */
export async function restartInOrder({
  restarts,
  browser,
  say,
}: {
  restarts: number
  browser: Browser
  say: (line: string) => void
}): Promise<void> {
  const server = await RealServer.start({ LOG_LEVEL: 'error', MEDIA_WORKERS: '1' })
  const app = await AppServer.start()
  const gaps = { server: [] as number[], own: [] as number[], published: [] as number[] }
  try {
    const mainId = await server.createMeeting()
    const residents = await moveIn(server, mainId, { browser, app })
    for (let round = 0; round < restarts; round++) {
      const stoppedAt = performance.now()
      assert.equal(await server.end('SIGTERM'), 0)
      await server.run()
      gaps.server.push(performance.now() - stoppedAt)
      const [own, published] = await residents.returned(stoppedAt)
      gaps.own.push(own)
      gaps.published.push(published)
      await residents.wereToldWhy(round + 1)
    }
    await residents.moveOut()
  } finally {
    await server.stop()
    app.stop()
  }
  for (const [who, times] of Object.entries(gaps)) {
    say(
      who === 'server'
        ? `orderly restart, from the signal to ready: ${spread(times)}`
        : `orderly restart, from the signal to inside again, ${who} client: ${spread(times)}`,
    )
  }
}

interface Load {
  server: RealServer
  mainId: string
  projectId: string
  webhook: unknown
  acknowledged: Acknowledged
  clients: WireClient[]
  round: number
}

/**
 * Starts writers of every kind, each as fast as its requests are answered, until the end or until the server is gone.
 */
function load(
  { server, mainId, projectId, webhook, acknowledged, clients, round }: Load,
  over: () => boolean,
) {
  const admin = `Bearer ${ADMIN_KEY}`
  const enter = async (meetingId: string, participantId: string, token: string): Promise<void> => {
    const client = new WireClient({ url: server.url, token, meetingId, participantId })
    clients.push(client)
    await client.join()
    acknowledged.joins.push({ meetingId, participantId, before: Date.now() })
  }
  const write = async (method: string, path: string, body: unknown, token?: string): Promise<any> => {
    const answer = await server.rest(method, path, body, token)
    assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const writers: ((id: string) => Promise<unknown>)[] = [
    async () => {
      acknowledged.meetings.push((await write('POST', '/v2/rooms', {})).roomId)
    },
    async () => {
      const { inviteId } = await write('POST', '/v2/invites', { roomId: mainId, entry: 'ask' })
      acknowledged.invites.push({ meetingId: mainId, inviteId })
    },
    async () => {
      const key = await write('POST', '/v2/admin/keys', { projectId }, admin)
      const token = signAnything({ apikey: key.apiKey, permissions: ['allow_join'] }, key.secret)
      await write('POST', `/v2/admin/keys/${key.apiKey}/revoke`, { connections: 'keep' }, admin)
      acknowledged.revoked.push(token)
    },
    async (id) => {
      const [participantId, token] = [`removed-${id}`, direct()]
      await enter(mainId, participantId, token)
      await write('POST', '/v2/sessions/participants/remove', { roomId: mainId, participantId })
      acknowledged.removed.push({ participantId, token })
    },
    async () => {
      const message = { topic: 'CHAT', message: 'kept', persist: true, senderName: 'load' }
      acknowledged.messages.push((await write('POST', `/v2/rooms/${mainId}/messages`, message)).id)
    },
    async (id) => {
      const meetingId = (await write('POST', '/v2/rooms', { webhook })).roomId
      acknowledged.meetings.push(meetingId)
      await enter(meetingId, `alone-${id}`, direct())
    },
  ]
  return writers.flatMap((writer, kind) =>
    Array.from({ length: WRITERS }, async (_, at) => {
      for (let turn = 0; turn < 1000 && !over(); turn++) {
        try {
          await writer(`${round}-${kind}-${at}-${turn}`)
        } catch (error) {
          if (over() || !(error instanceof assert.AssertionError)) return
          throw error
        }
        await new Promise((next) => setImmediate(next))
      }
    }),
  )
}

/** Everything acknowledged exists, and removed participants stay out. */
async function holds(server: RealServer, mainId: string, acknowledged: Acknowledged): Promise<void> {
  const there = new Set((await pages(server, '/v2/rooms')).map(({ roomId }) => roomId))
  assert.deepEqual(
    acknowledged.meetings.filter((id) => !there.has(id)),
    [],
  )
  const invites = new Set(
    (await pages(server, `/v2/invites?roomId=${mainId}`)).map(({ inviteId }) => inviteId),
  )
  assert.deepEqual(
    acknowledged.invites.filter(({ inviteId }) => !invites.has(inviteId)),
    [],
  )
  const messages = new Set((await pages(server, `/v2/rooms/${mainId}/messages`)).map(({ id }) => id))
  assert.deepEqual(
    acknowledged.messages.filter((id) => !messages.has(id)),
    [],
  )
  for (const token of acknowledged.revoked.slice(-5)) {
    const { status, body } = await server.rest('GET', '/v2/rooms', undefined, token)
    assert.deepEqual([status, body.code], [401, 'APIKEY_DEACTIVATED'])
  }
  for (const { participantId, token } of acknowledged.removed.slice(-3)) {
    const again = new WireClient({ url: server.url, token, meetingId: mainId, participantId })
    await again.enter().catch(() => undefined)
    assert.equal((await again.hears('error')).name, 'REMOVED_FROM_SESSION')
    again.close()
  }
}

/**
 * Sessions to which nobody returned have ended, at an instant at which their server lived, and the receiver was
 * notified.
 */
async function endRightly(server: RealServer, receiver: Receiver, { joins }: Acknowledged): Promise<void> {
  const alone = joins.filter(({ participantId }) => participantId.startsWith('alone-'))
  const giveUpAt = Date.now() + PATIENCE_MS
  for (const { meetingId, participantId, before } of alone) {
    for (;;) {
      const { body } = await server.rest('GET', `/v2/sessions/?roomId=${meetingId}`)
      assert.equal(body.data.length, 1, `one session of ${meetingId}`)
      const [session] = body.data
      assert.deepEqual(
        session.participants.map((one: { participantId: string }) => one.participantId),
        [participantId],
      )
      if (session.end !== null) {
        const [start, end] = [Date.parse(session.start), Date.parse(session.end)]
        assert.ok(start <= end && end - before < 12_000, `${session.start} to ${session.end}`)
        assert.equal(session.participants[0].timelog.length, 1)
        break
      }
      if (Date.now() > giveUpAt) assert.fail(`the session of ${meetingId} did not end`)
      await new Promise((next) => setTimeout(next, 200))
    }
  }
  const heard = (event: string): Set<string> =>
    new Set(
      receiver.hooks
        .filter(({ body }) => body.webhookType === event)
        .map(({ body }) => `${body.data.meetingId} ${body.data.participantId ?? ''}`),
    )
  const missing = (): string[] => {
    const [joined, ended] = [heard('participant-joined'), heard('session-ended')]
    return [
      ...joins
        .filter(({ meetingId, participantId }) => !joined.has(`${meetingId} ${participantId}`))
        .map(({ participantId }) => `join of ${participantId}`),
      ...alone
        .filter(({ meetingId }) => !ended.has(`${meetingId} `))
        .map(({ meetingId }) => `end of ${meetingId}`),
    ]
  }
  for (let tries = 0; tries < 600 && missing().length > 0; tries++)
    await new Promise((next) => setTimeout(next, 100))
  assert.deepEqual(missing(), [], 'every join and every end was told')
}

async function pages(server: RealServer, path: string): Promise<any[]> {
  const all: unknown[] = []
  for (let page = 1; page < 1000; page++) {
    const { status, body } = await server.rest(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}page=${page}&perPage=100`,
    )
    assert.equal(status, 200, JSON.stringify(body))
    all.push(...body.data)
    if (body.data.length < 100) return all
  }
  return all
}

/**
 * Starts an own and a published client in the main meeting; `returned` measures the time until each is inside again.
 */
async function moveIn(
  server: RealServer,
  mainId: string,
  { browser, app }: { browser: Browser; app: AppServer },
) {
  const ann = await Person.at(browser, 'Ann')
  await ann.open(`${server.url}/m/${mainId}#token=${direct()}`)
  await ann.inside()
  const bob = await Published.at(browser, app)
  await bob.inside(server.secureUrl, {
    token: direct(),
    meetingId: mainId,
    participantId: 'bob',
    webcamEnabled: false,
  })
  await ann.knows((meeting) => meeting.participants.has('bob'))
  const self = await ann.page.evaluate<string>('globalThis.anteroom.meeting.self.id')
  const present = async (): Promise<Set<string>> => {
    const { body } = await server.rest('GET', `/v2/rooms/${mainId}/live`)
    return new Set(body.participants?.map(({ participantId }: { participantId: string }) => participantId))
  }
  return {
    async returned(readyAt: number): Promise<[own: number, published: number]> {
      const since = (id: string): Promise<number> => until(async () => (await present()).has(id), readyAt, id)
      const times = await Promise.all([since(self), since('bob')])
      const ids = await bob.run<string[]>('return [...m.participants.keys()]')
      assert.equal(new Set(ids).size, ids.length, 'nobody is there twice')
      return times
    },
    /** The published client's app was told about each restart; own clients know the reason while they reconnect. */
    async wereToldWhy(times: number): Promise<void> {
      const told = await bob.run<number>(
        `return log.filter(([name, value]) => name === 'error' && /is restarting/.test(value.message)).length`,
      )
      assert.equal(told, times)
    },
    async moveOut(): Promise<void> {
      await ann.close()
      await bob.close()
    },
  }
}

async function until(holds: () => Promise<boolean>, from: number, what: string): Promise<number> {
  while (!(await holds())) {
    if (performance.now() - from > PATIENCE_MS) assert.fail(`${what} did not come back`)
    await new Promise((next) => setTimeout(next, 50))
  }
  return performance.now() - from
}

function count(acknowledged: Acknowledged): string {
  return Object.entries(acknowledged)
    .map(([what, all]) => `${all.length} ${what}`)
    .join(', ')
}

/** Formats the distribution of times in ms. */
export function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]! / 1000).toFixed(2)
  return `p50 ${at(0.5)} s, p95 ${at(0.95)} s, max ${at(1)} s (${sorted.length})`
}
