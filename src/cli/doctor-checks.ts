/** The checks of `anteroom doctor`: common mistakes in installations and networks, each with the cure. */
import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isLoopback, isReachedFromHereAlone, kindOf } from '../addresses.ts'
import { ADMIN_KEY_FILE, readAdminKey } from '../api/rest/admin/admin-key.ts'
import { readConfig, type Config } from '../config/read.ts'
import { assertPortsApart } from '../config/safety.ts'
import { createSfu } from '../media/create.ts'
import { mediaAddresses, type MediaAddress } from '../media/addresses.ts'
import { sentenceOf } from '../media/preparation.ts'
import { tryFileStore } from '../output/files/open.ts'
import { findPrograms, missingFonts, whyNoSpeechModel, whyUnavailable } from '../output/programs.ts'
import { grantedSocketBuffer, SOCKET_BUFFER_BYTES, tryTcp, tryUdp, unusablePort } from '../media/ports.ts'
import { openFiles } from '../server/files.ts'
import { checkStore } from '../store/open.ts'
import { whyNoBuild } from '../../scripts/media-worker/build.mjs'
import { locateWorker } from '../../scripts/media-worker/locate.mjs'
import { preparingElsewhere } from '../../scripts/media-worker/obtain.mjs'
import type { CommandInput } from './arguments.ts'
import { certificate, domain } from './doctor-certificate.ts'
import { kept } from './doctor-kept.ts'
import { otherNodes } from './doctor-nodes.ts'
import type { Finding } from './finding.ts'

const NODE_MAJOR = 24
/** A clock earlier than this is wrong, and makes every token look invalid. */
const EARLIEST_CLOCK = Date.UTC(2025, 0, 1)
const FIRST_TRIAL_PORT = 49_000
const MOST_TRIALS = 50

/** Runs all checks, in the order in which they are shown. */
export async function examine({ env, envFile }: Pick<CommandInput, 'env' | 'envFile'>): Promise<Finding[]> {
  const findings: Finding[] = [node(), ...(envFile ? [fileOfSettings(envFile)] : [])]
  let config: Config
  try {
    config = readConfig(env)
    assertPortsApart(config)
    findings.push({ check: 'settings', verdict: 'good', says: 'all settings are valid' }, kept(config))
  } catch (error) {
    return [...findings, { check: 'settings', verdict: 'bad', says: (error as Error).message }]
  }
  const addresses = await mediaAddresses(
    config.host,
    config.announcedAddresses,
    undefined,
    config.domain,
  ).catch((error: unknown) => error as Error)
  return [
    ...findings,
    await tcpPort('port', config.host, config.port, 'PORT'),
    await tcpPort('https port', config.host, config.httpsPort, 'HTTPS_PORT'),
    ...(addresses instanceof Error
      ? [{ check: 'address', verdict: 'bad' as const, says: addresses.message }]
      : [
          await worker(env, config),
          await mediaPorts(config, addresses),
          ...mediaBuffer(await grantedSocketBuffer()),
          announced(config, addresses),
        ]),
    clock(),
    dataFolder(config),
    await database(config),
    ...(await otherNodes(config)),
    masterKey(config),
    await adminKey(config),
    ...(await domain(config)),
    await certificate(config),
    ...(await recordings(config, env.PATH ?? '')),
    ...(await speechModel(config)),
    ...(await storeOfFiles(config)),
  ]
}

function fileOfSettings(file: NonNullable<CommandInput['envFile']>): Finding {
  const check = 'env file'
  if ('problem' in file) return { check, verdict: 'bad', says: file.problem }
  const count = Object.keys(file.settings).length
  return {
    check,
    verdict: 'good',
    says: `${count} ${count === 1 ? 'variable' : 'variables'} read from ${file.path}`,
  }
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

/** Starts one worker as the server would, on another port, and tries the addresses that clients get. */
async function worker(
  env: NodeJS.ProcessEnv,
  { host, announcedAddresses, domain: name, prepareMedia }: Config,
): Promise<Finding> {
  const check = 'media worker'
  const located = locateWorker({ env })
  if (!located) return missingWorker(env, prepareMedia)
  const sfu = await createSfu({
    workerBin: located.bin,
    workers: 1,
    firstPort: await freeTrialPort(host),
    listenAddress: host,
    announcedAddresses,
    domain: name,
  }).catch((error: unknown) => error as Error)
  if (sfu instanceof Error)
    return { check, verdict: 'bad', says: `the media worker does not start: ${sfu.message}` }
  const { status } = sfu
  await sfu.close()
  if (!status.available) return { check, verdict: 'bad', says: status.reason }
  const reached = status.tried ? 'starts, and answers where it is announced' : 'starts'
  return { check, verdict: 'good', says: `${reached} (${located.source}: ${located.bin})` }
}

/** The worker is missing. That is no problem if it can be downloaded or built. */
function missingWorker(env: NodeJS.ProcessEnv, prepareMedia: boolean): Finding {
  const check = 'media worker'
  const preparing = preparingElsewhere(env)
  if (preparing)
    return {
      check,
      verdict: 'note',
      says: `the worker is not there yet; another process is preparing it: ${sentenceOf(preparing)}`,
    }
  const noBuild = whyNoBuild()
  if (noBuild !== undefined)
    return {
      check,
      verdict: 'bad',
      says: `there is no worker, so media is off; unless it can be downloaded, ${noBuild}`,
    }
  return prepareMedia
    ? {
        check,
        verdict: 'note',
        says: 'the worker is not there yet; the server prepares it in the background when it starts; "npm run worker" prepares it now',
      }
    : { check, verdict: 'bad', says: 'there is no worker, so media is off; run "npm run worker"' }
}

/** Uses ports other than the server's, so that a running server does not interfere. */
async function freeTrialPort(host: string): Promise<number> {
  for (let port = FIRST_TRIAL_PORT; port < FIRST_TRIAL_PORT + MOST_TRIALS; port++) {
    const trials = [await tryTcp(port, host), await tryUdp(port, host)]
    if (!trials.includes('EADDRINUSE')) return port
  }
  return FIRST_TRIAL_PORT
}

async function tcpPort(check: string, host: string, port: number, variable: string): Promise<Finding> {
  const problem = await tryTcp(port, host)
  return problem === undefined
    ? { check, verdict: 'good', says: `${host}:${port} is free` }
    : unusable(check, `${host}:${port}`, problem, variable)
}

async function mediaPorts(config: Config, addresses: readonly MediaAddress[]): Promise<Finding> {
  const { mediaPort: first, mediaWorkers } = config
  const check = 'media ports'
  const taken = await unusablePort(addresses, { firstPort: first, workers: mediaWorkers })
  if (taken) {
    const { port, protocol, problem } = taken
    return unusable(check, `${port} (${protocol})`, problem, 'MEDIA_PORT')
  }
  const [ports, are] =
    mediaWorkers === 1 ? [String(first), 'is'] : [`${first}–${first + mediaWorkers - 1}`, 'are']
  return {
    check,
    verdict: 'good',
    says: `${ports} ${are} free; open them for UDP and TCP in the firewall if people join from other networks`,
  }
}

/** @param granted bytes that the system buffers until a media worker reads them; undefined if unknown */
export function mediaBuffer(granted: number | undefined): Finding[] {
  if (granted === undefined) return []
  const check = 'media buffer'
  const kilobytes = `${Math.floor(granted / 1024)} kB`
  return [
    granted >= SOCKET_BUFFER_BYTES
      ? { check, verdict: 'good', says: `${kilobytes} buffered for each media worker` }
      : {
          check,
          verdict: 'note',
          says: `only ${kilobytes} buffered for each media worker: packets are lost whenever it is busy; run: sysctl -w net.core.rmem_max=${SOCKET_BUFFER_BYTES}, then restart the server`,
        },
  ]
}

function unusable(check: string, place: string, problem: string, variable: string): Finding {
  return problem === 'EADDRINUSE'
    ? {
        check,
        verdict: 'note',
        says: `${place} is in use; fine if by Anteroom, else choose another port in ${variable}`,
      }
    : { check, verdict: 'bad', says: `${place} cannot be opened (${problem}); change HOST or ${variable}` }
}

function announced(config: Config, addresses: readonly MediaAddress[]): Finding {
  const check = 'address'
  const all = addresses.map((address) => address.announced)
  const shown = all.join(' and ')
  if (all.every(isLoopback)) {
    return isReachedFromHereAlone(config)
      ? {
          check,
          verdict: 'note',
          says: `HOST is ${config.host}: only this machine can join; set HOST=0.0.0.0 for others`,
        }
      : {
          check,
          verdict: 'note',
          says: `media is announced at ${shown}, which only this machine can reach; set ANNOUNCED_ADDRESS to an address that others can reach`,
        }
  }
  const elsewhere = addresses.filter(({ isOwn }) => !isOwn).map((address) => address.announced)
  const notes = [
    ...(all.every((address) => kindOf(address) !== 'public')
      ? [
          `${shown} is private: people in the same network can join; for the internet set ANNOUNCED_ADDRESS to the public address`,
        ]
      : []),
    ...(elsewhere.length > 0
      ? [
          `${elsewhere.join(' and ')} is not of this machine, so it could not be tried from here: the media ports must be forwarded from there`,
        ]
      : []),
  ]
  return notes.length > 0
    ? { check, verdict: 'note', says: notes.join('; ') }
    : { check, verdict: 'good', says: `${shown} is announced to clients` }
}

async function recordings(config: Config, path: string): Promise<Finding[]> {
  const check = 'recordings'
  const programs = findPrograms(config, path)
  const unavailable = whyUnavailable(programs)
  if (unavailable !== undefined) return [{ check, verdict: 'note', says: unavailable }]
  const fonts = await missingFonts()
  return [
    { check, verdict: 'good', says: `made with ${programs.chromiumBin!} and ${programs.ffmpegBin!}` },
    ...(fonts.length > 0
      ? [
          {
            check: 'fonts',
            verdict: 'note' as const,
            says: `names in ${fonts.join(' and ')} are boxes in recordings; install fonts-noto-cjk and fonts-noto-color-emoji`,
          },
        ]
      : []),
  ]
}

async function speechModel({ transcriptionModelFolder: folder }: Config): Promise<Finding[]> {
  if (folder === undefined) return []
  const check = 'transcription'
  const wrong = await whyNoSpeechModel(folder)
  if (wrong !== undefined) return [{ check, verdict: 'bad', says: wrong }]
  return [{ check, verdict: 'good', says: `speech is recognised here by the model in ${folder}` }]
}

/** Puts a file there, reads it and deletes it. */
async function storeOfFiles(config: Config): Promise<Finding[]> {
  const check = 'files'
  const files = openFiles(config)
  if (!files) return []
  try {
    await tryFileStore(files, `anteroom-${randomBytes(6).toString('hex')}`)
    return [{ check, verdict: 'good', says: `recordings are put into ${files.place}` }]
  } catch (error) {
    return [{ check, verdict: 'bad', says: (error as Error).message }]
  }
}

function clock(): Finding {
  const now = Date.now()
  return now > EARLIEST_CLOCK
    ? {
        check: 'clock',
        verdict: 'good',
        says: `${new Date(now).toISOString()}; tokens tolerate a difference of 60 s`,
      }
    : {
        check: 'clock',
        verdict: 'bad',
        says: `the clock says ${new Date(now).toISOString()}, so every token seems to come from the future; set the clock`,
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
  if (there !== dataDir)
    return { check, verdict: 'good', says: `${dataDir} will be created at the first start` }
  return isClosed(dataDir)
    ? { check, verdict: 'good', says: dataDir }
    : bad(`other users can read ${dataDir}; run: chmod 700 ${dataDir}`)
}

/** The path itself, or its nearest existing parent. */
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
  // Windows has no such file modes.
  return process.platform === 'win32' || (statSync(path).mode & 0o077) === 0
}

/** Opens the store as a start does, but changes nothing. */
async function database({ dataDir: folder, masterKey, databaseUrl: url }: Config): Promise<Finding> {
  const check = 'database'
  try {
    const found = await checkStore({ folder, masterKey, url })
    const says = found
      ? 'opens with the master key'
      : url === undefined
        ? 'will be made at the first start'
        : 'answers, and its tables will be made at the first start'
    return { check, verdict: 'good', says }
  } catch (error) {
    return { check, verdict: 'bad', says: (error as Error).message }
  }
}

async function adminKey({ dataDir: folder, adminKey: given }: Config): Promise<Finding> {
  const check = 'admin key'
  if (given !== undefined) return { check, verdict: 'good', says: 'from ADMIN_KEY' }
  const file = join(folder, ADMIN_KEY_FILE)
  if (!existsSync(file)) return { check, verdict: 'good', says: `${file} will be created at the first start` }
  try {
    await readAdminKey({ given, folder, randomBytes, create: false })
  } catch (error) {
    return { check, verdict: 'bad', says: (error as Error).message }
  }
  return { check, verdict: 'good', says: file }
}

function masterKey({ dataDir, masterKey: given }: Config): Finding {
  const check = 'master key'
  if (given !== undefined) return { check, verdict: 'good', says: 'from MASTER_KEY' }
  const file = join(dataDir, 'master.key')
  if (!existsSync(file)) return { check, verdict: 'good', says: `${file} will be created at the first start` }
  return isClosed(file)
    ? { check, verdict: 'good', says: `${file}; back it up separately from the database` }
    : { check, verdict: 'bad', says: `other users can read ${file}; run: chmod 600 ${file}` }
}
