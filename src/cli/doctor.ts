/** `anteroom doctor`: what installs and networks get wrong, each with the cure. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { dirname, join } from 'node:path'
import { readGiven } from '../api/certificate.ts'
import { mediaHost, readConfig, type Config } from '../config.ts'
import { isLoopback } from '../loopback.ts'
import { createSfu } from '../media/sfu.ts'
import { locateWorker } from '../../scripts/media-worker/locate.mjs'
import { exitCodes, type Command } from './arguments.ts'

/** `bad`: it will not work so. `note`: it will, with a limit worth knowing. */
type Verdict = 'good' | 'note' | 'bad'

interface Finding {
  check: string
  verdict: Verdict
  says: string
}

const NODE_MAJOR = 24
/** Nothing can have been built before this; a clock that says less makes every token look wrong. */
const EARLIEST_CLOCK = Date.UTC(2025, 0, 1)
const DAY_MS = 86_400_000
/** Tried beside the server's own, so that a running server does not stand in the way. */
const TRIAL_MEDIA_PORT = 49_000

export const doctor: Command = {
  name: 'doctor',
  summary: 'checks what installs and networks get wrong, and says what to do',
  details: 'Exit code 1 when something will not work.',
  run: async ({ env }) => {
    const findings = await examine(env)
    const mark = { good: '✓', note: '!', bad: '✗' }
    return {
      json: findings,
      text: findings
        .map(({ check, verdict, says }) => `${mark[verdict]} ${check.padEnd(12)} ${says}`)
        .join('\n'),
      exitCode: findings.some(({ verdict }) => verdict === 'bad') ? exitCodes.failed : exitCodes.ok,
    }
  },
}

async function examine(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const findings: Finding[] = [node()]
  let config: Config
  try {
    config = readConfig(env)
    findings.push({ check: 'settings', verdict: 'good', says: 'all settings are valid' })
  } catch (error) {
    return [...findings, { check: 'settings', verdict: 'bad', says: (error as Error).message }]
  }
  return [
    ...findings,
    await worker(env),
    await tcpPort('port', config.host, config.port, 'PORT'),
    await tcpPort('https port', config.host, config.httpsPort, 'HTTPS_PORT'),
    await mediaPorts(config),
    announced(config),
    clock(),
    dataFolder(config),
    masterKey(config),
    await certificate(config),
  ]
}

function node(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  return major >= NODE_MAJOR
    ? { check: 'node', verdict: 'good', says: `Node ${process.versions.node}` }
    : {
        check: 'node',
        verdict: 'bad',
        says: `Node ${process.versions.node} is too old; run through npm, which brings Node ${NODE_MAJOR}, or install it`,
      }
}

async function worker(env: NodeJS.ProcessEnv): Promise<Finding> {
  const check = 'media worker'
  const cure = 'run "node scripts/media-worker.mjs", which says what is missing'
  const located = locateWorker({ env })
  if (!located) return { check, verdict: 'bad', says: `there is none, so media is off; ${cure}` }
  const sfu = await createSfu({
    workerBin: located.bin,
    workers: 1,
    firstPort: TRIAL_MEDIA_PORT,
    listenAddress: '127.0.0.1',
  }).catch((error: unknown) => error as Error)
  if (sfu instanceof Error) return { check, verdict: 'bad', says: `it does not start: ${sfu.message}` }
  const { status } = sfu
  await sfu.close()
  return status.available
    ? { check, verdict: 'good', says: `starts (${located.source}: ${located.bin})` }
    : { check, verdict: 'bad', says: `it does not start: ${status.reason}; ${cure}` }
}

/** Why this address cannot be listened on: the system's word for it; undefined when it can. */
type Trial = (port: number, host: string) => Promise<string | undefined>

const tryTcp: Trial = (port, host) =>
  new Promise((resolve) => {
    const trial = createServer()
    trial.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    trial.listen(port, host, () => trial.close(() => resolve(undefined)))
  })

const tryUdp: Trial = (port, host) =>
  new Promise((resolve) => {
    const trial = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    trial.once('error', (error: NodeJS.ErrnoException) => {
      trial.close()
      resolve(error.code ?? error.message)
    })
    trial.bind(port, host, () => trial.close(() => resolve(undefined)))
  })

async function tcpPort(check: string, host: string, port: number, variable: string): Promise<Finding> {
  const problem = await tryTcp(port, host)
  return problem === undefined
    ? { check, verdict: 'good', says: `${host}:${port} is free` }
    : unusable(check, `${host}:${port}`, problem, variable)
}

async function mediaPorts(config: Config): Promise<Finding> {
  const { mediaPort: first, mediaWorkers } = config
  const check = 'media ports'
  const address = mediaHost(config)
  for (let port = first; port < first + mediaWorkers; port++) {
    for (const [protocol, trial] of [
      ['UDP', tryUdp],
      ['TCP', tryTcp],
    ] as const) {
      const problem = await trial(port, address)
      if (problem !== undefined) return unusable(check, `${port} (${protocol})`, problem, 'MEDIA_PORT')
    }
  }
  const [ports, are] =
    mediaWorkers === 1 ? [String(first), 'is'] : [`${first}–${first + mediaWorkers - 1}`, 'are']
  return {
    check,
    verdict: 'good',
    says: `${ports} ${are} free; open for UDP and TCP in the firewall where people join from elsewhere`,
  }
}

function unusable(check: string, place: string, problem: string, variable: string): Finding {
  return problem === 'EADDRINUSE'
    ? {
        check,
        verdict: 'note',
        says: `${place} is in use; good if that is Anteroom, else choose another in ${variable}`,
      }
    : { check, verdict: 'bad', says: `${place} cannot be opened (${problem}); change HOST or ${variable}` }
}

function announced(config: Config): Finding {
  const { host, announcedAddress } = config
  const check = 'address'
  if (isLoopback(host) && isLoopback(mediaHost(config))) {
    return {
      check,
      verdict: 'note',
      says: `HOST is ${host}: only this machine can join; set HOST=0.0.0.0 for others`,
    }
  }
  const own = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address && !address.internal && address.family === 'IPv4')
    .map((address) => address!.address)
  const address = announcedAddress ?? own[0]
  if (!address)
    return {
      check,
      verdict: 'bad',
      says: 'this machine has no address that others could reach; set ANNOUNCED_ADDRESS',
    }
  if (isPrivate(address)) {
    return {
      check,
      verdict: 'note',
      says: `${address} is private: people in the same network can join; for the internet set ANNOUNCED_ADDRESS to the public address`,
    }
  }
  const here = own.includes(address)
  return {
    check,
    verdict: here ? 'good' : 'note',
    says: here
      ? `${address} is announced to clients`
      : `${address} is announced to clients and is not of this machine: the media ports must be forwarded from there`,
  }
}

function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd]|fe80)/i.test(
    address,
  )
}

function clock(): Finding {
  const now = Date.now()
  return now > EARLIEST_CLOCK
    ? {
        check: 'clock',
        verdict: 'good',
        says: `${new Date(now).toISOString()}; tokens tolerate 60 s of difference`,
      }
    : {
        check: 'clock',
        verdict: 'bad',
        says: `it is ${new Date(now).toISOString()} here, so every token looks as if from the future; set the clock`,
      }
}

function dataFolder({ dataDir }: Config): Finding {
  const check = 'data folder'
  const there = nearestThere(dataDir)
  const bad = (says: string): Finding => ({ check, verdict: 'bad', says })
  if (!statSync(there).isDirectory()) return bad(`${there} is not a folder; name another in DATA_DIR`)
  if (!isWritable(there)) {
    return bad(`${there} cannot be written by this user; change its owner or name another in DATA_DIR`)
  }
  if (there !== dataDir) return { check, verdict: 'good', says: `${dataDir} will be made at the first start` }
  return isClosed(dataDir)
    ? { check, verdict: 'good', says: dataDir }
    : bad(`${dataDir} can be read by others of this machine; do: chmod 700 ${dataDir}`)
}

/** The path itself, or what of it there is already. */
function nearestThere(path: string): string {
  return existsSync(path) ? path : nearestThere(dirname(path))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isClosed(path: string): boolean {
  // Windows has no such modes.
  return process.platform === 'win32' || (statSync(path).mode & 0o077) === 0
}

function masterKey({ dataDir, masterKey: given }: Config): Finding {
  const check = 'master key'
  if (given !== undefined) return { check, verdict: 'good', says: 'from MASTER_KEY' }
  const file = join(dataDir, 'master.key')
  if (!existsSync(file)) return { check, verdict: 'good', says: `${file} will be made at the first start` }
  return isClosed(file)
    ? { check, verdict: 'good', says: `${file}; back it up apart from the database` }
    : { check, verdict: 'bad', says: `${file} can be read by others of this machine; do: chmod 600 ${file}` }
}

async function certificate({ tlsCert, tlsKey, dataDir }: Config): Promise<Finding> {
  const check = 'certificate'
  if (tlsCert !== undefined && tlsKey !== undefined) {
    const given = await readGiven(tlsCert, tlsKey).catch((error: unknown) => error as Error)
    if (given instanceof Error) return { check, verdict: 'bad', says: given.message }
    const days = Math.floor((given.expiresAt - Date.now()) / DAY_MS)
    if (days < 0) return { check, verdict: 'bad', says: `${tlsCert} has expired; replace it` }
    return { check, verdict: days < 14 ? 'note' : 'good', says: `good for ${days} days` }
  }
  const trust = 'browsers must be told to trust it, or set TLS_CERT and TLS_KEY'
  return {
    check,
    verdict: 'note',
    says: existsSync(join(dataDir, 'tls', 'cert.pem'))
      ? `self-signed, renewed at a start when it is due; ${trust}`
      : `a self-signed one will be made at the first start; ${trust}`,
  }
}
