/** `anteroom load`: a load test with simulated participants, without a browser. */
import { networkInterfaces } from 'node:os'
import { isLoopback } from '../addresses.ts'
import type { LoadReport, Quantiles, WorkerReport } from '../load/load.ts'
import { CommandError, exitCodes, table, type Command, type CommandInput } from './arguments.ts'

const CONSENT = 'i-may-load-this-server'
/** Meetings times participants. */
const MOST_PEOPLE = 2000
/** How long all participants have to leave after Ctrl-C. */
const LEAVING_MS = 60_000
/** If its own delay is higher, the measuring program was too busy for its results to be trusted. */
const LATE_MS = 50

export const load: Command = {
  name: 'load',
  summary: 'runs a load test: participants with generated audio and video, without a browser',
  details: [
    'Creates the meetings, lets everybody join, send and receive for the given time, and reports. Ctrl-C ends it early and in order.',
    'Without --token it asks the server for a token; a server on loopback gives one to its own machine.',
    'It reads CPU time and dropped packets of the server from /metrics (with METRICS_TOKEN, if set), and the CPU time of the process --pid, if given.',
    `It only tests servers on this machine, unless you confirm with --${CONSENT} that you may put load on another one.`,
    'Exit code 1 if a participant could not join, lost the connection, or received nothing.',
  ].join('\n'),
  options: {
    url: { value: 'address', help: 'address of the server (default http://localhost:9000)' },
    token: { value: 'token', help: 'a token that joins directly; with --meeting, one for that meeting' },
    meeting: { value: 'meetingId', help: 'join this meeting instead of creating meetings' },
    meetings: { value: 'count', help: 'number of meetings (default 1, at most 500)' },
    participants: { value: 'count', help: 'participants in each meeting (default 3, at most 500)' },
    senders: { value: 'count', help: 'how many in each meeting send; the others only receive (default all)' },
    seconds: { value: 'seconds', help: 'how long participants stay (default 10, at most 3600)' },
    'joins-per-second': { value: 'count', help: 'how fast participants join (default 5, at most 200)' },
    'audio-kbps': { value: 'kbit/s', help: 'audio of each participant; 0: none (default 32, at most 510)' },
    'video-kbps': { value: 'kbit/s', help: 'video of each participant; 0: none (default 300, at most 5000)' },
    layers: {
      value: 'count',
      help: 'simulcast layers of each video, 1 to 3; --video-kbps is the bit rate of the largest (default 1)',
    },
    pid: { value: 'pid', help: 'process of the server, if it runs on this machine' },
    [CONSENT]: { help: 'the server is not on this machine, and I may put it under load' },
  },
  run: async ({ values, env, interruption }) => {
    const url = text(values, 'url') ?? 'http://localhost:9000'
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new CommandError('--url must be an http or https address.', exitCodes.usage)
    const mayAim = (host: string): void => assertMayAim(host, values[CONSENT] === true)
    mayAim(new URL(url).host)
    const meetingId = text(values, 'meeting')
    const meetings = meetingId === undefined ? whole(values, 'meetings', 1, 500, 1) : 1
    const participants = whole(values, 'participants', 1, 500, 3)
    if (meetings * participants > MOST_PEOPLE)
      throw new CommandError(
        `${meetings * participants} people are more than ${MOST_PEOPLE}; start it on several machines instead.`,
        exitCodes.usage,
      )
    const pid = values.pid === undefined ? undefined : whole(values, 'pid', 1, 4_194_304, 1)
    const settings = {
      seconds: whole(values, 'seconds', 1, 3600, 10),
      joinsPerSecond: whole(values, 'joins-per-second', 1, 200, 5),
      audioBitrate: whole(values, 'audio-kbps', 0, 510, 32) * 1000,
      videoBitrate: whole(values, 'video-kbps', 0, 5000, 300) * 1000,
      senders: whole(values, 'senders', 0, 500, participants),
      layers: whole(values, 'layers', 1, 3, 1),
    }
    // Loaded on demand, so that other commands start faster.
    const [{ runLoad }, { cpuFromMetrics, cpuOfProcess, dropsFromMetrics, workersFromMetrics }] =
      await Promise.all([import('../load/load.ts'), import('../load/server-figures.ts')])
    const token = text(values, 'token') ?? (await askForToken(url))

    interruption.takeTime(LEAVING_MS)
    const report = await runLoad({
      ...settings,
      url,
      token,
      meetingId,
      meetings,
      participants,
      mayAim,
      signal: interruption.signal,
      serverCpu: () => (pid === undefined ? cpuFromMetrics(url, env.METRICS_TOKEN) : cpuOfProcess(pid)),
      serverWorkers: () => workersFromMetrics(url, env.METRICS_TOKEN),
      serverDrops: () => dropsFromMetrics(url, env.METRICS_TOKEN),
      ...(process.stderr.isTTY && {
        onProgress: (said: string) => process.stderr.write(`\r\x1b[K${said}`),
      }),
    })
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    return {
      json: report,
      text: describe(report),
      exitCode: isGood(report) ? exitCodes.ok : exitCodes.failed,
    }
  },
}

/** Checks every address that will be put under load, including those that the server names for sockets and media. */
function assertMayAim(host: string, consent: boolean): void {
  const { hostname } = new URL(`http://${host}`)
  const address = hostname.replace(/^\[|\]$/g, '')
  if (consent || isLoopback(address) || isOfThisMachine(address)) return
  throw new CommandError(
    `${hostname} is not this machine: a load test looks like an attack to whoever runs it. If you may load it, say so with --${CONSENT}.`,
    exitCodes.refused,
  )
}

function isOfThisMachine(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((own) => own.address === address))
}

async function askForToken(url: string): Promise<string> {
  let answer: Response
  try {
    answer = await fetch(`${url.replace(/\/+$/, '')}/get-token`)
  } catch {
    throw new CommandError(`${url} cannot be reached: start the server, or name it with --url.`)
  }
  const { token } = (await answer.json().catch(() => ({}))) as { token?: string }
  if (token === undefined)
    throw new CommandError(`${url} gives no token without credentials: mint one, and pass it as --token.`)
  return token
}

function text(values: CommandInput['values'], name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function whole(
  values: CommandInput['values'],
  name: string,
  least: number,
  most: number,
  byDefault: number,
): number {
  const given = text(values, name)
  if (given === undefined) return byDefault
  const value = /^\d{1,9}$/.test(given) ? Number(given) : NaN
  if (!(value >= least && value <= most))
    throw new CommandError(`--${name} must be a whole number from ${least} to ${most}.`, exitCodes.usage)
  return value
}

/** Whether all participants joined, stayed, and received media from all others. */
function isGood({ asked, joined, lost, streams, stoppedEarly }: LoadReport): boolean {
  const all = joined === asked && streams.flowing >= streams.expected
  return (all || stoppedEarly) && lost === 0 && streams.unopened === 0
}

const dropped = (count: number | null, by: string): string =>
  count === null ? 'not known' : `${count}, unread by ${by}`

function describeWorker(worker: WorkerReport): string {
  const { participants, streamsIn, streamsOut, packetsIn, packetsOut, lostPercent, cpuPercent } = worker
  const pipes = worker.pipesIn === null ? '' : `, pipes ${worker.pipesIn} in, ${worker.pipesOut} out`
  const cpu = cpuPercent === null ? 'processor not known' : `${cpuPercent} % of one core`
  return `${participants} participants, streams ${streamsIn} in, ${streamsOut} out${pipes}, packets ${packetsIn} in, ${packetsOut} out, ${lostPercent} % lost, ${cpu}`
}

function describe(report: LoadReport): string {
  const { streams, failures, generatorLagMs } = report
  const ms = (quantiles: Quantiles | null): string =>
    quantiles === null
      ? 'not known'
      : `p50 ${quantiles.p50} ms, p95 ${quantiles.p95} ms, at most ${quantiles.max} ms`
  const rows: [string, string][] = [
    ['joined', `${report.joined} of ${report.asked} in ${report.meetings} meetings`],
    ...Object.entries(failures).map(([why, count]): [string, string] => ['failed', `${count}: ${why}`]),
    ['cut off', String(report.lost)],
    ['time to join', ms(report.joinMs)],
    ['to first media', ms(report.firstMediaMs)],
    ['streams', `${streams.flowing} of ${streams.expected} arrived`],
    ['packets', `${streams.packetsSent} sent, ${streams.packetsReceived} received`],
    ['lost', `${streams.packetsLost} (${streams.lostPercent} %)`],
    ['dropped here', dropped(streams.droppedHere, 'this program')],
    ['dropped there', dropped(streams.droppedThere, "the server's media workers")],
    ['frames', `${streams.framesReceived} received`],
    ['delay', ms(report.delayMs)],
    [
      'server',
      report.serverCpuPercent === null
        ? 'processor not known: give --pid, or METRICS_TOKEN'
        : `${report.serverCpuPercent} % of one core`,
    ],
    ...report.workers.map((worker): [string, string] => [`worker ${worker.port}`, describeWorker(worker)]),
    ['this program', `up to ${generatorLagMs} ms late`],
  ]
  return [
    table(['over', `${report.seconds} s${report.stoppedEarly ? ', stopped early' : ''}`], rows),
    ...(generatorLagMs > LATE_MS
      ? [
          '',
          `This program was too busy itself, so delays and losses may be its own. Use smaller numbers, or run it on another machine.`,
        ]
      : []),
    ...(streams.unopened > 0 ? ['', `${streams.unopened} packets did not hold what was sent.`] : []),
  ].join('\n')
}
