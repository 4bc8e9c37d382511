/**
 * Participants without a browser join one meeting over the real wire: time and processor time of the server per join,
 * and bytes that each participant receives, at 10, 50, 200 and 500 participants. The floor, in the same run, is as many
 * bare socket.io handshakes. Goal: within three times the processor time of the floor, and growth per participant at
 * most linear in the size of the meeting. A second table splits a join into its steps; a third compares the joins per
 * second of the stores. `npm run bench:wire -- stores` prints only the third.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { Session, type Profiler } from 'node:inspector/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { signAnything, TestServer } from '../test/support/test-server.ts'
import { onEachStore, type BenchStore } from './stores.ts'
import { printGoal, printTable } from './table.ts'

const SIZES = [10, 50, 200, 500]
/** Per size, ours and the floor in turns; the median counts. */
const ROUNDS = 3
/** Joins during which code is compiled; they do not count. */
const WARM_UP = 60
const GOAL = 3
/** The number of simultaneous joins. */
const AT_ONCE = 5
/** The number of participants who join step by step, to measure each step. */
const IN_STEPS = 200
const LARGEST = Math.max(...SIZES)

/** The server in a process of its own, so that its processor time can be measured. */
interface Host {
  url: string
  token: string
  meetingId: string
  cpuMs(): Promise<number>
  /** Starts the profiler, or stops it and returns the shares. */
  profile(): Promise<Shares>
  stop(): void
}

/** Shares of the samples, from 0 to 1; the rest is the step itself. */
interface Shares {
  store: number
  notifications: number
}

if (process.argv[2] === 'serve') await serve()
else {
  await (process.argv[2] === 'stores' ? compareStores() : measure())
  process.exit(0)
}

async function serve(): Promise<void> {
  let bare: { url: string } | undefined
  if (process.argv[3] === 'floor') {
    const [{ Server }, { createServer }] = await Promise.all([import('socket.io'), import('node:http')])
    const http = createServer()
    new Server(http, { transports: ['websocket'], perMessageDeflate: false }).on('connection', (socket) => {
      socket.on('request', (_message: unknown, reply: (answer: unknown) => void) => reply({ data: {} }))
      socket.emit('connectionSuccess')
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    bare = { url: `http://127.0.0.1:${(http.address() as { port: number }).port}` }
  }
  const server = bare
    ? undefined
    : await TestServer.start({
        maxParticipants: LARGEST,
        maxWaitingPerAddress: LARGEST,
        sessionGraceSeconds: 0,
        // All servers on one database need the same key.
        masterKey: Buffer.alloc(32, 1),
        ...(process.argv[4] !== undefined && { databaseUrl: process.argv[4] }),
      })
  let profiler: Session | undefined
  const profile = async (): Promise<Shares> => {
    if (profiler) {
      const { profile: taken } = await profiler.post('Profiler.stop')
      profiler.disconnect()
      profiler = undefined
      return sharesOf(taken)
    }
    profiler = new Session()
    profiler.connect()
    await profiler.post('Profiler.enable')
    await profiler.post('Profiler.start')
    return { store: 0, notifications: 0 }
  }
  process.on('message', (what) => {
    if (what === 'cpu') {
      const { user, system } = process.cpuUsage()
      process.send!({ cpuMs: (user + system) / 1000 })
    } else if (what === 'profile') {
      void profile().then((shares) => process.send!({ shares }))
    } else if (what === 'meeting') {
      void server!.createMeeting().then((meetingId) => process.send!({ meetingId }))
    }
  })
  process.send!({ url: bare?.url ?? server!.url })
}

async function host(kind: 'ours' | 'floor', databaseUrl?: string): Promise<Host> {
  const database = databaseUrl === undefined ? [] : [databaseUrl]
  const child = fork(import.meta.filename, ['serve', kind, ...database])
  const heard = async <T>(name: string): Promise<T> => {
    for (;;) {
      const [message] = (await once(child, 'message')) as [Record<string, unknown>]
      if (name in message) return message[name] as T
    }
  }
  const url = await heard<string>('url')
  let meetingId = ''
  if (kind === 'ours') {
    child.send('meeting')
    meetingId = await heard<string>('meetingId')
  }
  return {
    url,
    meetingId,
    token: signAnything({ apikey: 'test-key', permissions: ['allow_join'] }),
    cpuMs: async () => {
      child.send('cpu')
      return heard<number>('cpuMs')
    },
    profile: async () => {
      child.send('profile')
      return heard<Shares>('shares')
    },
    stop: () => child.kill('SIGKILL'),
  }
}

interface Guest {
  socket: Socket
  bytes: () => number
}

async function connect(url: string, query: Record<string, string>): Promise<Guest> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, query })
  let bytes = 0
  socket.io.engine.on('packet', ({ data }: { data?: unknown }) => {
    if (typeof data === 'string') bytes += data.length
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connectionSuccess', resolve)
    socket.once('close', (why: unknown) => reject(new Error(JSON.stringify(why))))
  })
  return { socket, bytes: () => bytes }
}

/** Attributes each sample by the files on its stack; waiting for the disk counts as the store's. */
function sharesOf({ nodes, samples = [] }: Profiler.Profile): Shares {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]))
  const has = (sample: number, file: string): boolean => {
    for (let at: number | undefined = sample; at !== undefined; at = parents.get(at))
      if (byId.get(at)!.url.includes(file)) return true
    return false
  }
  const busy = samples.filter((id) => byId.get(id)!.functionName !== '(idle)')
  const share = (file: string): number => busy.filter((id) => has(id, file)).length / Math.max(1, busy.length)
  return { store: share('/src/store/'), notifications: share('/src/api/signalling/audience.ts') }
}

/** Takes all steps of the contract until the others see the participant, who sends no media. */
async function join(server: Host, participantId: string): Promise<Guest> {
  const guest = await handshake(server, participantId, 'SIGNALLING_ONLY')
  await enter(guest, participantId)
  await ask(guest, 'getRouterRtpCapabilities', {})
  await takePart(guest, 'SIGNALLING_ONLY')
  return guest
}

function handshake({ url, token, meetingId }: Host, participantId: string, mode: string): Promise<Guest> {
  return connect(url, { roomId: meetingId, peerId: participantId, secret: token, mode, lib: 'socket' })
}

async function ask({ socket }: Guest, method: string, data: object): Promise<Record<string, unknown>> {
  const answer = (await socket
    .timeout(20_000)
    .emitWithAck('request', { method, request: true, data })) as Record<string, Record<string, unknown>>
  if (answer.data?.status === 'error') throw new Error(`${method}: ${JSON.stringify(answer.data)}`)
  return answer.data!
}

async function enter(guest: Guest, participantId: string): Promise<void> {
  const allowed = new Promise<void>((resolve) => {
    const hear = (one: { method: string; id?: string }): void => {
      if (one.method === 'entryResponded' && one.id === participantId) resolve()
    }
    guest.socket.on('notification', hear)
    guest.socket.on('batchNotification', ({ notifications }: { notifications: { method: string }[] }) =>
      notifications.forEach(hear),
    )
  })
  await ask(guest, 'requestEntry', { name: participantId })
  await allowed
}

async function takePart(guest: Guest, mode: string, rtpCapabilities?: object): Promise<void> {
  // With bundles, as ours and the published client from 0.11 on request them.
  const { peers } = await ask(guest, 'join', { mode, metaData: {}, batchingEnabled: true, rtpCapabilities })
  if (!Array.isArray(peers)) throw new Error('the answer to join names nobody')
}

async function crowd<T>(
  size: number,
  enter: (at: number) => Promise<T>,
): Promise<{ guests: T[]; ms: number[] }> {
  const guests: T[] = []
  const ms: number[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < size) {
      const startedAt = performance.now()
      guests.push(await enter(next++))
      ms.push(performance.now() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return { guests, ms }
}

interface Joins {
  cpuMs: number
  p50Ms: number
  p95Ms: number
  bytes: number
  aSecond: number
}

async function joins(kind: 'ours' | 'floor', size: number, databaseUrl?: string): Promise<Joins> {
  const server = await host(kind, databaseUrl)
  const enter = (name: string): Promise<Guest> => (kind === 'floor' ? floorJoin(server) : join(server, name))
  try {
    const warm = await crowd(WARM_UP, (at) => enter(`warm-${at}`))
    for (const { socket } of warm.guests) socket.disconnect()
    const before = await server.cpuMs()
    const startedAt = performance.now()
    const { guests, ms } = await crowd(size, (at) => enter(`guest-${at}`))
    const aSecond = (size * 1000) / (performance.now() - startedAt)
    const cpuMs = ((await server.cpuMs()) - before) / size
    for (const { socket } of guests) socket.disconnect()
    ms.sort((a, b) => a - b)
    return {
      cpuMs,
      p50Ms: ms[Math.floor(size / 2)]!,
      p95Ms: ms[Math.floor(size * 0.95)]!,
      bytes: guests.reduce((sum, guest) => sum + guest.bytes(), 0) / size,
      aSecond,
    }
  } finally {
    server.stop()
  }
}

/** All participants take one step, then the next; returns the cost of each. */
async function steps(): Promise<string[][]> {
  const rows: string[][] = []
  const server = await host('ours')
  try {
    const warm = await crowd(WARM_UP, (at) => join(server, `warm-${at}`))
    for (const { socket } of warm.guests) socket.disconnect()
    let sum = 0
    const guests: Guest[] = []
    const capabilities: object[] = []
    const step = async (name: string, doing: (at: number) => Promise<unknown>): Promise<void> => {
      await server.profile()
      const before = await server.cpuMs()
      await crowd(IN_STEPS, doing)
      // Notifications are coalesced for a short time before they are sent.
      await delay(100)
      const cpuMs = ((await server.cpuMs()) - before) / IN_STEPS
      const { store, notifications } = await server.profile()
      sum += cpuMs
      const part = (share: number): string => (cpuMs * share).toFixed(2)
      rows.push([name, cpuMs.toFixed(2), part(store), part(notifications), part(1 - store - notifications)])
    }
    await step('init-config', async () => {
      const answer = await fetch(`${server.url}/infra/v1/meetings/init-config`, {
        method: 'POST',
        headers: { authorization: server.token, 'content-type': 'application/json' },
        body: JSON.stringify({ roomId: server.meetingId }),
      })
      if (!answer.ok) throw new Error(`init-config answered ${answer.status}`)
      await answer.arrayBuffer()
    })
    await step('handshake', async (at) => {
      // Each has its own token, because one token may hold only a few seats of participants who have not joined.
      const token = signAnything({ apikey: 'test-key', permissions: ['allow_join'], jti: `guest-${at}` })
      guests[at] = await handshake({ ...server, token }, `guest-${at}`, 'SEND_AND_RECV')
    })
    await step('admission', (at) => enter(guests[at]!, `guest-${at}`))
    await step('capabilities', async (at) => {
      capabilities[at] = await ask(guests[at]!, 'getRouterRtpCapabilities', {})
    })
    await step('two transports', (at) =>
      Promise.all(
        [true, false].map((producing) =>
          ask(guests[at]!, 'createWebRtcTransport', { producing, consuming: !producing }),
        ),
      ),
    )
    await step('join, with roster', (at) => takePart(guests[at]!, 'SEND_AND_RECV', capabilities[at]))
    rows.push(['all', sum.toFixed(2), '', '', ''])
    return rows
  } finally {
    server.stop()
  }
}

async function measure(): Promise<void> {
  const rows: string[][] = []
  let worst = 0
  for (const size of SIZES) {
    const all: Record<'floor' | 'ours', Joins[]> = { floor: [], ours: [] }
    for (let round = 0; round < ROUNDS; round++)
      for (const kind of ['floor', 'ours'] as const) all[kind].push(await joins(kind, size))
    const median = (kind: 'floor' | 'ours', name: keyof Joins): number =>
      all[kind].map((one) => one[name]).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
    const times = median('ours', 'cpuMs') / median('floor', 'cpuMs')
    worst = Math.max(worst, times)
    rows.push([
      String(size),
      median('ours', 'p50Ms').toFixed(1),
      median('ours', 'p95Ms').toFixed(1),
      median('ours', 'cpuMs').toFixed(2),
      median('floor', 'cpuMs').toFixed(2),
      times.toFixed(2),
      (median('ours', 'bytes') / 1024).toFixed(1),
      (median('ours', 'bytes') / size).toFixed(0),
    ])
  }
  console.log(
    `joins of one meeting, ${AT_ONCE} at once, median of ${ROUNDS} rounds; the floor answers three requests on each bare socket`,
  )
  printTable(
    ['participants', 'p50 ms', 'p95 ms', 'CPU ms each', 'floor', 'times', 'KiB received', 'bytes per other'],
    rows,
  )
  printGoal(`${GOAL} × the floor or less at every size`, worst <= GOAL)
  const parts = await steps()
  console.log(
    `what a join of a meeting of ${IN_STEPS} consists of, in ms of processor while samples are taken; media is not real`,
  )
  printTable(['step', 'CPU ms each', 'store', 'notifications', 'the rest'], parts)
  await compareStores()
}

async function compareStores(): Promise<void> {
  const all = await onEachStore(tmpdir(), async (store: BenchStore) => {
    const rounds: Joins[] = []
    for (let round = 0; round < ROUNDS; round++) rounds.push(await joins('ours', IN_STEPS, store.url))
    const median = (name: keyof Joins): number =>
      rounds.map((one) => one[name]).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
    return { store, median }
  })
  console.log(`joins of one meeting of ${IN_STEPS}, ${AT_ONCE} at once, median of ${ROUNDS} rounds, by store`)
  printTable(
    ['', 'joins a second', 'p50 ms', 'p95 ms', 'CPU ms of the server each'],
    all.map(({ store, median }) => [
      store.name,
      median('aSecond').toFixed(0),
      median('p50Ms').toFixed(1),
      median('p95Ms').toFixed(1),
      median('cpuMs').toFixed(2),
    ]),
  )
  const [sqlite, postgres] = all
  if (!postgres) return
  const times = postgres.median('aSecond') / sqlite!.median('aSecond')
  printGoal(`joins on PostgreSQL: ${times.toFixed(2)} × SQLite, of 0.5 or more`, times >= 0.5)
}

async function floorJoin({ url }: Host): Promise<Guest> {
  const guest = await connect(url, {})
  for (let at = 0; at < 3; at++) {
    await guest.socket.timeout(20_000).emitWithAck('request', { method: 'nothing', request: true, data: {} })
  }
  return guest
}
