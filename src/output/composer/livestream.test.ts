/** The targets of a livestream, and what remains of its key. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createServer, type Server } from 'node:tls'
import { promisify } from 'node:util'
import { generate } from 'selfsigned'
import { findFfmpeg } from '../../../scripts/ffmpeg.mjs'
import { forgetKeys, isUsableKey, LivestreamSink } from './livestream.ts'

const ffmpegBin = findFfmpeg()!
const skip = !ffmpegBin && 'ffmpeg is not installed'

let folder: string
let own: string
let caFile: string
let server: Server
let url: string
/** The first byte of each connection whose certificate was accepted. */
const received: number[] = []
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-livestream-'))
  own = await mkdtemp(join(folder, 'output-'))
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  caFile = join(folder, 'ca.pem')
  await writeFile(caFile, cert)
  server = createServer({ cert, key }, (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (bytes) => {
      received.push(bytes[0])
      socket.destroy()
    })
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  url = `rtmps://localhost:${(server.address() as AddressInfo).port}/live`
})
after(async () => {
  server.close()
  await rm(folder, { recursive: true })
})

/** One second of video and sound, as a browser produces it. */
async function media(): Promise<Buffer> {
  const inputs = ['color=s=64x64:r=10:d=1', 'anullsrc=r=48000:d=1'].flatMap((what) => [
    '-f',
    'lavfi',
    '-i',
    what,
  ])
  const output = ['-c:v', 'libx264', '-c:a', 'libopus', '-f', 'matroska', '-live', '1', 'pipe:1']
  const made = await promisify(execFile)(ffmpegBin, ['-v', 'error', ...inputs, ...output], {
    encoding: 'buffer',
  })
  return made.stdout
}

for (const [who, isTrusted] of [
  ['a server that nobody vouches for', false],
  ['a server that is vouched for', true],
] as const)
  test(
    `${who} gets ${isTrusted ? 'the stream' : 'nothing'} over TLS`,
    { skip, timeout: 60_000 },
    async () => {
      received.length = 0
      const lost = Promise.withResolvers<undefined>()
      const sink = new LivestreamSink({
        folder: own,
        ffmpegBin,
        targets: [{ url, streamKey: 'secret' }],
        log: { info: () => undefined, warn: () => lost.resolve(undefined) },
        ...(isTrusted && { caFile }),
      })
      sink.take({ bytes: await media(), isEntry: true }, Buffer.alloc(0))
      const [keyFile, ...more] = await readdir(own)
      assert.equal(more.length, 0)
      assert.equal((await stat(join(own, keyFile!))).mode & 0o777, 0o600)
      await lost.promise
      // A client sends the version of RTMP, 3, first.
      assert.deepEqual(received, isTrusted ? [3] : [])
      await sink.finish()
      assert.deepEqual(await readdir(own), [])
    },
  )

test('removes the keys that a killed process left, and nothing else', async () => {
  const left = await mkdtemp(join(folder, 'left-'))
  for (const name of ['target-0-1', 'target-1-12', 'recording.mp4']) await writeFile(join(left, name), '')
  await forgetKeys(left)
  assert.deepEqual(await readdir(left), ['recording.mp4'])
})

test('a key that cannot be passed to ffmpeg is refused', () => {
  assert.ok(isUsableKey('') && isUsableKey('a?b=c&d e/f') && isUsableKey('k'.repeat(900)))
  for (const key of ['k'.repeat(901), 'a\nrtmp_app=b', 'a\rb', 'a\0b', 'a\x7fb']) assert.ok(!isUsableKey(key))
})
