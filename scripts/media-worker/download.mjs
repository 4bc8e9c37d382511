// The prebuilt worker, fetched by the mediasoup package's own installer.
import { join } from 'node:path'
import { WORKER_NAME } from './locate.mjs'
import { run } from './run.mjs'
import { suitableNode } from './sound.mjs'

const TIMEOUT_MS = 20_000

/**
 * @param {{ mediasoup: string, folder: string, env?: NodeJS.ProcessEnv }} options
 *   `folder` is an empty one to work in: the installer writes below its working folder, and node_modules stays as it is
 * @returns {Promise<{ bin?: string, reason?: string }>}
 */
export async function downloadWorker({ mediasoup, folder, env = process.env }) {
  if (env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD) {
    return { reason: 'MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD forbids to download the media worker' }
  }
  // Where there is no prebuilt worker, the installer goes on to a build with Python, and this Python ends it at once.
  const heldToDownload = { ...env, MEDIASOUP_FORCE_WORKER_PREBUILT_DOWNLOAD: '1', PYTHON: 'false' }
  let output = ''
  const { status, timedOut } = await run(
    suitableNode() ?? process.execPath,
    [join(mediasoup, 'npm-scripts.mjs'), 'postinstall'],
    {
      cwd: folder,
      env: heldToDownload,
      timeoutMs: TIMEOUT_MS,
      onOutput: (text) => (output += text),
    },
  )
  if (status === 0) return { bin: join(folder, 'worker/out/Release', WORKER_NAME) }
  if (timedOut)
    return { reason: `the download of the media worker did not end within ${TIMEOUT_MS / 1000} s` }
  return { reason: whyNot(output) }
}

/** @param {string} output */
function whyNot(output) {
  if (/no available .* prebuilt/.test(output)) return 'there is no prebuilt media worker for this platform'
  if (/prebuilt binary fails to run/.test(output))
    return 'the prebuilt media worker does not run on this machine'
  const detail = (/ reason: (.*)/.exec(output) ?? /failed to download .* binary: (.*)/.exec(output))?.[1]
  return `the prebuilt media worker cannot be downloaded${detail ? ` (${detail.trim()})` : ''}`
}
