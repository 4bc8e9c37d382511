/** Speech through the real media server to a real recogniser: what was said comes back, with who said it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { createSfu } from '../src/media/create.ts'
import type { Router, Sfu } from '../src/media/sfu.ts'
import type {
  OutputFile,
  OutputProblem,
  OutputSource,
  OutputWatcher,
  SourceStream,
  Transcript,
} from '../src/output/output.ts'
import { createTranscriber } from '../src/output/speech/transcriber.ts'
import { freePorts } from './support/ports.ts'
import { noSpeech, play, speak, startSpeechServer, type SpeechServer } from './support/speech.ts'

const KEY = 'sk-secret-of-the-test'
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const skip = noSpeech || (locateWorker() ? false : 'no media worker is installed')

/** A session with microphones that play WAV files. */
class Stage {
  readonly #router: Router
  readonly #watchers = new Set<OutputWatcher>()
  readonly #streams: SourceStream[] = []
  readonly source: OutputSource = {
    projectId: 'p',
    meetingId: 'm',
    sessionId: 's',
    participants: () => [],
    watch: (watcher) => {
      this.#watchers.add(watcher)
      for (const stream of this.#streams) watcher.offer(stream)
      return () => this.#watchers.delete(watcher)
    },
    listen: () => () => undefined,
    openSeat: () => assert.fail('a transcription needs no seat'),
  }

  constructor(router: Router) {
    this.#router = router
  }

  get offered(): number {
    return this.#streams.length
  }

  get watched(): boolean {
    return this.#watchers.size > 0
  }

  tell(notification: Parameters<OutputWatcher['tell']>[0]): void {
    for (const watcher of this.#watchers) watcher.tell(notification)
  }

  /** Unmutes, says what is in the file, and mutes. */
  async say(
    owner: { id: string; name: string },
    wav: string,
    appData: Record<string, unknown> = {},
    lossPercent = 0,
  ): Promise<void> {
    const ssrc = this.#streams.length + 1000
    const ingress = await this.#router.openIngress({
      kind: 'audio',
      rtpParameters: {
        codecs: [
          { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: {} },
        ],
        encodings: [{ ssrc }],
      },
    })
    const producerId = ingress.producer.id
    const stream: SourceStream = {
      producerId,
      ownerId: owner.id,
      ownerName: owner.name,
      kind: 'audio',
      appData,
      open: (options) => this.#router.openTap({ producerId, ...options }),
    }
    this.#streams.push(stream)
    for (const watcher of this.#watchers) watcher.offer(stream)
    await play(wav, ssrc, (packet, index) => {
      if (lossPercent === 0 || (index * 37) % 100 >= lossPercent) ingress.send(packet)
    })
    this.#streams.splice(this.#streams.indexOf(stream), 1)
    for (const watcher of this.#watchers) watcher.withdraw(producerId)
    ingress.close()
  }
}

describe('the engine of transcriptions', { skip }, () => {
  let sfu: Sfu
  let speech: SpeechServer
  let folder: string
  const ann = { id: 'ann', name: 'Ann' }
  const ben = { id: 'ben', name: 'Ben' }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'anteroom-transcription-'))
    speech = await startSpeechServer()
    sfu = await createSfu({
      workerBin: locateWorker()!.bin,
      workers: 1,
      firstPort: await freePorts(1),
      listenAddress: '127.0.0.1',
    })
    await Promise.all([
      speak('umbrella yellow garden', join(folder, 'ann.wav')),
      speak('banana telephone', join(folder, 'ben.wav')),
    ])
  })
  after(async () => {
    await sfu.close()
    await speech.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function begin(context: TestContext, config = {}, url = speech.url) {
    const router = await sfu.openRouter()
    const stage = new Stage(router)
    const engine = createTranscriber({
      endpoint: { url, apiKey: KEY, model: 'pocketsphinx' },
      summaryModel: 'parrot',
      now: Date.now,
      random: Math.random,
      log,
    })
    const own = await mkdtemp(join(folder, 'output-'))
    context.after(async () => {
      await engine.close()
      router.close()
    })
    const heard: Transcript[] = []
    const started = Promise.withResolvers<undefined>()
    const ended = Promise.withResolvers<{ problem: OutputProblem; files: OutputFile[] }>()
    const order = { outputId: '0'.repeat(24), folder: own, source: stage.source, config }
    const run = engine.start(order, {
      started: () => started.resolve(undefined),
      playable: () => assert.fail('a transcription is not playable'),
      transcribed: (transcript) => void heard.push(transcript),
      ended: (problem, files) => ended.resolve({ problem, files }),
    })
    await started.promise
    const read = (name: string): Promise<string> => readFile(join(own, name), 'utf8')
    return { stage, run, heard, own, read, engine, ended: ended.promise }
  }

  test('two participants at once: the words of each, the times, and the files', async (context) => {
    const { stage, run, heard, own, read } = await begin(context, { summary: {} })
    const before = Date.now()
    await Promise.all([stage.say(ann, join(folder, 'ann.wav')), stage.say(ben, join(folder, 'ben.wav'))])
    const files = await run.stop()

    const said = Object.fromEntries(heard.map(({ participantId, text }) => [participantId, text]))
    assert.deepEqual(said, { ann: 'umbrella yellow garden', ben: 'banana telephone' })
    assert.deepEqual(new Set(heard.map(({ id }) => id)).size, 2)
    for (const { participantName, type, timestamp } of heard) {
      assert.equal(type, 'final')
      assert.match(participantName, /^(Ann|Ben)$/)
      // Each begins to speak a second after the microphone is on, which itself takes a moment.
      const after = timestamp - before
      assert.ok(after > 500 && after < 10_000, `said ${after} ms after the beginning`)
    }
    assert.deepEqual(
      files.map(({ path }) => path),
      [
        'transcription.txt',
        'transcription.json',
        'transcription.srt',
        'transcription.tsv',
        'transcription.vtt',
        'summary.txt',
      ],
    )
    const txt = await read('transcription.txt')
    assert.match(txt, /^\[00:00:0\d\] Ann: umbrella yellow garden$/m)
    assert.match(txt, /^\[00:00:0\d\] Ben: banana telephone$/m)
    assert.equal(files[0]!.size, Buffer.byteLength(txt))
    assert.match(
      await read('transcription.vtt'),
      /^WEBVTT\n\n00:00:0\d\.\d{3} --> 00:00:0\d\.\d{3}\n<v (Ann|Ben)>/,
    )
    assert.match(await read('transcription.srt'), /^1\n00:00:0\d,\d{3} --> /)
    assert.match(await read('summary.txt'), /^They said: .*Ann: umbrella yellow garden/s)
    assert.equal(JSON.parse(await read('transcription.json')).transcripts.length, 2)
    assert.deepEqual(
      (await readdir(own)).sort(),
      files.map(({ path }) => path).sort(),
      'nothing else is left',
    )
    assert.ok(speech.asked.every(({ authorization }) => authorization === `Bearer ${KEY}`))
    assert.equal(await run.stop(), files)
  })

  test('uses the new name of a participant, tolerates lost packets, and ignores encrypted streams', async (context) => {
    const { stage, run, heard } = await begin(context)
    const speaking = stage.say(ann, join(folder, 'ann.wav'), {}, 3)
    const encrypted = stage.say(ben, join(folder, 'ben.wav'), { isEncrypted: true })
    while (stage.offered < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    stage.tell({
      method: 'peerDisplayNameChanged',
      peerId: 'ann',
      displayName: 'Anna',
      oldDisplayName: 'Ann',
    })
    await Promise.all([speaking, encrypted])
    await run.stop()
    assert.deepEqual(
      heard.map(({ participantId, participantName }) => [participantId, participantName]),
      [['ann', 'Anna']],
    )
    assert.match(heard[0]!.text, /umbrella|yellow|garden/)
  })

  test('the files are made from the journal that a killed process left', async (context) => {
    const { stage, heard, own, read, engine } = await begin(context)
    await stage.say(ann, join(folder, 'ann.wav'))
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    const journal = await read('transcription.jsonl')
    const left = await mkdtemp(join(folder, 'left-'))
    await writeFile(join(left, 'transcription.jsonl'), `${journal}{"id":"9","text":"torn`)
    const recovered = await engine.recover({ outputId: '0'.repeat(24), folder: left, config: {} })
    assert.deepEqual(
      recovered.map(({ path }) => path),
      [
        'transcription.txt',
        'transcription.json',
        'transcription.srt',
        'transcription.tsv',
        'transcription.vtt',
      ],
    )
    const txt = await readFile(join(left, 'transcription.txt'), 'utf8')
    assert.match(txt, /^\[00:00:0\d\] Ann: umbrella yellow garden\n$/)
    // Killed once more, before anybody was told of the files.
    const again = await engine.recover({ outputId: '0'.repeat(24), folder: left, config: {} })
    assert.deepEqual(again, recovered)
    assert.equal(await readFile(join(left, 'transcription.txt'), 'utf8'), txt)
    assert.deepEqual(
      await engine.recover({ outputId: '1'.repeat(24), folder: await mkdtemp(join(own, 'e-')), config: {} }),
      [],
    )
  })

  test('a refused key ends the transcription with a reason', async (context) => {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(401).end(KEY))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    context.after(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
    const { stage, run, heard, ended } = await begin(context, {}, url)
    await stage.say(ann, join(folder, 'ann.wav'))
    const { problem, files } = await ended
    assert.deepEqual(
      [problem.reason, problem.message],
      ['failed', 'The transcription endpoint answered 401: TRANSCRIPTION_API_KEY is refused.'],
    )
    assert.equal(files[0]!.path, 'transcription.txt')
    assert.equal(heard.length, 0)
    assert.equal(stage.watched, false)
    assert.equal(await run.stop(), files)
  })
})

test('an engine without a recogniser says what to set', () => {
  const options = { summaryModel: undefined, now: Date.now, random: Math.random, log }
  const { unavailable } = createTranscriber({ endpoint: undefined, ...options })
  assert.match(unavailable!, /TRANSCRIPTION_URL/)
})
