/** What is made of a meeting by a browser of the server's: files, HLS and RTMP, opened and looked at. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { existsSync, readlinkSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { findChromium } from '../scripts/chromium.mjs'
import { findFfmpeg } from '../scripts/ffmpeg.mjs'
import { createComposer, type Composer, type ComposerOptions } from '../src/output/composer/create.ts'
import type { OutputFile, OutputListener, OutputProblem, OutputSource } from '../src/output/output.ts'
import { compositionOf, type CompositionConfig } from '../src/protocol/outputs.ts'
import { launchBrowser, Person } from './support/browser.ts'
import { colourAt, examineMedia, loudness } from './support/media-file.ts'
import { RealServer } from './support/real-server.ts'
import { hasRtmpServer, RtmpServer } from './support/rtmp-server.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const ffmpegBin = findFfmpeg()
const skip = !ffmpegBin && 'ffmpeg is not installed'
/** From the start of a browser on a machine that is much slower until media flow. */
const PATIENCE_MS = 150_000

const patient = { skip, timeout: PATIENCE_MS }

let browser: Browser
let server: RealServer
let ann: Person
let meetingId: string
let folder: string
let composer: Composer
before(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'anteroom-composer-'))
  composer = newComposer()
  browser = await launchBrowser()
  server = await RealServer.start()
  ann = await Person.at(browser, 'Ann')
  await ann.start(server.url)
  const bob = await Person.at(browser, 'Bob')
  await bob.open(await ann.invite('direct'))
  await bob.seesAndHears(1)
  meetingId = await ann.page.evaluate('globalThis.anteroom.meeting.meetingId')
})
after(async () => {
  if (skip) return
  await closeAll()
  await browser.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

// What a test that failed left running is none of the next one's.
afterEach(async () => {
  if (!skip) await closeAll()
})

async function closeAll(): Promise<void> {
  for (const engine of [composer.recording, composer.hls, composer.livestream]) await engine.close()
}

function newComposer(more: Pick<ComposerOptions, 'freeBytes'> = {}): Composer {
  const silent = (): void => undefined
  return createComposer({
    chromiumBin: findChromium(),
    ffmpegBin,
    folder: join(folder, 'browsers'),
    pageUrl: () => server.url.replace('localhost', '127.0.0.1'),
    isRoot: process.getuid?.() === 0,
    guard: { mayReach: () => true, inside: () => undefined, ownKeys: () => [] },
    newName: () => randomBytes(6).toString('hex'),
    now: Date.now,
    maxCompositions: undefined,
    cores: 2,
    diskReserveBytes: 10_000_000,
    log: { info: silent, warn: silent },
    ...more,
  })
}

const source = (): OutputSource => ({
  projectId: 'project',
  meetingId,
  sessionId: 'session',
  participants: () => [],
  watch: () => () => undefined,
  listen: () => () => undefined,
  openSeat: () =>
    Promise.resolve({
      participantId: `recorder-${randomBytes(4).toString('hex')}`,
      token: signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] }),
      close: () => undefined,
    }),
})

/** Hears an output. */
class Heard implements OutputListener {
  readonly hasStarted: Promise<void>
  readonly isPlayable: Promise<void>
  readonly problem: Promise<OutputProblem>
  files: readonly OutputFile[] = []
  /** When the first of what it has was captured, by `performance.now()`. */
  startedAt = 0
  #start!: () => void
  playable!: () => void
  #end!: (problem: OutputProblem) => void
  transcribed = (): void => undefined

  constructor() {
    this.hasStarted = new Promise((resolve) => (this.#start = resolve))
    this.isPlayable = new Promise((resolve) => (this.playable = resolve))
    this.problem = new Promise((resolve) => (this.#end = resolve))
  }

  started(sinceMs = 0): void {
    this.startedAt = performance.now() - sinceMs
    this.#start()
  }

  ended(problem: OutputProblem, files: readonly OutputFile[] = []): void {
    this.files = files
    this.#end(problem)
  }

  /** @throws what it ended with */
  async until(what: Promise<void>): Promise<void> {
    await Promise.race([
      what,
      this.problem.then(({ message, cause }) => {
        throw new Error(message, { cause })
      }),
    ])
  }
}

async function order<Config>(config: Config) {
  const outputId = randomBytes(12).toString('hex')
  const own = join(folder, outputId)
  await mkdir(own)
  return { outputId, folder: own, source: source(), config }
}

const file = (config: CompositionConfig = {}, fileFormat: 'mp4' | 'webm' = 'mp4') =>
  order({ ...compositionOf(config), fileFormat })

const seconds = (count: number): Promise<void> => new Promise((next) => setTimeout(next, count * 1000))

/** Processes whose command line has this in it. */
function processes(text: string): number[] {
  try {
    const pids = execFileSync('pgrep', ['-f', '--', text], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number)
    return pids.filter((pid) => existsSync(`/proc/${pid}`))
  } catch {
    return []
  }
}

/** Of each, its first process. */
function mainBrowsers(): number[] {
  return processes(`user-data-dir=${folder}`).filter((pid) => {
    const args = execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
    return args.includes('remote-debugging-pipe') && !args.includes('--type=')
  })
}

test(
  'a recording has the pictures and the sound of all, for as long as it went on',
  { skip, timeout: PATIENCE_MS },
  async () => {
    const [heard, made] = [new Heard(), await file()]
    const run = composer.recording.start(made, heard)
    await heard.until(heard.hasStarted)
    await seconds(8)
    const lasted = (performance.now() - heard.startedAt) / 1000
    const [saved, ...others] = (await run.stop()) as [OutputFile]
    assert.deepEqual(others, [])
    assert.deepEqual([saved.type, saved.contentType], ['video', 'video/mp4'])
    const path = join(made.folder, saved.path)
    const facts = await examineMedia(path)
    assert.deepEqual(facts.codecs, ['h264', 'aac'])
    assert.deepEqual([facts.width, facts.height], [1280, 720])
    assert.equal(facts.errors, '')
    assert.ok(Math.abs(facts.seconds - lasted) < 0.5, `${facts.seconds} s of ${lasted} s`)
    assert.ok(facts.frames > 10, `${facts.frames} frames`)
    assert.ok((await loudness(path)) > -40, 'it is heard')
    // The fake camera is green; Ann is on the left, Bob on the right.
    for (const x of [0.1, 0.85]) {
      const [red, green, blue] = await colourAt(path, 4, { x, y: 0.45, width: 0.1, height: 0.1 })
      assert.ok(green > 60 && green > red + 20 && green > blue + 20, `${red} ${green} ${blue} at ${x}`)
    }
    assert.deepEqual(await readdir(made.folder), [saved.path], 'nothing is left beside the file')
    // What players need is in front of what they play.
    const bytes = await readFile(path)
    assert.ok(bytes.indexOf('moov') < bytes.indexOf('mdat'))
  },
)

test(
  'a recording goes on when its browser dies or hangs, and is one file',
  { skip, timeout: PATIENCE_MS },
  async () => {
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      const [heard, made] = [new Heard(), await file({ quality: 'low' })]
      const run = composer.recording.start(made, heard)
      await heard.until(heard.hasStarted)
      await seconds(4)
      const [before] = mainBrowsers()
      const from = performance.now()
      process.kill(before!, signal)
      const segments = join(made.folder, 'segments')
      while ((await readdir(segments)).length < 2) await seconds(0.1)
      const gap = (performance.now() - from) / 1000
      await seconds(4)
      assert.ok(!existsSync(`/proc/${before}`), 'it is gone')
      const [saved] = (await run.stop()) as [OutputFile]
      const facts = await examineMedia(join(made.folder, saved.path))
      assert.deepEqual(facts.codecs, ['h264', 'aac'])
      assert.equal(facts.errors, '')
      assert.ok(
        facts.seconds > 7 && facts.seconds < 8 + gap,
        `${facts.seconds} s, ${gap} s of them without a browser`,
      )
    }
  },
)

test(
  'HLS goes on in a new run when its ffmpeg is killed; all of it is played, and the recording beside it is whole',
  { skip, timeout: PATIENCE_MS },
  async () => {
    const heard = new Heard()
    const made = await order({ ...compositionOf({ quality: 'low' }), record: true })
    const run = composer.hls.start(made, heard)
    await heard.until(heard.isPlayable)
    const playlist = (): Promise<string> => readFile(join(made.folder, 'index.m3u8'), 'utf8')
    const count = async (run: string): Promise<number> => (await playlist()).split(`${run}-`).length - 1
    const [segmenter] = processes('run-0001.list').filter(
      (pid) => readlinkSync(`/proc/${pid}/cwd`) === made.folder,
    )
    process.kill(segmenter!, 'SIGKILL')
    while ((await count('run-0002')) < 3) await seconds(0.1)
    assert.ok(!existsSync(`/proc/${segmenter}`), 'it is gone')
    const [first, second] = [await count('run-0001'), await count('run-0002')]
    const files = await run.stop()
    assert.deepEqual(
      files.map(({ path }) => path),
      ['index.m3u8', 'live.m3u8', 'recording.mp4'],
    )
    const text = await playlist()
    assert.equal(text.split('#EXT-X-DISCONTINUITY\n').length - 1, 1)
    assert.match(text, /#EXT-X-ENDLIST\n$/)
    const [whole, kept] = await Promise.all(
      ['index.m3u8', 'recording.mp4'].map((name) => examineMedia(join(made.folder, name))),
    )
    for (const { codecs, errors } of [whole!, kept!])
      assert.deepEqual([codecs, errors], [['h264', 'aac'], ''])
    // Segments are of about a second; what the killed one held is lost to HLS alone.
    assert.ok(whole!.seconds > (first + second) * 0.8, `${whole!.seconds} s of ${first + second} segments`)
    assert.ok(kept!.seconds > whole!.seconds - 0.5, `${kept!.seconds} s, ${whole!.seconds} s of them in HLS`)
  },
)

test(
  'a recording ends by itself at the disk reserve, and can be played; one that begins there ends too',
  { skip, timeout: PATIENCE_MS },
  async (t) => {
    let free = 1e12
    const usual = composer
    composer = newComposer({ freeBytes: () => Promise.resolve(free) })
    t.after(async () => {
      await closeAll()
      composer = usual
    })
    const [heard, made] = [new Heard(), await file({ quality: 'low' })]
    composer.recording.start(made, heard)
    await heard.until(heard.hasStarted)
    await seconds(3)
    free = 10_000_000
    const { reason } = await heard.problem
    assert.equal(reason, 'disk-full')
    const [saved] = heard.files as [OutputFile]
    assert.deepEqual(await readdir(made.folder), [saved.path])
    const facts = await examineMedia(join(made.folder, saved.path))
    assert.deepEqual([facts.codecs, facts.errors], [['h264', 'aac'], ''])
    assert.ok(facts.seconds > 2.5, `${facts.seconds} s`)
    const none = new Heard()
    composer.recording.start(await file({ quality: 'low' }), none)
    assert.equal((await none.problem).reason, 'disk-full')
  },
)

test('one composition too many is refused, and one that looks alike shares', patient, async () => {
  const first = new Heard()
  const made = await file({ quality: 'low', layout: { type: 'SIDEBAR' } })
  const run = composer.recording.start(made, first)
  const code = { code: 'RECORDING_LIMIT' }
  const [another, alike] = [await file({ quality: 'high' }), await file()]
  assert.throws(() => composer.recording.start(another, new Heard()), code)
  assert.deepEqual(await readdir(another.folder), [])
  const heard = new Heard()
  const second = composer.recording.start(alike, heard)
  await heard.until(heard.hasStarted)
  assert.equal(mainBrowsers().length, 1)
  await seconds(3)
  await run.stop()
  await seconds(2)
  const [saved] = (await second.stop()) as [OutputFile]
  const facts = await examineMedia(join(alike.folder, saved.path))
  assert.deepEqual([facts.width, facts.height], [854, 480], 'it has what there was')
  assert.ok(facts.seconds > 3, 'it goes on without the first')
})

test(
  'HLS and two livestreams come from one browser; a dead RTMP server stops nothing and is tried again',
  { skip: skip || (!hasRtmpServer && 'nginx has no RTMP module'), timeout: 2 * PATIENCE_MS },
  async (t) => {
    const rtmp = await RtmpServer.start()
    const late = await RtmpServer.start()
    await late.end()
    t.after(() => Promise.all([rtmp.stop(), late.stop()]))
    const hls = new Heard()
    const made = await order({ ...compositionOf({ quality: 'low' }), record: true })
    const run = composer.hls.start(made, hls)
    const live = new Heard()
    const sent = await order({
      ...compositionOf({ quality: 'low' }),
      record: false,
      targets: [
        { url: late.url, streamKey: 'late-key' },
        { url: rtmp.url, streamKey: 'secret-key' },
      ],
    })
    const streams = composer.livestream.start(sent, live)
    await live.until(live.hasStarted)
    await hls.until(hls.isPlayable)
    assert.equal(mainBrowsers().length, 1)
    assert.deepEqual(processes('secret-key'), [], 'no command line shows the key')

    const seen = await readBack(rtmp, 'secret-key')
    assert.deepEqual(seen.codecs, ['h264', 'aac'])
    assert.ok(seen.frames > 10)
    await late.run()
    const again = await readBack(late, 'late-key')
    assert.deepEqual(again.codecs, ['h264', 'aac'])

    const site = await serve(made.folder)
    t.after(() => site.close())
    const address = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
    const viewer = await browser.newContext()
    const page = await viewer.newPage()
    await page.goto(`${address}/`)
    await page.addScriptTag({
      content: await readFile(new URL(import.meta.resolve('hls.js/dist/hls.min.js')), 'utf8'),
    })
    for (const playlist of ['index.m3u8', 'live.m3u8']) {
      const played = await page.evaluate(async (url) => {
        const video = document.createElement('video')
        document.body.append(video)
        const { Hls } = globalThis as any
        const hls = new Hls({ lowLatencyMode: true })
        hls.loadSource(url)
        hls.attachMedia(video)
        await video.play()
        const sound = new AudioContext()
        const meter = sound.createAnalyser()
        sound.createMediaElementSource(video).connect(meter)
        const samples = new Float32Array(meter.fftSize)
        let loudest = 0
        const from = { at: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames }
        for (let i = 0; i < 400 && (video.currentTime < from.at + 3 || loudest < 0.01); i++) {
          await new Promise((next) => setTimeout(next, 100))
          meter.getFloatTimeDomainData(samples)
          loudest = Math.max(loudest, ...samples.map(Math.abs))
        }
        const frames = video.getVideoPlaybackQuality().totalVideoFrames - from.frames
        // What is seen now was captured then.
        const behind = (Date.now() - Number(hls.playingDate)) / 1000
        const result = { seconds: video.currentTime - from.at, frames, loudest, behind }
        hls.destroy()
        video.remove()
        return result
      }, `${address}/${playlist}`)
      t.diagnostic(`${playlist}: ${JSON.stringify(played)}`)
      assert.ok(played.frames > 10, `${playlist}: ${played.frames} frames`)
      assert.ok(played.loudest >= 0.01, `${playlist} is heard`)
    }
    await viewer.close()

    await streams.stop()
    const from = performance.now()
    const files = await run.stop()
    t.diagnostic(`finished within ${Math.round((performance.now() - from) / 1000)} s`)
    assert.deepEqual(
      files.map(({ path }) => path),
      ['index.m3u8', 'live.m3u8', 'recording.mp4'],
    )
    for (const name of ['index.m3u8', 'live.m3u8'])
      assert.match(await readFile(join(made.folder, name), 'utf8'), /#EXT-X-ENDLIST\n$/)
    const [whole, kept] = await Promise.all(
      ['index.m3u8', 'recording.mp4'].map((name) => examineMedia(join(made.folder, name))),
    )
    assert.equal(whole!.errors, '')
    assert.deepEqual(kept!.codecs, ['h264', 'aac'])
    assert.ok(Math.abs(whole!.seconds - kept!.seconds) < 0.5, `${whole!.seconds} s, ${kept!.seconds} s`)
  },
)

async function readBack({ url }: RtmpServer, key: string) {
  const out = join(folder, `${key}.mkv`)
  for (let tries = 0; ; tries++) {
    try {
      const args = [
        '-v',
        'error',
        '-rw_timeout',
        '8000000',
        '-i',
        `${url}/${key}`,
        '-t',
        '3',
        '-c',
        'copy',
        '-y',
        out,
      ]
      await promisify(execFile)('ffmpeg', args, { timeout: 30_000 })
      return await examineMedia(out)
    } catch (error) {
      if (tries > 10) throw error
      await seconds(1)
    }
  }
}

async function serve(root: string): Promise<Server> {
  const site = createServer((request, response) => {
    const name = basename(request.url ?? '/')
    response.setHeader('access-control-allow-origin', '*')
    if (name === '')
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>player</title>')
    else
      readFile(join(root, name)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      )
  })
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  return site
}

test(
  'sound alone is recorded without a picture, and WebM as WebM',
  { skip, timeout: 2 * PATIENCE_MS },
  async () => {
    for (const [config, format, codecs] of [
      [{ mode: 'audio' }, 'mp4', ['aac']],
      [{ quality: 'low', orientation: 'portrait' }, 'webm', ['vp8', 'opus']],
    ] as const) {
      const [heard, made] = [new Heard(), await file(config, format)]
      const run = composer.recording.start(made, heard)
      await heard.until(heard.hasStarted)
      await seconds(3)
      const lasted = (performance.now() - heard.startedAt) / 1000
      const [saved] = (await run.stop()) as [OutputFile]
      assert.equal(saved.path, `recording.${format}`)
      const facts = await examineMedia(join(made.folder, saved.path))
      assert.deepEqual(facts.codecs, codecs)
      assert.ok(facts.seconds > lasted - 0.5, `${format}: ${facts.seconds} s of ${lasted} s`)
      assert.ok(facts.seconds < lasted + 0.5, `${format}: ${facts.seconds} s of ${lasted} s`)
      if (format === 'webm') assert.deepEqual([facts.width, facts.height], [480, 854])
    }
  },
)

test('nothing of it is left: no process, no folder of a browser', { skip }, async () => {
  await composer.recording.close()
  assert.deepEqual(processes(join(folder, 'browsers')), [])
  assert.deepEqual(await readdir(join(folder, 'browsers')), [])
  composer = newComposer()
})

test('what a killed process left becomes a file', { skip, timeout: PATIENCE_MS }, async () => {
  const [heard, made] = [new Heard(), await file()]
  composer.recording.start(made, heard)
  await heard.until(heard.hasStarted)
  await seconds(3)
  // Cut off in the middle of a frame, as a kill leaves it.
  const left = await order(made.config)
  const bytes = await readFile(join(made.folder, 'segments', '0001.mkv'))
  await mkdir(join(left.folder, 'segments'))
  await writeFile(join(left.folder, 'segments', '0001.mkv'), bytes.subarray(0, bytes.length - 777))
  const [saved] = (await composer.recording.recover(left)) as [OutputFile]
  const facts = await examineMedia(join(left.folder, saved.path))
  assert.deepEqual(facts.codecs, ['h264', 'aac'])
  assert.ok(facts.seconds > 1.5, `${facts.seconds} s`)
  await composer.recording.close()
})
