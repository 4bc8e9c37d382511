// Accepts a worker only after a real DTLS-SRTP handshake: a worker can pass every other test and die at the first one.
// `node check.mjs <worker>`; exit code 0 when it is sound. Needs the Node that mediasoup needs, and the openssl program.
import { spawn, spawnSync } from 'node:child_process'
import { createHmac, randomBytes, X509Certificate } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TIMEOUT_MS = 15_000

/** A worker without its parent's environment says so by this status. */
const EXIT_WITHOUT_PARENT = 41

async function check(workerBin) {
  const probe = spawnSync(workerBin, [], { env: {}, stdio: 'ignore', timeout: TIMEOUT_MS })
  if (probe.status !== EXIT_WITHOUT_PARENT) throw new Error(`it does not run here (${probe.error?.code ?? probe.status ?? probe.signal})`)

  const mediasoup = await import('mediasoup')
  const worker = await mediasoup.createWorker({ workerBin })
  const died = new Promise((_, reject) => worker.on('died', () => reject(new Error('it died during the handshake'))))
  const folder = mkdtempSync(join(tmpdir(), 'anteroom-check-'))
  try {
    await Promise.race([handshake(worker, folder), died])
  } finally {
    worker.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function handshake(worker, folder) {
  const router = await worker.createRouter({ mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] })
  const transport = await router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] })
  const connected = new Promise((resolve, reject) => {
    transport.on('dtlsstatechange', (state) => {
      if (state === 'connected') resolve()
      if (state === 'failed') reject(new Error('the DTLS handshake failed'))
    })
  })
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=check', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  if (made.status !== 0) throw new Error('the openssl program is needed for the check and was not found')
  const { fingerprint256 } = new X509Certificate(readFileSync(cert))
  await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint256 }] } })

  // openssl speaks DTLS and no ICE: it talks to a relay, which has opened the way with a STUN binding.
  const candidate = transport.iceCandidates[0]
  const outer = createSocket('udp4')
  const inner = createSocket('udp4')
  let client
  try {
    await new Promise((resolve) => inner.bind(0, '127.0.0.1', resolve))
    const bound = new Promise((resolve) => outer.once('message', resolve))
    outer.send(stunBinding(transport.iceParameters), candidate.port, '127.0.0.1')
    await within(bound, 'it did not answer a STUN request')
    let peerPort
    inner.on('message', (data, from) => {
      peerPort = from.port
      outer.send(data, candidate.port, '127.0.0.1')
    })
    outer.on('message', (data) => {
      // First byte of a DTLS record (RFC 7983).
      if (peerPort && data[0] >= 20 && data[0] <= 63) inner.send(data, peerPort, '127.0.0.1')
    })
    client = spawn('openssl', ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${inner.address().port}`, '-use_srtp', 'SRTP_AES128_CM_SHA1_80', '-cert', cert, '-key', key], { stdio: ['pipe', 'ignore', 'ignore'] })
    client.on('error', () => undefined)
    await within(connected, 'no DTLS handshake came about')
  } finally {
    client?.kill('SIGKILL')
    outer.close()
    inner.close()
  }
}

function within(promise, complaint) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), TIMEOUT_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** A binding request with short-term credentials that nominates this pair (RFC 8489, RFC 8445). */
function stunBinding({ usernameFragment, password }) {
  const attribute = (type, value) => {
    const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4)
    padded.writeUInt16BE(type, 0)
    padded.writeUInt16BE(value.length, 2)
    value.copy(padded, 4)
    return padded
  }
  const USERNAME = 0x0006
  const PRIORITY = 0x0024
  const USE_CANDIDATE = 0x0025
  const ICE_CONTROLLING = 0x802a
  const MESSAGE_INTEGRITY = 0x0008
  const FINGERPRINT = 0x8028
  const body = Buffer.concat([
    attribute(USERNAME, Buffer.from(`${usernameFragment}:check`)),
    attribute(PRIORITY, Buffer.from([0x6e, 0x7f, 0x1e, 0xff])),
    attribute(USE_CANDIDATE, Buffer.alloc(0)),
    attribute(ICE_CONTROLLING, randomBytes(8)),
  ])
  const header = Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), randomBytes(12)])
  const withLength = (extra) => {
    header.writeUInt16BE(body.length + extra, 2)
    return header
  }
  const integrity = attribute(MESSAGE_INTEGRITY, createHmac('sha1', password).update(withLength(24)).update(body).digest())
  const signed = Buffer.concat([Buffer.from(withLength(32)), body, integrity])
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE((crc32(signed) ^ 0x5354554e) >>> 0)
  return Buffer.concat([signed, attribute(FINGERPRINT, crc)])
}

function crc32(data) {
  let crc = 0xffffffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

check(process.argv[2]).then(
  () => process.exit(0),
  (error) => {
    console.error(error.message)
    process.exit(1)
  },
)
