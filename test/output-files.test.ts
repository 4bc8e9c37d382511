/** Files of outputs and jobs in a store that speaks S3: OpenStack Swift, which checks each signature. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { after, before, test } from 'node:test'
import { findFfmpeg } from '../scripts/ffmpeg.mjs'
import { openStore } from '../src/store/open.ts'
import type { OutputKind, OutputRecord } from '../src/store/store.ts'
import { colorAt, makeMedia } from './support/made-media.ts'
import { near } from './support/recording-bench.ts'
import { decodeErrors, probe } from './support/recorded-media.ts'
import { RealServer } from './support/real-server.ts'
import { S3Server, withoutS3 } from './support/s3-server.ts'

const skip = withoutS3
const run = promisify(execFile)
const cli = join(import.meta.dirname, '../src/cli.ts')

let s3: S3Server
let server: RealServer
let meetingId: string
before(async () => {
  if (skip) return
  s3 = await S3Server.make()
  server = await RealServer.start({ ...s3.settings('meetings'), LOG_LEVEL: 'info' })
  meetingId = await server.createMeeting()
})
after(async () => {
  if (skip) return
  await server.stop()
  await s3.stop()
})

let made = 0
const folderOf = (outputId: string): string => join(server.env.DATA_DIR!, 'outputs', outputId)

/** An output that ended, as an engine leaves it: rows and files. The server must not run. */
async function left(
  kind: OutputKind,
  files: Record<string, Buffer | string>,
  config: Record<string, unknown> = {},
): Promise<OutputRecord> {
  const folder = server.env.DATA_DIR!
  const store = await openStore({ folder, url: server.env.DATABASE_URL })
  const meeting = (await store.meetings.get(meetingId))!
  const outputId = randomBytes(12).toString('hex')
  for (const [path, content] of Object.entries(files)) {
    const file = join(folderOf(outputId), path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  const [first, content] = Object.entries(files)[0]!
  const output: OutputRecord = {
    outputId,
    kind,
    projectId: meeting.projectId,
    meetingId,
    sessionId: 'aaaaaaaaaaaaaaaaaaaaaaaa',
    participantId: null,
    config,
    secret: randomBytes(12).toString('hex'),
    baseUrl: server.url,
    webhookUrl: null,
    apiKey: null,
    state: 'stopped',
    createdAt: Date.now() - 10_000,
    startedAt: Date.now() - 9000,
    endedAt: Date.now() - 1000 + made++,
    files: [
      {
        fileId: randomBytes(12).toString('hex'),
        path: first,
        type: 'video',
        contentType: 'video/mp4',
        size: Buffer.byteLength(content),
        startedAt: 1,
        endedAt: 2,
      },
    ],
    storedAt: null,
  }
  await store.outputs.create(output)
  await store.close()
  return output
}

/** A job that ended, of an output, with its file. The server must not run. */
async function leftJob(output: OutputRecord, path: string, content: string): Promise<Owner> {
  const store = await openStore({ folder: server.env.DATA_DIR!, url: server.env.DATABASE_URL })
  const jobId = randomBytes(12).toString('hex')
  const { projectId, sessionId, secret, baseUrl, endedAt, files } = output
  mkdirSync(folderOf(jobId), { recursive: true })
  writeFileSync(join(folderOf(jobId), path), content)
  await store.jobs.create({
    jobId,
    kind: 'post-transcription',
    projectId,
    meetingId,
    sessionId,
    outputId: output.outputId,
    config: { dirPath: 'team/texts' },
    inputs: [],
    secret,
    baseUrl,
    webhookUrl: null,
    apiKey: null,
    state: 'completed',
    createdAt: 1,
    startedAt: 2,
    endedAt,
    files: [{ ...files[0]!, path, type: 'text', size: content.length }],
    problem: null,
    storedAt: null,
  })
  await store.close()
  return { outputId: jobId, secret }
}

/** What has files: an output, or a job by its id. */
type Owner = Pick<OutputRecord, 'outputId' | 'secret'>
const addressOf = ({ outputId, secret }: Owner, path: string): string =>
  `${server.url}/outputs/${outputId}/${secret}/${path}`
const get = (output: Owner, path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(addressOf(output, path), { headers, method })
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`${what} did not happen: ${server.output.slice(-2000)}`)
    await delay(25)
  }
}
const isStored = (output: Owner) => until('storing', () => !existsSync(folderOf(output.outputId)))

const big = randomBytes(40 * 2 ** 20)
const small = randomBytes(100_000)
let recording: OutputRecord
let other: OutputRecord
let hls: OutputRecord
let long: OutputRecord
let text: Owner

test('a store that is away keeps no server from starting, and files stay here', { skip }, async () => {
  await server.end()
  recording = await left('recording', { 'recording.mp4': small }, { dirPath: 'team/a', transcription: {} })
  text = await leftJob(recording, 'transcription.txt', 'Ann: good morning')
  other = await left('recording', { 'recording.mp4': 'another one' }, { dirPath: 'team/a' })
  hls = await left('hls', {
    'index.m3u8': '#EXTM3U\n#EXTINF:1,\nrun-0001-00000.ts\n#EXT-X-ENDLIST\n',
    'run-0001-00000.ts': randomBytes(5000),
    'run-0001.list': 'for the server alone',
    'half.mp4.part': 'half of something',
  })
  await server.run()
  await until('the log line', () => /keep files on this machine.*cannot be reached/.test(server.output))
  const part = await get(recording, 'recording.mp4', { range: 'bytes=10-19' })
  assert.equal(part.status, 206)
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), small.subarray(10, 20))
  assert.equal(server.output.includes(s3.secretAccessKey), false)
})

test('what has ended goes to the store, and its address stays', { skip }, async () => {
  await server.end()
  await s3.run()
  await server.run()
  await Promise.all([recording, other, hls, text].map(isStored))
  assert.deepEqual(
    await s3.keys(),
    [
      ...[`${hls.outputId}/index.m3u8`, `${hls.outputId}/run-0001-00000.ts`, `${hls.outputId}/run-0001.list`],
      ...[recording, other].map(({ outputId }) => `team/a/${outputId}/recording.mp4`),
      `team/texts/${text.outputId}/transcription.txt`,
    ]
      .map((key) => `meetings/${key}`)
      .sort(),
  )

  const whole = await get(recording, 'recording.mp4')
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), small)
  assert.equal(whole.headers.get('content-type'), 'video/mp4')
  assert.equal(whole.headers.get('content-length'), String(small.length))
  assert.equal(whole.headers.get('accept-ranges'), 'bytes')
  const playlist = await get(hls, 'index.m3u8', { origin: 'https://player.example' })
  assert.equal(playlist.headers.get('access-control-allow-origin'), '*')
  assert.equal(playlist.headers.get('content-type'), 'application/vnd.apple.mpegurl')
  assert.match(await playlist.text(), /#EXT-X-ENDLIST/)
  assert.equal((await get(hls, 'run-0001-00000.ts')).status, 200)
  const said = await get(text, 'transcription.txt', { range: 'bytes=5-8' })
  assert.deepEqual(
    [said.status, said.headers.get('content-range'), await said.text()],
    [206, 'bytes 5-8/17', 'good'],
  )
})

test('ranges of a stored file', { skip }, async () => {
  const rows: [range: string, status: number, from: number, to: number][] = [
    ['bytes=0-0', 206, 0, 0],
    ['bytes=99990-', 206, 99_990, 99_999],
    ['bytes=-7', 206, 99_993, 99_999],
    ['bytes=99990-200000', 206, 99_990, 99_999],
    ['bytes=5-2', 200, 0, 99_999],
    ['bytes=0-1,5-6', 200, 0, 99_999],
    ['lines=1-2', 200, 0, 99_999],
  ]
  for (const [range, status, from, to] of rows) {
    const answer = await get(recording, 'recording.mp4', { range })
    assert.equal(answer.status, status, range)
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), small.subarray(from, to + 1), range)
    assert.equal(answer.headers.get('content-range'), status === 206 ? `bytes ${from}-${to}/100000` : null)
  }
  const behind = await get(recording, 'recording.mp4', { range: 'bytes=100000-' })
  assert.equal(behind.status, 416)
  assert.equal(behind.headers.get('content-range'), 'bytes */100000')
  const head = await get(recording, 'recording.mp4', {}, 'HEAD')
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, '100000'])
})

test('a stored file is not given out by another address', { skip }, async () => {
  const { outputId, secret } = recording
  for (const path of [
    `${outputId}/${other.secret}/recording.mp4`,
    `${outputId}/${secret}/other.mp4`,
    `${outputId}/${secret}/../${other.outputId}/recording.mp4`,
    `${outputId}/${secret}/%2e%2e/${other.outputId}/recording.mp4`,
    `${hls.outputId}/${hls.secret}/run-0001.list`,
  ])
    assert.equal((await fetch(`${server.url}/outputs/${path}`)).status, 404, path)
})

test('a server that is killed while it uploads leaves nothing half, and goes on', { skip }, async () => {
  await server.end()
  long = await left('recording', { 'recording.mp4': big })
  await server.run()
  await until('an upload in parts', async () => {
    const uploads = await s3.client.listMultipartUploads('/', '', 'GET', {
      prefix: `meetings/${long.outputId}`,
    })
    return JSON.stringify(uploads).includes(long.outputId)
  })
  await server.end('SIGKILL')
  assert.deepEqual(await s3.keys(`meetings/${long.outputId}/`), [])
  await server.run()
  await isStored(long)
  const answer = await get(long, 'recording.mp4')
  assert.equal(sha(Buffer.from(await answer.arrayBuffer())), sha(big))
  const uploads = await s3.client.listMultipartUploads('/', '', 'GET', { prefix: 'meetings/' })
  assert.equal(JSON.stringify(uploads).includes(long.outputId), false)
})

test('a store that goes away answers with a sentence, and is used again', { skip }, async () => {
  await s3.end()
  const away = await get(recording, 'recording.mp4')
  assert.equal(away.status, 503)
  assert.match(((await away.json()) as { message: string }).message, /store of files cannot be read now/)
  await s3.run()
  assert.equal((await get(recording, 'recording.mp4')).status, 200)
})

test('deleting a recording deletes its objects, and those of its text', { skip }, async () => {
  const { status } = await server.rest('DELETE', `/v2/recordings/${recording.outputId}`)
  assert.equal(status, 200)
  assert.equal((await get(recording, 'recording.mp4')).status, 404)
  await until('deleting', async () => (await s3.keys(`meetings/team/a/${recording.outputId}`)).length === 0)
  assert.equal((await get(text, 'transcription.txt')).status, 404)
  await until('deleting the text', async () => (await s3.keys('meetings/team/texts/')).length === 0)
  assert.equal((await get(other, 'recording.mp4')).status, 200)
})

/** A job of this output, when it is over. */
async function converted(hlsId: string, storage?: object): Promise<any> {
  const started = await server.rest('POST', '/v2/transcodings/hls-to-mp4', { hlsId, storage })
  assert.equal(started.status, 200, JSON.stringify(started.body))
  let job = started.body
  await until('the job', async () => {
    job = (await server.rest('GET', `/v2/transcodings/${started.body.id}`)).body
    return job.stoppedAt !== null
  })
  return job
}

test(
  'HLS of the store becomes an MP4 where the caller wants it, and pictures',
  { skip: skip || (!findFfmpeg() && 'there is no ffmpeg') },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'anteroom-hls-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    makeMedia(folder, 'index.m3u8', { color: 'red', tone: 300, seconds: 36 })
    const files = Object.fromEntries(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]),
    )
    assert.ok(Object.keys(files).length > 2, 'it has segments')
    await server.end()
    const made = await left('hls', { 'index.m3u8': files['index.m3u8']!, ...files }, { dirPath: 'team/a' })
    await server.run()
    await isStored(made)
    const borrowed = join(server.env.DATA_DIR!, 'borrowed')

    for (const storage of [{ type: 's3', bucket: 'another' }, { type: 'blob' }])
      assert.equal(
        (await server.rest('POST', '/v2/transcodings/hls-to-mp4', { hlsId: made.outputId, storage })).status,
        400,
      )
    const { id, status, file } = await converted(made.outputId, {
      type: 's3',
      bucket: s3.bucket,
      dirPath: 'films/2026',
    })
    assert.equal(status, 'completed')
    await isStored({ outputId: id, secret: '' })
    assert.deepEqual(await s3.keys('meetings/films/'), [`meetings/films/2026/${id}/hls.mp4`])
    const film = join(folder, 'fetched.mp4')
    writeFileSync(film, Buffer.from(await (await fetch(file.fileUrl)).arrayBuffer()))
    assert.equal(decodeErrors(film), '')
    near(probe(film).duration, 36, 0.5, 'duration')
    assert.ok(colorAt(film, 30, 160, 90)[0] > 200)
    assert.deepEqual(readdirSync(borrowed), [], 'no copy is left')

    const capture = (more: object) =>
      server.rest('POST', '/v2/hls/capture', { roomId: meetingId, width: 160, format: 'png', ...more })
    for (const time of [20, null]) {
      const { status, body } = await capture({ time })
      assert.deepEqual([status, body.meta?.width], [200, 160], JSON.stringify(body))
      const answer = await fetch(body.filePath)
      assert.equal(answer.headers.get('content-type'), 'image/png')
      const picture = join(folder, 'picture.png')
      writeFileSync(picture, Buffer.from(await answer.arrayBuffer()))
      assert.ok(colorAt(picture, 0, 80, 45)[0] > 200)
      assert.ok(
        (await s3.keys(`meetings/team/a/${made.outputId}/thumbnails/`)).some((key) =>
          key.endsWith(body.fileName),
        ),
      )
    }
    assert.equal((await capture({ time: 60 })).status, 404)
    assert.equal(existsSync(folderOf(made.outputId)), false)
    assert.deepEqual(readdirSync(borrowed), [])

    await server.end()
    server.env.DISK_RESERVE_MEGABYTES = '10000000'
    await server.run()
    const full = await converted(made.outputId)
    assert.deepEqual([full.status, full.message], ['failed', 'The disk has no room for it.'])
    assert.equal((await capture({})).status, 503)
    assert.deepEqual(readdirSync(borrowed), [])
    delete server.env.DISK_RESERVE_MEGABYTES
  },
)

test('doctor tries the store, and says in one sentence what is wrong', { skip }, async () => {
  const doctor = async (env: Record<string, string>): Promise<string> => {
    const printed = await run(process.execPath, [cli, 'doctor'], { env: { ...server.env, ...env } }).catch(
      (error: unknown) => error as { stdout: string },
    )
    return printed.stdout.split('\n').find((line) => line.includes(' files '))!
  }
  assert.match(await doctor({}), /✓ files .*s3:\/\/recordings\/meetings/)
  assert.match(
    await doctor({ FILES_SECRET_ACCESS_KEY: 'wrong' }),
    /✗ files .*refuses the access key.*FILES_ACCESS_KEY_ID/,
  )
  assert.match(
    await doctor({ FILES_URL: `s3://absent?endpoint=${s3.endpoint}` }),
    /✗ files .*no bucket absent/,
  )
  assert.deepEqual(await s3.keys('meetings/anteroom'), [])
})
