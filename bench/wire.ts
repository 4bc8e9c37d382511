/**
 * Participants without a browser join one meeting over the real wire: time and processor of the server for each join, and
 * bytes that each receives, at 10, 50, 200 and 500. Beside it the floor: as many bare socket.io handshakes in the same run.
 * Goal: within three times the floor's processor time; growth per person at most linear in the meeting's size.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { io, type Socket } from 'socket.io-client'
import { signAnything, TestServer } from '../test/support/test-server.ts'
import { printGoal, printTable } from './table.ts'

const SIZES = [10, 50, 200, 500]
/** Of each size, ours and the floor in turns; the median counts. */
const ROUNDS = 3
/** These pay for what is compiled once. */
const WARM_UP = 60
const GOAL = 3
/** Joins that are under way at once. */
const AT_ONCE = 5
const LARGEST = Math.max(...SIZES)

/** The server in a process of its own, so that its processor time is its own. */
interface Host {
  url: string
  token: string
  meetingId: string
  cpuMs(): Promise<number>
  stop(): void
}

if (process.argv[2] === 'serve') await serve()
else await measure()

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
      })
  process.on('message', (what) => {
    if (what === 'cpu') {
      const { user, system } = process.cpuUsage()
      process.send!({ cpuMs: (user + system) / 1000 })
    } else if (what === 'meeting') {
      void server!.createMeeting().then((meetingId) => process.send!({ meetingId }))
    }
  })
  process.send!({ url: bare?.url ?? server!.url })
}

async function host(kind: 'ours' | 'floor'): Promise<Host> {
  const child = fork(import.meta.filename, ['serve', kind])
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

/** The steps of the contract up to being seen by the others, as a signalling-only participant. */
async function join({ url, token, meetingId }: Host, participantId: string): Promise<Guest> {
  const guest = await connect(url, {
    roomId: meetingId,
    peerId: participantId,
    secret: token,
    mode: 'SIGNALLING_ONLY',
    lib: 'socket',
  })
  const { socket } = guest
  const allowed = new Promise<void>((resolve) => {
    const hear = (one: { method: string; id?: string }): void => {
      if (one.method === 'entryResponded' && one.id === participantId) resolve()
    }
    socket.on('notification', hear)
    socket.on('batchNotification', ({ notifications }: { notifications: { method: string }[] }) =>
      notifications.forEach(hear),
    )
  })
  const ask = (method: string, data: object): Promise<unknown> =>
    socket.timeout(20_000).emitWithAck('request', { method, request: true, data })
  await ask('requestEntry', { name: participantId })
  await allowed
  await ask('getRouterRtpCapabilities', {})
  const { data } = (await ask('join', {
    mode: 'SIGNALLING_ONLY',
    metaData: {},
    // As the published client does since 0.11, and ours.
    batchingEnabled: true,
  })) as {
    data: { peers?: unknown }
  }
  if (!Array.isArray(data.peers)) throw new Error(JSON.stringify(data))
  return guest
}

async function crowd(
  size: number,
  enter: (at: number) => Promise<Guest>,
): Promise<{ guests: Guest[]; ms: number[] }> {
  const guests: Guest[] = []
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
}

async function joins(kind: 'ours' | 'floor', size: number): Promise<Joins> {
  const server = await host(kind)
  const enter = (name: string): Promise<Guest> => (kind === 'floor' ? floorJoin(server) : join(server, name))
  try {
    const warm = await crowd(WARM_UP, (at) => enter(`warm-${at}`))
    for (const { socket } of warm.guests) socket.disconnect()
    const before = await server.cpuMs()
    const { guests, ms } = await crowd(size, (at) => enter(`guest-${at}`))
    const cpuMs = ((await server.cpuMs()) - before) / size
    for (const { socket } of guests) socket.disconnect()
    ms.sort((a, b) => a - b)
    return {
      cpuMs,
      p50Ms: ms[Math.floor(size / 2)]!,
      p95Ms: ms[Math.floor(size * 0.95)]!,
      bytes: guests.reduce((sum, guest) => sum + guest.bytes(), 0) / size,
    }
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
  process.exit(0)
}

async function floorJoin({ url }: Host): Promise<Guest> {
  const guest = await connect(url, {})
  for (let at = 0; at < 3; at++) {
    await guest.socket.timeout(20_000).emitWithAck('request', { method: 'nothing', request: true, data: {} })
  }
  return guest
}
