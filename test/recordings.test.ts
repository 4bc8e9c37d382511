/** A recording and HLS of a meeting on the real program, from the start over REST to the file that is fetched. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { findFfmpeg } from '../scripts/ffmpeg.mjs'
import { launchBrowser, Person } from './support/browser.ts'
import { colourAt, examineMedia, loudness } from './support/media-file.ts'
import { heldBy, type Held } from './support/leftovers.ts'
import { AppServer } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { Receiver } from './support/receiver.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const skip = !findFfmpeg() && 'ffmpeg is not installed'
const patient = { skip, timeout: 240_000 }
const RECORDED_MS = 5000
/** For what takes a moment, also on a machine that is five times slower. */
const SOON_MS = 20_000

let browser: Browser
let server: RealServer
let receiver: Receiver
let uploads: Awaited<ReturnType<typeof takeUpload>>
let ann: Person
let roomId: string
let folder: string
/** Before anything was recorded. */
let atFirst: Held
before(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'anteroom-recordings-'))
  browser = await launchBrowser()
  receiver = await Receiver.start()
  uploads = await takeUpload()
  server = await RealServer.start({ WEBHOOK_ALLOW_PRIVATE: 'true', OUTPUTS_ALLOW_PRIVATE: 'true' })
  ann = await Person.at(browser, 'Ann')
  await ann.start(server.url)
  roomId = await ann.page.evaluate('globalThis.anteroom.meeting.meetingId')
  atFirst = heldBy(server)
})
after(async () => {
  if (skip) return
  await browser.close()
  await server.stop()
  receiver.stop()
  uploads.close()
  await rm(folder, { recursive: true, force: true })
})

/** A store to which a recording is uploaded by an address that its starter had signed. */
async function takeUpload() {
  const arrived = Promise.withResolvers<{
    method: string | undefined
    url: string | undefined
    body: Buffer
  }>()
  const store = createServer((request, response) => {
    void buffer(request).then((body) => {
      response.end()
      arrived.resolve({ method: request.method, url: request.url, body })
    })
  }).listen(0, '127.0.0.1')
  await once(store, 'listening')
  const { port } = store.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, got: arrived.promise, close: () => store.close() }
}

const pause = (ms: number): Promise<void> => new Promise((next) => setTimeout(next, ms))

async function until<T>(ask: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    await pause(200)
  }
}

async function startRecording(more: object = {}): Promise<{ id: string; segment: string }> {
  const started = await server.rest('POST', '/v2/recordings/start', { roomId, ...more })
  assert.deepEqual([started.status, started.body], [200, 'Recording started successfully'])
  const { body } = await server.rest('GET', `/v2/recordings?roomId=${roomId}`)
  const [{ id, end, file }] = body.data
  assert.deepEqual([end, file], [null, null])
  const segment = join(server.env.DATA_DIR!, 'outputs', id, 'segments', '0001.mkv')
  await until(() => existsSync(segment))
  return { id, segment }
}

/** When it has ended. */
const recording = (id: string): Promise<any> =>
  until(async () => {
    const { body } = await server.rest('GET', `/v2/recordings/${id}`)
    return body.end !== null && body
  })

async function fetched(fileUrl: string, size: number): Promise<string> {
  const whole = Buffer.from(await (await fetch(fileUrl)).arrayBuffer())
  assert.equal(whole.length, size)
  const file = join(folder, 'fetched.mp4')
  await writeFile(file, whole)
  return file
}

/** Processes that have this in their command line. */
function processes(text: string): string[] {
  const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return all.filter((line) => line.includes(text) && !line.includes(' ps -eo'))
}

test('a recording is started and stopped over REST, and the file is fetched in parts', patient, async () => {
  const preSignedUrl = `${uploads.url}/film.mp4?signature=secret`
  const { id } = await startRecording({ preSignedUrl })
  assert.equal(await ann.page.evaluate('globalThis.anteroom.meeting.participants.size'), 0, 'it is not seen')
  const { body: session } = await server.rest('GET', `/v2/sessions?roomId=${roomId}`)
  assert.equal(session.data[0].participants.length, 1, 'it is not counted')
  await pause(RECORDED_MS)
  assert.equal((await server.rest('POST', '/v2/recordings/end', { roomId })).status, 200)
  const answeredAt = Date.now()
  const { start, end, file } = await recording(id)
  assert.ok(Date.parse(end) <= answeredAt, 'it ended when it was stopped, not when its file was ready')
  assert.ok(file.fileUrl.startsWith(`${server.url}/`), file.fileUrl)
  const part = await fetch(file.fileUrl, { headers: { range: 'bytes=0-99' } })
  assert.equal(part.status, 206)
  assert.equal((await part.arrayBuffer()).byteLength, 100)
  const path = await fetched(file.fileUrl, file.size)
  const { seconds, frames, codecs, errors } = await examineMedia(path)
  assert.deepEqual([codecs, errors], [['h264', 'aac'], ''])
  const lasted = (Date.parse(end) - Date.parse(start)) / 1000
  assert.ok(Math.abs(seconds - lasted) < 0.5, `${seconds} s of ${lasted} s`)
  assert.ok(Math.abs(file.meta.duration - seconds) < 0.1)
  // A busy machine drops frames.
  assert.ok(frames > 5 && frames < seconds * 31, `${frames} frames`)
  const [red, green, blue] = await colourAt(path, 3, { x: 0.4, y: 0.2, width: 0.2, height: 0.2 })
  assert.ok(
    green > 60 && green > red + 20 && green > blue + 20,
    `the fake camera is green: ${red} ${green} ${blue}`,
  )
  const { method, url, body } = await uploads.got
  assert.deepEqual([method, url], ['PUT', '/film.mp4?signature=secret'])
  assert.ok(body.equals(await readFile(path)), 'what was uploaded is the file')
  assert.ok(!server.output.includes('signature=secret'))
})

test('HLS is started over REST, watched, pictured and ended', patient, async () => {
  const { status, body } = await server.rest('POST', '/v2/hls/start', { roomId })
  assert.equal(status, 200)
  const text = async (url: string): Promise<string | undefined> => {
    const answer = await fetch(url)
    return answer.ok ? answer.text() : undefined
  }
  const playlist = await until(() => text(body.playbackHlsUrl))
  const segment = /^[^#].*$/m.exec(playlist)![0]
  for (const url of [body.livestreamUrl, new URL(segment, body.playbackHlsUrl).href]) {
    const answer = await fetch(url, { headers: { origin: 'https://app.example.org' } })
    assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [200, '*'])
  }
  const from = performance.now()
  const pictured = await server.rest('POST', '/v2/hls/capture', { roomId, width: 320, format: 'jpg' })
  assert.deepEqual([pictured.status, pictured.body.meta?.width], [200, 320], JSON.stringify(pictured.body))
  assert.ok(performance.now() - from < SOON_MS, 'a picture is taken at once')
  assert.equal((await fetch(pictured.body.filePath)).headers.get('content-type'), 'image/jpeg')
  const { body: active } = await server.rest('GET', `/v2/hls/${roomId}/active`)
  assert.equal(active.data.id, body.id)
  assert.equal((await server.rest('POST', '/v2/hls/end', { roomId })).body, 'HLS ended successfully')
  const endedAt = performance.now()
  await until(async () => (await text(body.playbackHlsUrl))?.includes('#EXT-X-ENDLIST'))
  assert.ok(performance.now() - endedAt < SOON_MS)
  await until(async () => (await server.rest('GET', `/v2/hls/${body.id}`)).body.end)
  assert.equal((await server.rest('GET', `/v2/hls/${roomId}/active`)).status, 404)
})

/** A page of a caller's with the published client, which shows the cameras under a band of its own. */
const template = `<!doctype html><body style="margin:0;background:#fff"><div style="height:120px;background:#f0f"></div>
<script src="/1.1.1/videosdk.js"></script><script type="module">
const asked = Object.fromEntries(new URLSearchParams(location.search))
const { VideoSDK } = window
VideoSDK.config(asked.token)
const meeting = VideoSDK.initMeeting({ meetingId: asked.meetingId, participantId: asked.participantId, name: 'Recorder',
  micEnabled: false, webcamEnabled: false, signalingBaseUrl: asked.signalingBaseUrl })
const show = ({ kind, track }) => {
  const element = document.createElement(kind === 'video' ? 'video' : 'audio')
  element.autoplay = true
  element.muted = kind === 'video'
  element.style.width = '100%'
  element.srcObject = new MediaStream([track])
  document.body.append(element)
}
meeting.on('participant-joined', (one) => {
  one.on('stream-enabled', show)
  one.streams.forEach(show)
})
meeting.join()
</script>`

test("a page of the caller's is recorded, joined with the published client", patient, async (t) => {
  const app = await AppServer.start({ '/template': template })
  t.after(() => app.stop())
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
  const query = new URLSearchParams({
    token,
    meetingId: roomId,
    signalingBaseUrl: server.secureUrl.replace('https://', ''),
  })
  const { id } = await startRecording({ templateUrl: `${app.url}/template?${query.toString()}` })
  await pause(RECORDED_MS)
  assert.equal(await ann.page.evaluate('globalThis.anteroom.meeting.participants.size'), 0, 'it is not seen')
  assert.equal((await server.rest('POST', '/v2/recordings/end', { roomId })).status, 200)
  const { file } = await recording(id)
  const path = await fetched(file.fileUrl, file.size)
  assert.deepEqual((await examineMedia(path)).codecs, ['h264', 'aac'])
  const band = await colourAt(path, 3, { x: 0.4, y: 0.02, width: 0.2, height: 0.1 })
  assert.ok(band[0] > 180 && band[1] < 80 && band[2] > 180, `the band is magenta: ${band.join(' ')}`)
  const [red, green, blue] = await colourAt(path, 3, { x: 0.4, y: 0.4, width: 0.2, height: 0.1 })
  assert.ok(
    green > 60 && green > red + 20 && green > blue + 20,
    `the camera is green: ${red} ${green} ${blue}`,
  )
  assert.ok((await loudness(path)) > -40, 'the microphone is heard')
})

test('outputs that have ended leave nothing behind', patient, async () => {
  // `npm run attack:outputs` does it fifty times.
  for (const path of ['recordings', 'hls', 'livestreams']) {
    const outputs = [{ url: 'rtmp://127.0.0.1:1/live', streamKey: 'key' }]
    assert.equal((await server.rest('POST', `/v2/${path}/start`, { roomId, outputs })).status, 200)
    assert.equal((await server.rest('POST', `/v2/${path}/end`, { roomId })).status, 200)
    await until(
      async () => (await server.rest('GET', `/v2/${path}?roomId=${roomId}`)).body.data[0].end !== null,
    )
  }
  let now = heldBy(server)
  const isClean = (): boolean =>
    now.processes === atFirst.processes &&
    // Some calls of this test keep their sockets.
    now.descriptors <= atFirst.descriptors + 10 &&
    now.folders.every((name) => atFirst.folders.includes(name))
  const by = performance.now() + SOON_MS
  while (!isClean() && performance.now() < by) {
    await pause(200)
    now = heldBy(server)
  }
  assert.ok(isClean(), JSON.stringify({ atFirst, now }))
})

test(
  'a recording of a server that is killed is finished by the next start, and nothing is left',
  patient,
  async () => {
    const { id } = await startRecording({ webhookUrl: `http://127.0.0.1:${receiver.port}/told` })
    await pause(RECORDED_MS)
    const browsers = join(server.env.DATA_DIR!, 'browsers')
    const [name] = readdirSync(browsers)
    const temporary = join(tmpdir(), `anteroom-${name}`)
    assert.ok(processes(browsers).length > 0 && existsSync(temporary))
    await server.end('SIGKILL')
    await until(() => processes(browsers).length === 0)
    await server.run()
    const { file } = await recording(id)
    const { seconds, codecs, errors } = await examineMedia(await fetched(file.fileUrl, file.size))
    assert.deepEqual([codecs, errors], [['h264', 'aac'], ''])
    assert.ok(seconds > RECORDED_MS / 1000 - 2, `${seconds} s`)
    const { body } = await until(() =>
      receiver.hooks.find(({ body }) => body.webhookType === 'recording-stopped'),
    )
    assert.equal(body.data.fileUrl, file.fileUrl)
    assert.ok(!existsSync(browsers) && !existsSync(temporary))
    assert.deepEqual(readdirSync(join(server.env.DATA_DIR!, 'outputs', id)), ['recording.mp4'])
  },
)
