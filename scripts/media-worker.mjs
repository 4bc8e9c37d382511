// Gets the media worker onto this machine: finds, downloads or builds it. Run by `npm ci`, by a server that starts
// without one, and by hand at any time.
import { constants, setPriority } from 'node:os'
import * as locate from './media-worker/locate.mjs'
import { none, obtainWorker } from './media-worker/obtain.mjs'
import { createEvents, createProgress } from './media-worker/progress.mjs'
import { stopWhenInputEnds, stopWithThisProcess } from './media-worker/run.mjs'
import { probe, tryWorker } from './media-worker/sound.mjs'

const HELP = `usage: node scripts/media-worker.mjs [option]

Finds the media worker, or downloads its prebuilt form, or builds it (on Debian and Ubuntu, about 5 minutes, once).

  --require     exit with 1 when there is no worker in the end; otherwise with 0, and the server starts without media
  --no-build    do not build it now; the server does when it starts
  --rebuild     build it although there is one, and say what that took
  --background  for the server: at the lowest priority, with each change as a line of JSON, until standard input ends
  --check       try the worker that is there with a real DTLS-SRTP handshake; exit with 1 when it is not sound
  --path        print where the worker is, and do nothing else; exit with 1 when there is none
  --json        print the result on standard output as one line of JSON, and the progress on standard error
  --help        print this

MEDIASOUP_WORKER_BIN names a worker of your own; XDG_CACHE_HOME the folder it is kept in (~/.cache). Where that cannot be
written, it is kept in .cache of this project, or in DATA_DIR.`
const OPTIONS = [
  '--require',
  '--no-build',
  '--rebuild',
  '--background',
  '--check',
  '--path',
  '--json',
  '--help',
]
const LOWEST_PRIORITY = constants.priority.PRIORITY_LOW

const flags = new Set(process.argv.slice(2))
const unknown = [...flags].find((flag) => !OPTIONS.includes(flag))
const inBackground = flags.has('--background')
const isJson = inBackground || flags.has('--json')
const progress = inBackground
  ? createEvents(process.stdout)
  : createProgress(isJson ? process.stderr : process.stdout)
stopWithThisProcess()

if (unknown) {
  console.error(`There is no option ${unknown}; --help lists those that there are.`)
  process.exitCode = 2
} else if (flags.has('--help')) console.log(HELP)
else if (flags.has('--path')) printPath()
else if (flags.has('--check')) await printCheck()
else await printWorker()

function printPath() {
  const found = locate.locateWorker()
  if (found && !probe(found.bin)) console.log(found.bin)
  else process.exitCode = 1
}

async function printCheck() {
  const found = locate.locateWorker()
  const { isSound, complaint } = found
    ? await tryWorker(found.bin)
    : { isSound: false, complaint: 'there is none' }
  const passed = isSound && !complaint
  const where = found ? ` (${found.source}: ${found.bin})` : ''
  progress.say(
    passed ? `media worker: sound${where}` : `media worker: not known to be sound: ${complaint}${where}`,
  )
  if (!passed) process.exitCode = 1
  if (flags.has('--json'))
    console.log(JSON.stringify({ bin: null, source: 'none', ...found, sound: passed, reason: complaint }))
}

async function printWorker() {
  if (inBackground) {
    // Child processes inherit it.
    setPriority(LOWEST_PRIORITY)
    stopWhenInputEnds()
  }
  const again = inBackground
    ? 'the server tries again by itself'
    : flags.has('--no-build')
      ? 'start the server, which tries again'
      : 'run "npm run worker" again'
  const options = { progress, again, build: !flags.has('--no-build'), rebuild: flags.has('--rebuild') }
  // An install must not fail because of the worker.
  const result = await obtainWorker(options).catch((error) =>
    none(`${error.message}; mend that and ${again}`),
  )
  if (isJson) console.log(JSON.stringify({ ...result, version: locate.mediasoupVersion() ?? null }))
  if (result.bin !== null) {
    if (!inBackground) progress.step(`media worker: ready (${result.source}): ${result.bin}`)
  } else {
    if (!inBackground) progress.say(result.reason)
    if (flags.has('--require')) process.exitCode = 1
  }
  // From here on the input is not needed; open, it would keep the process alive.
  if (inBackground) process.stdin.destroy()
}
