// Tests a worker with a real DTLS-SRTP handshake: a worker can pass every other test and die at the first one. `node
// check.mjs <worker>` exits with 0 if it works, 1 if it does not, and 2 if it starts but the openssl program is
// missing, so no handshake could be tried. Needs a Node version that mediasoup supports.
import { spawn, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWorker } from 'mediasoup'
import { stunBinding } from './stun.mjs'

/** @import { types } from 'mediasoup' */

const HOST = '127.0.0.1'
const STEP_TIMEOUT_MS = 15_000

class NoOpenssl extends Error {}

/** @param {string} workerBin */
async function check(workerBin) {
  const worker = await within(createWorker({ workerBin }), 'it does not start')
  const folder = mkdtempSync(join(tmpdir(), 'anteroom-check-'))
  const died = new Promise((_, reject) => {
    worker.once('died', () => reject(new Error('it died during the trial')))
  })
  try {
    await Promise.race([died, handshake(await openTransport(worker), folder)])
  } finally {
    worker.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {types.Worker} worker */
async function openTransport(worker) {
  const webRtcServer = await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: HOST }] })
  const router = await worker.createRouter({
    mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }],
  })
  return router.createWebRtcTransport({ webRtcServer })
}

/**
 * openssl speaks DTLS but not ICE, so it talks to a relay that has sent a STUN request from its socket before.
 * @param {types.WebRtcTransport} transport
 * @param {string} folder - for the client's certificate
 */
async function handshake(transport, folder) {
  const { port } = /** @type {types.IceCandidate} */ (transport.iceCandidates[0])
  const toWorker = createSocket('udp4')
  const toClient = createSocket('udp4')
  let client
  try {
    toWorker.send(stunBinding(transport.iceParameters), port, HOST)
    await within(once(toWorker, 'message'), 'it did not answer a STUN request')

    const { cert, key, fingerprint } = makeCertificate(folder)
    const connected = new Promise((resolve, reject) => {
      transport.on('dtlsstatechange', (state) => {
        if (state === 'connected') resolve(undefined)
        else if (state === 'failed') reject(new Error('the DTLS handshake failed'))
      })
    })
    await transport.connect({
      dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] },
    })

    toClient.bind(0, HOST)
    await once(toClient, 'listening')
    /** @type {number | undefined} */
    let clientPort
    toClient.on('message', (data, from) => {
      clientPort = from.port
      toWorker.send(data, port, HOST)
    })
    toWorker.on('message', (data) => {
      if (clientPort && isDtls(data)) toClient.send(data, clientPort, HOST)
    })
    const address = `${HOST}:${toClient.address().port}`
    const offer = ['-dtls1_2', '-use_srtp', 'SRTP_AES128_CM_SHA1_80', '-cert', cert, '-key', key]
    // Its input stays open, because s_client hangs up at the end of its input.
    client = spawn('openssl', ['s_client', '-connect', address, ...offer], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await within(connected, 'no DTLS handshake came about')
  } finally {
    client?.kill('SIGKILL')
    toWorker.close()
    toClient.close()
  }
}

/**
 * Protocols on a WebRTC port differ in the first byte (RFC 7983).
 * @param {Buffer} data
 */
function isDtls(data) {
  return data[0] >= 20 && data[0] <= 63
}

/** @param {string} folder */
function makeCertificate(folder) {
  const cert = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  const kind = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=check',
  ]
  const { status, stderr, error } = spawnSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert], {
    encoding: 'utf8',
  })
  if (error) throw new NoOpenssl('the openssl program, which the handshake is tried with, is not installed')
  if (status !== 0) throw new Error(`openssl made no certificate: ${stderr.trim().split('\n').at(-1)}`)
  return { cert, key, fingerprint: new X509Certificate(readFileSync(cert)).fingerprint256 }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {string} complaint
 * @returns {Promise<T>}
 */
async function within(promise, complaint) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), STEP_TIMEOUT_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

check(process.argv[2]).then(
  () => process.exit(0),
  (error) => {
    console.error(error.message)
    process.exit(error instanceof NoOpenssl ? 2 : 1)
  },
)
