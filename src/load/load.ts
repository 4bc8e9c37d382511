/**
 * A load test: meetings with participants who send generated media and receive each other's, against any server that
 * speaks our wire, without a browser.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { keepSending } from './keep-sending.ts'
import type { IceServer } from '../rtc/relay.ts'
import { ownDrops } from './own-drops.ts'
import { LoadParticipant } from './participant.ts'
import type { WorkerFigures } from './server-figures.ts'
import { Source } from './streams.ts'

export interface LoadOptions {
  /** Address of the server, e.g. `http://localhost:9000`. */
  url: string
  /** Joins directly. */
  token: string
  meetings: number
  /** Participants in each meeting. */
  participants: number
  /** How long everybody stays after the last join. */
  seconds: number
  joinsPerSecond: number
  /** Senders in each meeting; the others only receive. */
  senders: number
  /** Simulcast layers of each video, 1 to 3; the bit rate is that of the largest. */
  layers: number
  /** Bits per second; 0 for none. */
  audioBitrate: number
  videoBitrate: number
  /** The meeting to join instead of new ones. */
  meetingId?: string | undefined
  /** Processor seconds of the server so far, if they are available. */
  serverCpu: () => Promise<number | undefined>
  /** The server's figures of its media workers, by port; empty if it does not report them. */
  serverWorkers: () => Promise<ReadonlyMap<number, WorkerFigures>>
  /** Datagrams that the server's own sockets lost so far, if that is known. */
  serverDrops: () => Promise<number | undefined>
  /**
   * Called for each address that the server names, for sockets or media.
   * @throws if the server at this address does not allow load tests; the message gives the reason
   */
  mayAim: (host: string) => void
  /** Ends the test early; the report is made anyway. */
  signal: AbortSignal
  onProgress?: (said: string) => void
}

export interface LoadReport {
  meetings: number
  asked: number
  joined: number
  /** The reasons of failed joins, with their numbers. */
  failures: Record<string, number>
  /** Removed or disconnected while they were inside. */
  lost: number
  joinMs: Quantiles | null
  /** From the entry request to the first packet of another participant's media. */
  firstMediaMs: Quantiles | null
  streams: {
    expected: number
    /** How many of these delivered at least one packet. */
    flowing: number
    packetsSent: number
    packetsReceived: number
    packetsLost: number
    lostPercent: number
    /** Datagrams of any kind that this program was too slow to read; null if the system does not report them. */
    droppedHere: number | null
    /**
     * Datagrams that reached the server and were lost at its sockets because its media workers were too slow; null if
     * it does not report them.
     */
    droppedThere: number | null
    framesReceived: number
    /** Decrypted packets, and whether their content was right. */
    opened: number
    unopened: number
  }
  /** The server's media workers that have participants, by port. */
  workers: WorkerReport[]
  /** The delay from one participant through the server to another. */
  delayMs: Quantiles | null
  /** Percent of one core, while all were inside; null if unknown. */
  serverCpuPercent: number | null
  /** How late this program itself was; its measurements are no more precise. */
  generatorLagMs: number
  seconds: number
  stoppedEarly: boolean
}

export interface WorkerReport {
  port: number
  participants: number
  /** Streams that its participants send, and that reached them. */
  streamsIn: number
  streamsOut: number
  packetsIn: number
  packetsOut: number
  packetsLost: number
  lostPercent: number
  /** Percent of one core, while all were inside; null, like the following, if the server does not report it. */
  cpuPercent: number | null
  /** Streams from other workers, and to them. */
  pipesIn: number | null
  pipesOut: number | null
}

export interface Quantiles {
  p50: number
  p95: number
  max: number
}

/** The number of delays that are kept; if there are more, a random sample. */
const MOST_DELAYS = 200_000
const LAG_RESOLUTION_MS = 10
const NS_IN_MS = 1e6

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const { url, token, signal, seconds, onProgress = () => undefined } = options
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  const made: string[] = []
  const people: LoadParticipant[] = []
  const failures = new Map<string, number>()
  const sources = new Map<string, Source>()
  const delays = new Reservoir(MOST_DELAYS)
  const asked = options.meetings * options.participants
  let lost = 0
  let ssrc = 1
  let stopSending: (() => void) | undefined
  try {
    const dropsBefore = await options.serverDrops()
    for (let at = 0; at < options.meetings; at++)
      if (options.meetingId === undefined) made.push(await createMeeting(url, token))
    const meetings = options.meetingId === undefined ? made : [options.meetingId]
    const run = Math.random().toString(36).slice(2, 8)
    lag.enable()
    stopSending = keepSending(people)
    const startedAt = performance.now()
    const joins: Promise<void>[] = []
    for (let at = 0; at < asked && !signal.aborted; at++) {
      const due = (at * 1000) / options.joinsPerSecond - (performance.now() - startedAt)
      if (due > 0) await delay(due, undefined, { signal }).catch(() => undefined)
      if (isAborted(signal)) break
      const sends: Source[] = []
      const isSender = Math.floor(at / meetings.length) < options.senders
      if (isSender && options.audioBitrate > 0) sends.push(new Source('audio', options.audioBitrate, ssrc++))
      if (isSender && options.videoBitrate > 0) {
        sends.push(new Source('video', options.videoBitrate, ssrc, options.layers))
        ssrc += options.layers
      }
      const join = async (): Promise<void> => {
        const meetingId = meetings[at % meetings.length]!
        const where = await signallingOf(url, token, meetingId)
        options.mayAim(where.host)
        const participant = new LoadParticipant({
          url: `${new URL(url).protocol}//${where.host}`,
          path: where.path,
          token,
          meetingId,
          participantId: `load-${run}-${at}`,
          iceServers: where.iceServers,
          sources: sends,
          sourceOf: (producerId) => sources.get(producerId),
          onProducer: (producerId, source) => sources.set(producerId, source),
          onDelay: (ms) => delays.add(ms),
          mayAim: options.mayAim,
          onLost: () => lost++,
        })
        try {
          await participant.join()
          people.push(participant)
        } catch (error) {
          await participant.leave()
          throw error
        }
      }
      joins.push(
        join().catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error)
          failures.set(why, (failures.get(why) ?? 0) + 1)
        }),
      )
      onProgress(`${at + 1} of ${asked} asked to come in`)
    }
    await Promise.all(joins)
    onProgress(`${people.length} are in`)

    const lostInJoining = lost
    const [cpuBefore, workersBefore] = await Promise.all([options.serverCpu(), options.serverWorkers()])
    const allIn = performance.now()
    delays.clear()
    lag.reset()
    await delay(seconds * 1000, undefined, { signal }).catch(() => undefined)
    const stayedMs = performance.now() - allIn
    const [cpuAfter, workersAfter] = await Promise.all([options.serverCpu(), options.serverWorkers()])
    stopSending()
    // Let packets under way arrive.
    await delay(300)
    const dropsAfter = await options.serverDrops()
    const perPerson = Number(options.audioBitrate > 0) + Number(options.videoBitrate > 0)
    return {
      meetings: meetings.length,
      asked,
      joined: people.length,
      failures: Object.fromEntries(failures),
      lost: lost - lostInJoining,
      joinMs: quantiles(people.map(({ joinMs }) => joinMs)),
      firstMediaMs: quantiles(people.flatMap(({ firstMediaMs }) => firstMediaMs ?? [])),
      streams: {
        expected: meetings
          .map((meetingId) => {
            const inside = people.filter((one) => one.meetingId === meetingId)
            const sending = inside.filter(({ sources }) => sources.length > 0).length
            // Everybody receives every other sender.
            return sending * (inside.length - 1) * perPerson
          })
          .reduce((sum, one) => sum + one, 0),
        ...arrivedAt(people),
        droppedHere: (await ownDrops()) ?? null,
        // A worker that was replaced in between counts from zero.
        droppedThere:
          dropsBefore === undefined || dropsAfter === undefined
            ? null
            : Math.max(0, dropsAfter - dropsBefore),
      },
      workers: workersOf(people, workersBefore, workersAfter, stayedMs),
      delayMs: quantiles(delays.values),
      serverCpuPercent:
        cpuBefore === undefined || cpuAfter === undefined || stayedMs === 0
          ? null
          : round(((cpuAfter - cpuBefore) * 100_000) / stayedMs),
      generatorLagMs: round(Math.max(0, lag.percentile(99) / NS_IN_MS - LAG_RESOLUTION_MS)),
      seconds: round(stayedMs / 1000),
      stoppedEarly: signal.aborted,
    }
  } finally {
    lag.disable()
    stopSending?.()
    await Promise.all(people.map((participant) => participant.leave()))
    for (const meetingId of made) await deactivate(url, token, meetingId)
  }
}

function arrivedAt(
  people: readonly LoadParticipant[],
): Omit<LoadReport['streams'], 'expected' | 'droppedHere' | 'droppedThere'> {
  const arrivals = people.flatMap((participant) => [...participant.arrivals.values()])
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
  const packetsReceived = sum(arrivals.map(({ received }) => received))
  const packetsLost = sum(arrivals.map(({ lost }) => lost))
  return {
    flowing: arrivals.filter(({ received }) => received > 0).length,
    packetsSent: sum(people.flatMap(({ sources }) => sources.map(({ packets }) => packets))),
    packetsReceived,
    packetsLost,
    lostPercent: round((100 * packetsLost) / Math.max(1, packetsReceived + packetsLost)),
    framesReceived: sum(arrivals.map(({ frames }) => frames)),
    opened: sum(people.map(({ opened }) => opened)),
    unopened: sum(people.map(({ unopened }) => unopened)),
  }
}

function workersOf(
  people: readonly LoadParticipant[],
  before: ReadonlyMap<number, WorkerFigures>,
  after: ReadonlyMap<number, WorkerFigures>,
  ms: number,
): WorkerReport[] {
  const ports = [...new Set(people.flatMap(({ port }) => port ?? []))].sort((a, b) => a - b)
  return ports.map((port) => {
    const here = people.filter((participant) => participant.port === port)
    const { flowing, packetsSent, packetsReceived, packetsLost, lostPercent } = arrivedAt(here)
    const [first, last] = [before.get(port), after.get(port)]
    return {
      port,
      participants: here.length,
      streamsIn: here.reduce((sum, { sources }) => sum + sources.length, 0),
      streamsOut: flowing,
      packetsIn: packetsSent,
      packetsOut: packetsReceived,
      packetsLost,
      lostPercent,
      cpuPercent:
        first && last && ms > 0 ? round(((last.cpuSeconds - first.cpuSeconds) * 100_000) / ms) : null,
      pipesIn: last?.pipesIn ?? null,
      pipesOut: last?.pipesOut ?? null,
    }
  })
}

function quantiles(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const at = (quantile: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))]!)
  return { p50: at(0.5), p95: at(0.95), max: round(sorted.at(-1)!) }
}

/** A random sample of limited size. */
class Reservoir {
  readonly values: number[] = []
  readonly #most: number
  #seen = 0

  constructor(most: number) {
    this.#most = most
  }

  add(value: number): void {
    this.#seen++
    if (this.values.length < this.#most) this.values.push(value)
    else {
      const at = Math.floor(Math.random() * this.#seen)
      if (at < this.#most) this.values[at] = value
    }
  }

  clear(): void {
    this.values.length = 0
    this.#seen = 0
  }
}

async function call(url: string, token: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${url.replace(/\/+$/, '')}${path}`, {
    method: 'POST',
    headers: { authorization: token, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const said = (await answer.json().catch(() => ({}))) as { error?: string; message?: string }
  if (!answer.ok) throw new Error(said.message ?? said.error ?? `${path} answered ${answer.status}`)
  return said
}

async function createMeeting(url: string, token: string): Promise<string> {
  const { roomId } = (await call(url, token, '/v2/rooms', {})) as { roomId: string }
  return roomId
}

/** Meetings created for the test stay in the list, but nobody can join them. */
async function deactivate(url: string, token: string, roomId: string): Promise<void> {
  await call(url, token, '/v2/rooms/deactivate', { roomId }).catch(() => undefined)
}

async function signallingOf(
  url: string,
  token: string,
  roomId: string,
): Promise<{ host: string; path: string; iceServers: IceServer[] }> {
  const { data } = (await call(url, token, '/infra/v1/meetings/init-config', { roomId })) as {
    data: { baseUrl: string; socketPath?: string; iceServersPlain?: IceServer[] }
  }
  return {
    host: data.baseUrl,
    path: `${data.socketPath ?? ''}/socket.io`,
    iceServers: data.iceServersPlain ?? [],
  }
}

const round = (value: number): number => Math.round(value * 10) / 10

/** A function, since it changes across an `await` and the compiler would not expect that of a property. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted
