// Tests a worker: a quick check, and a real handshake.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { installed } from './locate.mjs'
import { run } from './run.mjs'

/** The exit status of a worker that is started without its parent's environment. */
const STATUS_WITHOUT_PARENT = 41
/** The oldest major version of Node that mediasoup supports. */
const OLDEST_MAJOR = 22

/**
 * Returns what is wrong with a worker, as the end of a sentence; undefined if nothing is. Takes milliseconds.
 * @param {string} bin
 */
export function probe(bin) {
  const { status, error } = spawnSync(bin, [], { env: {}, stdio: 'ignore', timeout: 10_000 })
  if (status === STATUS_WITHOUT_PARENT) return undefined
  const code = /** @type {NodeJS.ErrnoException | undefined} */ (error)?.code
  if (code === 'ENOENT') return 'does not exist'
  if (code) return `cannot be started (${code})`
  return 'is not a media worker that runs on this machine'
}

/**
 * Starts the worker through mediasoup and makes a DTLS-SRTP handshake with it.
 * @param {string} bin
 * @returns {Promise<{ isSound: boolean, complaint?: string }>}
 *  `isSound` with a complaint: it starts, but without the openssl program no handshake could be tried
 */
export async function tryWorker(bin) {
  const complaint = probe(bin)
  if (complaint) return { isSound: false, complaint: `it ${complaint}` }
  const node = suitableNode()
  if (!node) return { isSound: false, complaint: `it can only be tried with Node ${OLDEST_MAJOR} or newer` }
  const script = fileURLToPath(new URL('./check.mjs', import.meta.url))
  let output = ''
  const { status } = await run(node, [script, bin], {
    timeoutMs: 60_000,
    onOutput: (text) => (output += text),
  })
  if (status === 0) return { isSound: true }
  return { isSound: status === 2, complaint: output.trim().split('\n').at(-1) || 'the trial did not end' }
}

/** This Node, or the one that the package depends on, whichever mediasoup supports. */
export function suitableNode() {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR) return process.execPath
  return installed('.bin/node')
}
