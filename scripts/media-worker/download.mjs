// Downloads the prebuilt worker with the mediasoup package's own installer.
import { join } from 'node:path'
import { WORKER_NAME } from './locate.mjs'
import { run } from './run.mjs'
import { suitableNode } from './sound.mjs'

const TIMEOUT_MS = 20_000

/**
 * @param {{ mediasoup: string, folder: string, env?: NodeJS.ProcessEnv }} options
 *  `folder` is an empty working folder: the installer writes there, and node_modules is not changed
 * @returns {Promise<{ bin?: string, reason?: string }>}
 */
export async function downloadWorker({ mediasoup, folder, env = process.env }) {
  if (env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD) {
    return { reason: 'MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD forbids to download the media worker' }
  }
  // Without a prebuilt worker, the installer would start a build with Python; this Python makes it fail immediately.
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
