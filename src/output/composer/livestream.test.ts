/** The targets of a livestream, and what remains of its key. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createServer, type Server } from 'node:tls'
import { promisify } from 'node:util'
import { generate } from 'selfsigned'
import { findFfmpeg } from '../../../scripts/ffmpeg.mjs'
import { examineMedia } from '../../../test/support/media-file.ts'
import { hasRtmpServer, RtmpServer } from '../../../test/support/rtmp-server.ts'
import { forgetKeys, isUsableKey, LivestreamSink, placeOf } from './livestream.ts'

const ffmpegBin = findFfmpeg()!
const skip = !ffmpegBin && 'ffmpeg is not installed'

let folder: string
let own: string
let caFile: string
let server: Server
let url: string
/** The port of a server in the clear, to which all goes on. */
let onward: number | undefined
/** The first byte of each connection that the other side trusts. */
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
    if (onward !== undefined) {
      const other = connect(onward, '127.0.0.1')
      other.on('error', () => undefined)
      socket.pipe(other).pipe(socket)
      return
    }
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

/** Takes the same media until an ffmpeg was started, which waits until the server is looked up. */
async function feed(sink: LivestreamSink): Promise<string> {
  const bytes = await media()
  for (;;) {
    sink.take({ bytes, isEntry: true }, init)
    const [keyFile, ...more] = await readdir(own)
    assert.equal(more.length, 0)
    if (keyFile !== undefined) return join(own, keyFile)
    await new Promise((next) => setTimeout(next, 20))
  }
}

const init = Buffer.alloc(0)
const everywhere = (): boolean => true

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
        mayReach: everywhere,
        log: { info: () => undefined, warn: () => lost.resolve(undefined) },
        ...(isTrusted && { caFile }),
      })
      const keyFile = await feed(sink)
      assert.equal((await stat(keyFile)).mode & 0o777, 0o600)
      await lost.promise
      // A client sends the version of RTMP, 3, first.
      assert.deepEqual(received, isTrusted ? [3] : [])
      await sink.finish()
      assert.deepEqual(await readdir(own), [])
    },
  )

test(
  'a server gets a stream over TLS, under the key that it was given',
  { skip: skip || (!hasRtmpServer && 'nginx has no RTMP module'), timeout: 60_000 },
  async (t) => {
    const rtmp = await RtmpServer.start()
    t.after(() => rtmp.stop())
    onward = rtmp.port
    t.after(() => (onward = undefined))
    const log = { info: () => undefined, warn: () => undefined }
    for (const [to, streamKey, key] of [
      [url, 'secret', 'secret'],
      [`${url}/whole`, '', 'whole'],
    ] as const) {
      const targets = [{ url: to, streamKey }]
      const sink = new LivestreamSink({ folder: own, ffmpegBin, targets, mayReach: everywhere, log, caFile })
      await feed(sink)
      await sink.finish()
      assert.deepEqual((await examineMedia(rtmp.recorded(key))).codecs.sort(), ['aac', 'h264'])
    }
  },
)

test('a name that leads inside gets nothing, and is looked up again', { skip }, async () => {
  received.length = 0
  const warned = Promise.withResolvers<string>()
  const sink = new LivestreamSink({
    folder: own,
    ffmpegBin,
    targets: [{ url, streamKey: 'secret' }],
    mayReach: () => false,
    log: { info: () => undefined, warn: (_fields, message) => warned.resolve(message) },
    caFile,
  })
  sink.take({ bytes: await media(), isEntry: true }, init)
  assert.match(await warned.promise, /found no address/)
  sink.take({ bytes: await media(), isEntry: true }, init)
  await sink.finish()
  assert.deepEqual([received, await readdir(own)], [[], []])
})

for (const [url, streamKey, app, playpath] of [
  ['rtmp://host/live', 'key', 'live', 'key'],
  ['rtmp://host/app/instance/', 'key', 'app/instance', 'key'],
  ['rtmp://host/app/instance', 'a?b=c', 'app/instance', 'a?b=c'],
  ['rtmp://host/live/key', '', 'live', 'key'],
  ['rtmp://host/app/instance/key?x=1', '', 'app/instance', 'key?x=1'],
  ['rtmp://host/live?x=1', 'key', 'live?x=1', 'key'],
  ['rtmp://host/live', '', 'live', ''],
] as const)
  test(`${url} with ${streamKey || 'no key'} is ${playpath || 'no stream'} of ${app}`, () => {
    const place = placeOf(url, streamKey)
    assert.deepEqual([place.app, place.playpath], [app, playpath])
  })

test('a livestream goes to the port that is usual, or to the one that was given', () => {
  const portOf = (url: string): string => placeOf(url, 'key').port
  assert.deepEqual(['rtmp://host/live', 'rtmps://host/live', 'rtmps://host:1443/live'].map(portOf), [
    '1935',
    '443',
    '1443',
  ])
  assert.equal(placeOf('rtmp://ann:word@host/live', '').credentials, 'ann:word@')
})

test('keys that a killed process left are removed, and nothing else', async () => {
  const left = await mkdtemp(join(folder, 'left-'))
  for (const name of ['target-0-1', 'target-1-12', 'recording.mp4']) await writeFile(join(left, name), '')
  await forgetKeys(left)
  assert.deepEqual(await readdir(left), ['recording.mp4'])
})

test('a key that cannot be passed to ffmpeg is refused', () => {
  assert.ok(isUsableKey('') && isUsableKey('a?b=c&d e/f') && isUsableKey('k'.repeat(900)))
  for (const key of ['k'.repeat(901), 'a\nrtmp_app=b', 'a\rb', 'a\0b', 'a\x7fb']) assert.ok(!isUsableKey(key))
})
