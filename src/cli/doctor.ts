/** `anteroom doctor`: what installs and networks get wrong, each with the cure. */
import { existsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isLoopback, readConfig, type Config } from '../config.ts'
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
    await mediaPort(config),
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

async function tcpPort(check: string, host: string, port: number, variable: string): Promise<Finding> {
  const problem = await new Promise<string | undefined>((resolve) => {
    const trial = createServer()
    trial.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    trial.listen(port, host, () => trial.close(() => resolve(undefined)))
  })
  if (problem === undefined) return { check, verdict: 'good', says: `${host}:${port} is free` }
  if (problem === 'EADDRINUSE') {
    return {
      check,
      verdict: 'note',
      says: `${host}:${port} is in use; good if that is Anteroom, else choose another in ${variable}`,
    }
  }
  return {
    check,
    verdict: 'bad',
    says: `${host}:${port} cannot be opened (${problem}); change HOST or ${variable}`,
  }
}

async function mediaPort({ host, mediaPort: port, mediaWorkers }: Config): Promise<Finding> {
  const check = 'media ports'
  const last = port + mediaWorkers - 1
  const problem = await new Promise<string | undefined>((resolve) => {
    const trial = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    trial.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    trial.bind(port, host === 'localhost' ? '127.0.0.1' : host, () => trial.close(() => resolve(undefined)))
  })
  const ports = `${port}${last > port ? `–${last}` : ''}`
  if (problem === undefined) {
    return {
      check,
      verdict: 'good',
      says: `${ports} are free; open them for UDP and TCP in the firewall where people join from elsewhere`,
    }
  }
  if (problem === 'EADDRINUSE') {
    return {
      check,
      verdict: 'note',
      says: `${ports} are in use; good if that is Anteroom, else choose others in MEDIA_PORT`,
    }
  }
  return { check, verdict: 'bad', says: `${ports} cannot be opened (${problem}); change HOST or MEDIA_PORT` }
}

function announced({ host, announcedAddress }: Config): Finding {
  const check = 'address'
  if (isLoopback(host)) {
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
  if (!existsSync(dataDir))
    return { check, verdict: 'good', says: `${dataDir} will be made at the first start` }
  const { mode, uid } = statSync(dataDir)
  if ((mode & 0o077) !== 0) {
    return {
      check,
      verdict: 'bad',
      says: `${dataDir} can be read by others of this machine; do: chmod 700 ${dataDir}`,
    }
  }
  return process.getuid && uid !== process.getuid() && process.getuid() !== 0
    ? {
        check,
        verdict: 'bad',
        says: `${dataDir} belongs to another user; run as that user or choose another DATA_DIR`,
      }
    : { check, verdict: 'good', says: dataDir }
}

function masterKey({ dataDir, masterKey: given }: Config): Finding {
  const check = 'master key'
  if (given !== undefined) return { check, verdict: 'good', says: 'from MASTER_KEY' }
  const file = join(dataDir, 'master.key')
  if (!existsSync(file)) return { check, verdict: 'good', says: `${file} will be made at the first start` }
  return (statSync(file).mode & 0o077) === 0
    ? { check, verdict: 'good', says: `${file}; back it up apart from the database` }
    : { check, verdict: 'bad', says: `${file} can be read by others of this machine; do: chmod 600 ${file}` }
}

async function certificate({ tlsCert, dataDir }: Config): Promise<Finding> {
  const check = 'certificate'
  const file = tlsCert ?? join(dataDir, 'tls', 'cert.pem')
  if (!existsSync(file)) {
    return tlsCert === undefined
      ? {
          check,
          verdict: 'note',
          says: 'a self-signed one will be made at the first start; browsers must be told to trust it',
        }
      : { check, verdict: 'bad', says: `TLS_CERT names ${file}, which is not there` }
  }
  const left = new X509Certificate(await readFile(file)).validToDate.getTime() - Date.now()
  if (left <= 0) return { check, verdict: 'bad', says: `${file} has expired; replace it` }
  const days = Math.floor(left / DAY_MS)
  return tlsCert === undefined
    ? {
        check,
        verdict: 'note',
        says: `self-signed, good for ${days} days; browsers must be told to trust it, or set TLS_CERT and TLS_KEY`,
      }
    : { check, verdict: days < 14 ? 'note' : 'good', says: `good for ${days} days` }
}
