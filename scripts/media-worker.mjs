// Gets the media worker onto this machine: found, downloaded, or built. Run by `npm ci`, and by hand at any time.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildWorker, whyNoBuild } from './media-worker/build.mjs'
import { cachedWorker, isExecutable, locateWorker, mediasoupFolder, mediasoupVersion } from './media-worker/locate.mjs'

const HELP = `usage: node scripts/media-worker.mjs [--require] [--check] [--path] [--json] [--help]

Finds the media worker, or downloads its prebuilt form, or builds it on Debian and Ubuntu.
  --require  exit with 1 when there is no worker in the end (otherwise 0: the server starts, and says that media is off)
  --check    only try the worker that is there, with a real DTLS handshake
  --path     only print where the worker is; exit with 1 when there is none
  --json     print the result as one line of JSON
MEDIASOUP_WORKER_BIN names a worker of your own.`

/** A download that takes longer than this is given up. */
const DOWNLOAD_TIMEOUT_MS = 30_000
const LOCK_WAIT_MS = 15 * 60_000

const flags = new Set(process.argv.slice(2))
const startedAt = Date.now()
const version = mediasoupVersion()

if (flags.has('--help')) {
  console.log(HELP)
} else if (flags.has('--path')) {
  const there = locateWorker()
  if (there) console.log(there.bin)
  process.exitCode = there ? 0 : 1
} else if (flags.has('--check')) {
  const there = locateWorker()
  const complaint = there ? check(there.bin) : 'there is none'
  say(complaint ? `media worker: not sound: ${complaint}` : `media worker: sound (${there.bin})`)
  process.exitCode = complaint ? 1 : 0
} else {
  const result = await obtain()
  if (flags.has('--json')) console.log(JSON.stringify({ version, ...result }))
  else if (result.bin) say(`media worker: ready (${result.source}) ${result.bin}`)
  else {
    say(
      `media is off: ${result.reason}. Everything else works; to have media, name a worker in MEDIASOUP_WORKER_BIN, or run "node scripts/media-worker.mjs" again where the network or the distribution allows it.`,
    )
  }
  process.exitCode = result.bin || !flags.has('--require') ? 0 : 1
}

async function obtain() {
  if (!version) return { bin: null, source: 'none', reason: 'the package mediasoup is not installed' }
  const there = locateWorker()
  if (there?.source === 'env') {
    const complaint = probe(there.bin)
    return complaint
      ? { bin: null, source: 'none', reason: `MEDIASOUP_WORKER_BIN names ${there.bin}, but ${complaint}` }
      : there
  }
  if (there && !probe(there.bin)) return there

  const cached = cachedWorker(process.env, version)
  mkdirSync(dirname(cached), { recursive: true })
  return withLock(`${dirname(cached)}.lock`, async () => {
    // Another install may have brought it while this one waited.
    if (isExecutable(cached) && !probe(cached)) return { bin: cached, source: 'cache' }
    const downloaded = await download()
    if (downloaded) {
      keep(downloaded, cached)
      return { bin: cached, source: 'download' }
    }
    const obstacle = whyNoBuild()
    if (obstacle) return { bin: null, source: 'none', reason: `no prebuilt media worker could be downloaded, and ${obstacle}` }
    return build(cached)
  })
}

/** The package's own installer, held to the download: where it would go on to build, it finds no Python. */
async function download() {
  say('media worker: looking for a prebuilt one')
  const packaged = join(mediasoupFolder, 'worker/out/Release/mediasoup-worker')
  const child = spawn(process.execPath, ['npm-scripts.mjs', 'postinstall'], {
    cwd: mediasoupFolder,
    env: { ...process.env, PYTHON: 'false', MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD: '', MEDIASOUP_LOCAL_DEV: '' },
    stdio: 'ignore',
    detached: true,
  })
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), DOWNLOAD_TIMEOUT_MS)
  await new Promise((resolve) => child.on('close', resolve).on('error', resolve))
  clearTimeout(timer)
  return isExecutable(packaged) && !probe(packaged) ? packaged : undefined
}

async function build(cached) {
  const folder = mkdtempSync(`${dirname(cached)}-build-`)
  const log = join(folder, 'build.log')
  say('media worker: no prebuilt one here; building it, which takes about 5 minutes on 2 cores, once on this machine')
  const show = progressLine()
  try {
    const built = await buildWorker({ mediasoupFolder, folder, log, progress: show })
    show('trying the worker with a real DTLS handshake')
    const complaint = check(built)
    if (complaint) throw new Error(`the built worker is not sound: ${complaint}`)
    keep(built, cached)
    show.end()
    rmSync(folder, { recursive: true, force: true })
    return { bin: cached, source: 'build' }
  } catch (error) {
    show.end()
    rmSync(join(folder, 'worker'), { recursive: true, force: true })
    const tail = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-15).join('\n') : ''
    if (tail) console.error(tail)
    return { bin: null, source: 'none', reason: `the media worker could not be built (${error.message}; see ${log})` }
  }
}

/** Atomic: whoever looks sees the whole worker or none. */
function keep(from, to) {
  const next = `${to}.${process.pid}`
  copyFileSync(from, next)
  chmodSync(next, 0o755)
  renameSync(next, to)
}

/** What is wrong with it at first sight; undefined for nothing. A worker without its parent exits with 41. */
function probe(bin) {
  const { status, error } = spawnSync(bin, [], { env: {}, stdio: 'ignore', timeout: 10_000 })
  if (error) return `it cannot be started (${error.code})`
  return status === 41 ? undefined : 'it is not a media worker that runs here'
}

function check(bin) {
  const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))
  const node = existsSync(pinned) ? pinned : process.execPath
  const script = fileURLToPath(new URL('./media-worker/check.mjs', import.meta.url))
  const { status, stderr } = spawnSync(node, [script, bin], { encoding: 'utf8', timeout: 60_000 })
  return status === 0 ? undefined : stderr.trim().split('\n').at(-1) || 'the check did not end'
}

async function withLock(folder, work) {
  const holder = join(folder, 'pid')
  for (const giveUpAt = Date.now() + LOCK_WAIT_MS; ; ) {
    try {
      mkdirSync(folder)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (isAbandoned(holder) || Date.now() > giveUpAt) rmSync(folder, { recursive: true, force: true })
      else {
        say('media worker: another install is bringing it; waiting')
        await new Promise((resolve) => setTimeout(resolve, 5000))
      }
    }
  }
  writeFileSync(holder, String(process.pid))
  try {
    return await work()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function isAbandoned(holder) {
  try {
    process.kill(Number(readFileSync(holder, 'utf8')), 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** One line that changes on a terminal; elsewhere a line for each step and for each tenth of the build. */
function progressLine() {
  let last = ''
  const show = (text) => {
    const [, done, total] = text.match(/(\d+)\/(\d+)$/) ?? []
    const line = `  ${text} (${elapsed()})`
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`)
    else {
      const step = done ? `${text.split(':')[0]} ${Math.floor((10 * done) / total)}` : text
      if (step !== last) console.log(line)
      last = step
    }
  }
  show.end = () => process.stdout.isTTY && process.stdout.write('\n')
  return show
}

function elapsed() {
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}

function say(text) {
  if (!flags.has('--json')) console.log(text)
}
