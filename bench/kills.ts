/**
 * `npm run bench:kills`: in three nodes behind a balancer, twenty people of one wide meeting lose its home, one of its edges, or
 * a media worker, in turn, twenty times, under a load of writes. Half of them try again when our client does,
 * half when a published one does. Prints how long that takes: until they have joined again, and until they receive everybody again.
 * Ends with 1 if a promise is broken: somebody was put out, a session ended or began, somebody is there twice or has two
 * stays at once, an acknowledged write is missing, somebody who was removed came back, or events came out of order.
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { startNodes, type Nodes } from '../test/support/nodes.ts'
import { withoutPostgres } from '../test/support/postgres.ts'
import type { RealServer } from '../test/support/real-server.ts'
import { Receiver } from '../test/support/receiver.ts'
import { clients, ReturningPeople, type Client } from '../test/support/returning.ts'
import { ADMIN_KEY, API_KEY, signAnything } from '../test/support/test-server.ts'
import { WireClient } from '../test/support/wire-client.ts'
import { printGoal, printTable } from './table.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    people: { type: 'string', default: '20' },
    nodes: { type: 'string', default: '3' },
  },
})
const [KILLS, PEOPLE, NODES] = [Number(values.kills), Number(values.people), Number(values.nodes)]
const SENDERS = 2
const LOAD_MS = { least: 500, most: 2000 }
const GIVE_UP_MS = 90_000
const GOALS_MS = { anybody: { p95: 10_000 }, 'our client': { p50: 6000 } }
const victims = ['home', 'edge', 'media worker'] as const
type Victim = (typeof victims)[number]

const moderator = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
const direct = (): string => signAnything({ apikey: API_KEY, permissions: ['allow_join'] })

interface Sample {
  victim: Victim
  client: Client
  /** Undefined for somebody who was not cut off. */
  joinedMs: number | undefined
  /** Undefined for somebody who received everybody all the time. */
  flowsMs: number | undefined
}

const broken: string[] = []
const promise = (holds: boolean, otherwise: string): void => {
  if (holds) return
  broken.push(otherwise)
  console.log(`BROKEN   ${otherwise}`)
}

/** Whoever writes until it is told to stop; each remembers what was acknowledged. */
class Writers {
  readonly acknowledged = {
    meetings: [] as string[],
    messages: [] as string[],
    removed: [] as { participantId: string; token: string }[],
  }
  readonly #stage: Nodes
  readonly #meetingId: string
  #isOver = false
  #running: Promise<unknown> = Promise.resolve()
  #made = 0

  constructor(stage: Nodes, meetingId: string) {
    this.#stage = stage
    this.#meetingId = meetingId
  }

  start(): void {
    this.#isOver = false
    const { meetings, messages, removed } = this.acknowledged
    const meetingId = this.#meetingId
    const writers = [
      async () => void meetings.push((await this.#post('/v2/rooms', {})).roomId),
      async () => {
        const message = { topic: 'CHAT', message: 'kept', persist: true, senderName: 'load' }
        messages.push((await this.#post(`/v2/rooms/${meetingId}/messages`, message)).id)
      },
      async () => {
        const [participantId, token] = [`removed-${this.#made++}`, direct()]
        const client = new WireClient({ url: this.#stage.balancer.url, token, meetingId, participantId })
        try {
          await client.join()
          await this.#post('/v2/sessions/participants/remove', { roomId: meetingId, participantId })
          removed.push({ participantId, token })
        } finally {
          client.close()
        }
      },
    ]
    this.#running = Promise.all(writers.map((write) => this.#keepOn(write)))
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  /** What is not acknowledged may be lost: nodes die, and refuse while they take over. */
  async #keepOn(write: () => Promise<void>): Promise<void> {
    while (!this.#isOver) {
      await write().catch(() => undefined)
      await delay(50)
    }
  }

  async #post(path: string, body: unknown): Promise<any> {
    const answer = await fetch(this.#stage.balancer.url + path, {
      method: 'POST',
      headers: { authorization: moderator, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
    return answer.json()
  }
}

async function pages(node: RealServer, path: string): Promise<any[]> {
  const all: unknown[] = []
  for (let page = 1; ; page++) {
    const { status, body } = await node.rest(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}page=${page}&perPage=100`,
    )
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`)
    all.push(...body.data)
    if (body.data.length < 100) return all
  }
}

async function allServe(stage: Nodes): Promise<void> {
  for (;;) {
    const { body } = await stage.nodes[0]!.rest('GET', '/v2/admin/status', undefined, `Bearer ${ADMIN_KEY}`)
    const serving = body.nodes.filter(
      ({ state, mediaWorkers }: any) => state === 'serving' && mediaWorkers > 0,
    )
    if (serving.length >= NODES) return
    await delay(200)
  }
}

/** Returns what kills it, and then what brings it back. */
async function aim(
  stage: Nodes,
  meetingId: string,
  people: ReturningPeople,
  victim: Victim,
): Promise<() => Promise<() => Promise<void>>> {
  const home = stage.at((await stage.homeOf(meetingId))!)
  const peopleAt = (node: RealServer): number =>
    people.all.filter(({ inside }) => inside?.port === Number(node.env.MEDIA_PORT)).length
  const [edge] = stage.nodes
    .filter((node) => node !== home)
    .sort((one, other) => peopleAt(other) - peopleAt(one))
  if (victim === 'media worker') {
    const node = [home, edge!].find((one) => peopleAt(one) > 0)!
    return () => {
      node.killWorkers()
      return Promise.resolve(() => Promise.resolve())
    }
  }
  const node = victim === 'home' ? home : edge!
  return async () => {
    await node.end('SIGKILL')
    return () => node.run()
  }
}

/** Everything that was promised is true. */
async function check(
  stage: Nodes,
  meetingId: string,
  sessionId: string,
  people: ReturningPeople,
  { acknowledged }: Writers,
): Promise<void> {
  const node = stage.nodes[0]!
  const expected = people.all.map(({ participantId }) => participantId).sort()
  for (const { participantId, out } of people.all)
    promise(out === undefined, `${participantId} is out: ${out}`)
  const live = (await node.rest('GET', `/v2/rooms/${meetingId}/live`)).body.participants ?? []
  const present: string[] = live
    .map(({ participantId }: any) => participantId)
    .filter((id: string) => !id.startsWith('removed-'))
    .sort()
  promise(String(present) === String(expected), `these are inside: ${present.join()}`)
  const sessions = await pages(node, `/v2/sessions?roomId=${meetingId}`)
  promise(
    sessions.length === 1 && sessions[0].id === sessionId,
    `the meeting has the sessions ${sessions.map(({ id }) => String(id)).join()}`,
  )
  const stays = (sessions[0]?.participants ?? []) as {
    participantId: string
    timelog: { end: string | null }[]
  }[]
  promise(
    new Set(stays.map(({ participantId }) => participantId)).size === stays.length,
    'somebody is twice in the records',
  )
  for (const { participantId, timelog } of stays) {
    const open = timelog.filter(({ end }) => end === null).length
    if (expected.includes(participantId))
      promise(open === 1, `${participantId} has ${open} stays that have not ended`)
  }
  const known = new Set(stays.map(({ participantId }) => participantId))
  const lost = {
    meetings: missing(acknowledged.meetings, await pages(node, '/v2/rooms'), 'roomId'),
    messages: missing(acknowledged.messages, await pages(node, `/v2/rooms/${meetingId}/messages`), 'id'),
    joins: acknowledged.removed.filter(({ participantId }) => !known.has(participantId)),
  }
  for (const [what, those] of Object.entries(lost))
    promise(those.length === 0, `${those.length} acknowledged ${what} are lost`)
  for (const { participantId, token } of acknowledged.removed.slice(-3)) {
    const again = new WireClient({ url: stage.balancer.url, token, meetingId, participantId })
    await again.enter().catch(() => undefined)
    const heard = await again.hears('error').catch(() => ({ name: 'nothing' }))
    again.close()
    promise(
      (heard as { name?: string }).name === 'REMOVED_FROM_SESSION',
      `${participantId}, who was removed, heard ${String((heard as { name?: string }).name)}`,
    )
  }
}

const missing = (ids: readonly string[], records: readonly any[], key: string): string[] => {
  const there = new Set(records.map((record) => record[key]))
  return ids.filter((id) => !there.has(id))
}

/** To the receiver of webhooks, each participant joins and leaves in turn; a delivery may come twice. */
function checkEvents({ hooks }: Receiver): void {
  const seen = new Set<string>()
  const inside = new Map<string, boolean>()
  for (const { body } of hooks) {
    if (seen.has(body.deliveryId)) continue
    seen.add(body.deliveryId)
    const { webhookType, data } = body
    if (webhookType !== 'participant-joined' && webhookType !== 'participant-left') continue
    const joins = webhookType === 'participant-joined'
    promise(
      (inside.get(data.participantId) ?? false) !== joins,
      `the receiver heard ${webhookType} of ${data.participantId} twice`,
    )
    inside.set(data.participantId, joins)
  }
}

function row(what: string, all: number[]): string[] {
  const at = (share: number): string => (percentile(sorted(all), share) / 1000).toFixed(2)
  return all.length === 0 ? [what, '0', '–', '–', '–'] : [what, String(all.length), at(0.5), at(0.95), at(1)]
}

const sorted = (all: readonly number[]): number[] => all.toSorted((one, other) => one - other)

const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))]!

if (withoutPostgres !== false) {
  console.error(withoutPostgres)
  process.exit(1)
}
// Clients report what a connection did not finish before it died.
console.error = () => undefined
const undo: (() => unknown)[] = []
const receiver = await Receiver.start()
undo.push(() => receiver.stop())
const samples: Sample[] = []
const loads: number[] = []
try {
  const stage = await startNodes({ after: (act) => undo.push(act as () => unknown) }, NODES, {
    EDGES: 'spread',
    LOG_LEVEL: 'fatal',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    MAX_WAITING_PER_ADDRESS: '500',
  })
  await allServe(stage)
  const webhook = { endPoint: receiver.url, events: ['participant-joined', 'participant-left'] }
  const meetingId = await stage.nodes[0]!.createMeeting({ webhook })
  const people = new ReturningPeople({ url: stage.balancer.url, token: moderator, meetingId })
  undo.push(() => people.close())
  const kinds = Object.keys(clients) as Client[]
  for (let at = 0; at < PEOPLE; at++)
    await people.add(`p${at}`, kinds[at % kinds.length]!, at % (PEOPLE / SENDERS) === 0)
  const writers = new Writers(stage, meetingId)
  const [{ id: sessionId }] = await pages(stage.nodes[0]!, `/v2/sessions?roomId=${meetingId}`)
  const flow = async (): Promise<boolean> => {
    const giveUpAt = performance.now() + GIVE_UP_MS
    while (!people.allFlows(performance.now())) {
      if (people.all.some(({ out }) => out !== undefined) || performance.now() > giveUpAt) return false
      await delay(20)
    }
    return true
  }
  people.look()
  if (!(await flow())) throw new Error('the media of the meeting do not flow')

  for (let round = 0; round < KILLS; round++) {
    const victim = victims[round % victims.length]!
    writers.start()
    await delay(LOAD_MS.least + Math.random() * (LOAD_MS.most - LOAD_MS.least))
    loads.push(loadavg()[0]!)
    const kill = await aim(stage, meetingId, people, victim)
    people.look()
    const killedAt = performance.now()
    const restart = await kill()
    const flows = await flow()
    await writers.stop()
    await restart()
    await allServe(stage)
    promise(
      flows,
      `after kill ${round + 1} (${victim}) not everybody receives everybody: ${people.all
        .filter(({ flowsSince }) => flowsSince === undefined)
        .map(({ participantId, failures }) => `${participantId} ${failures.join()}`)
        .join('; ')}`,
    )
    for (const { client, lostAt, joinedAt, flowsSince, wasDisturbed } of people.all)
      samples.push({
        victim,
        client,
        joinedMs: lostAt === undefined || joinedAt === undefined ? undefined : joinedAt - killedAt,
        flowsMs: wasDisturbed ? (flowsSince ?? Infinity) - killedAt : undefined,
      })
    await check(stage, meetingId, sessionId, people, writers)
    const cut = people.all.filter(({ lostAt }) => lostAt !== undefined).length
    console.log(`kill ${round + 1} of ${KILLS}: ${victim}, ${cut} of ${PEOPLE} people were cut off`)
    if (people.all.some(({ out }) => out !== undefined)) break
  }
  await delay(2000)
  checkEvents(receiver)
  const { meetings, messages, removed } = writers.acknowledged
  console.log(
    `acknowledged: ${meetings.length} meetings, ${messages.length} messages, ${removed.length} removals; ${receiver.hooks.length} webhooks\n`,
  )
} finally {
  for (const act of undo.toReversed()) await act()
}

const times = (field: 'joinedMs' | 'flowsMs', filter: (sample: Sample) => boolean = () => true): number[] =>
  samples.filter(filter).flatMap(({ [field]: ms }) => (ms === undefined ? [] : [ms]))
for (const [title, field] of [
  ['inside again', 'joinedMs'],
  ['receives all again', 'flowsMs'],
] as const)
  printTable(
    [`${title}, s after the kill`, 'people', 'p50', 'p95', 'max'],
    victims.flatMap((victim) =>
      (Object.keys(clients) as Client[]).map((client) =>
        row(
          `${victim}, ${client}`,
          times(field, (one) => one.victim === victim && one.client === client),
        ),
      ),
    ),
  )
console.log(
  `load average of this machine: ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
)
const all = sorted(times('joinedMs'))
const own = sorted(times('joinedMs', ({ client }) => client === 'our client'))
printGoal('p95 of everybody is inside again within 10 s', percentile(all, 0.95) <= GOALS_MS.anybody.p95)
printGoal('p50 of our client is inside again within 6 s', percentile(own, 0.5) <= GOALS_MS['our client'].p50)
printGoal(`no promise is broken in ${samples.length / PEOPLE} kills`, broken.length === 0)
process.exitCode = broken.length > 0 ? 1 : 0
