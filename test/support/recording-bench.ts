/** Records with simulated time: a test sends media step by step, and examines the files. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, mock } from 'node:test'
import { findFfmpeg } from '../../scripts/ffmpeg.mjs'
import type {
  OutputEngine,
  OutputFile,
  OutputProblem,
  OutputRun,
  ParticipantRecordingConfig,
  TrackRecordingConfig,
} from '../../src/output/output.ts'
import type { RecorderOptions } from '../../src/output/tracks/recorder.ts'
import { brightness, loudAt, pictures, RtpWriter, sounds, vp8Payloads } from './recorded-media.ts'
import { createParticipantRecorder } from '../../src/output/tracks/create.ts'
import { ScriptedSource, ScriptedStream, type CodecName } from './scripted-source.ts'

/** Sends the media of one step of 20 ms. */
type Send = (elapsedMs: number) => void

const STEP_MS = 20
export const LOOP_MS = 5000
export const FRAME_MS = 100

/** Why recordings cannot be tested here; false if they can. */
export const skip = !findFfmpeg() && 'there is no ffmpeg'

/** Sets up the bench for each test of a file. */
export function benchOfTests(): RecordingBench {
  const bench = new RecordingBench()
  beforeEach(() => !skip && bench.open())
  afterEach(() => !skip && bench.close())
  return bench
}

class RecordingBench {
  folder = ''
  now = 0
  /** Video with a flash every five seconds, at the same time as a beep. */
  flashes: Buffer[] = []
  beeps: Buffer[] = []
  #producers = 0

  async open(): Promise<void> {
    if (this.flashes.length === 0) {
      const flash = "drawbox=c=white:t=fill:enable='between(t,1.95,2.05)'"
      this.flashes = pictures('vp8', 'color=black:s=64x64:r=10:d=5', ['-vf', flash])
      const beep = "aevalsrc='if(between(t,2,2.1),sin(2*PI*1000*t),0)':s=48000:d=5"
      this.beeps = sounds(beep).slice(0, 250)
    }
    this.folder = await mkdtemp(join(tmpdir(), 'anteroom-recorder-'))
    this.now = 1_760_000_000_000
    mock.timers.enable({ apis: ['setInterval'] })
  }

  async close(): Promise<void> {
    mock.timers.reset()
    await rm(this.folder, { recursive: true })
  }

  get options(): RecorderOptions {
    const warn = (fields: object, message: string) => assert.fail(`${message} ${JSON.stringify(fields)}`)
    return {
      ffmpeg: findFfmpeg(),
      log: { info: () => undefined, warn },
      now: () => this.now,
      elapsed: () => this.now,
      reserveBytes: 0,
    }
  }

  async pass(ms: number, ...sends: Send[]): Promise<void> {
    for (let step = 0; step < ms / STEP_MS; step++) {
      for (const send of sends) send(step * STEP_MS)
      this.now += STEP_MS
      mock.timers.tick(STEP_MS)
      // Lets files be written and taps be opened.
      if (step % 50 === 0) await new Promise(setImmediate)
    }
  }

  streamOf(
    kind: ScriptedStream['kind'],
    codec: CodecName,
    more: { ownerId?: string; appData?: object } = {},
  ): ScriptedStream {
    return new ScriptedStream({
      producerId: `producer ${++this.#producers}`,
      ownerId: 'ann',
      kind,
      codec,
      ...more,
    })
  }

  /** Starts to record Ann, who has a microphone and a camera. */
  async recordAnn() {
    const source = new ScriptedSource()
    const [mic, cam] = this.devices(source)
    const started = this.start(createParticipantRecorder(this.options), source, participantConfig())
    await new Promise(setImmediate)
    return { mic, cam, ...started }
  }

  /** Adds Ann's microphone and camera. */
  devices(source: ScriptedSource): [mic: ScriptedStream, cam: ScriptedStream] {
    return [source.add(this.streamOf('audio', 'audio')), source.add(this.streamOf('video', 'vp8'))]
  }

  /** Sends the beeps in a loop from the beginning. */
  voice(stream: Pick<ScriptedStream, 'send'>): Send {
    const writer = new RtpWriter({ ssrc: 1, payloadType: 100 })
    let count = 0
    return () => stream.send(writer.packets([this.beeps[count % 250]!], 4_294_900_000 + count++ * 960))
  }

  camera(stream: Pick<ScriptedStream, 'send'>, frames = this.flashes, payloads = vp8Payloads): Send {
    const writer = new RtpWriter({ ssrc: 2, payloadType: 101 })
    let count = 0
    return (elapsed) => {
      if (elapsed % FRAME_MS === 0)
        stream.send(
          writer.packets(payloads(frames[count % frames.length]!, count), 4_294_000_000 + count++ * 9000),
        )
    }
  }

  start<C>(engine: OutputEngine<C>, source: ScriptedSource, config: C): Started {
    const told: string[] = []
    const problems: OutputProblem[] = []
    const run = engine.start(
      { outputId: 'a'.repeat(24), folder: this.folder, source, config },
      {
        started: () => told.push('started'),
        playable: () => told.push('playable'),
        transcribed: () => told.push('transcribed'),
        ended: (problem) => problems.push(problem),
      },
    )
    return { run, told, problems }
  }

  pathOf(file: OutputFile): string {
    return join(this.folder, file.path)
  }
}

interface Started {
  run: OutputRun
  told: string[]
  problems: OutputProblem[]
}

export const participantConfig = (fileFormat: 'webm' | 'mp4' = 'webm'): ParticipantRecordingConfig => ({
  participantId: 'ann',
  fileFormat,
})
export const trackConfig = (
  kind: TrackRecordingConfig['kind'],
  fileFormat: TrackRecordingConfig['fileFormat'] = 'webm',
): TrackRecordingConfig => ({ participantId: 'ann', kind, fileFormat })

export const near = (actual: number, expected: number, within: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= within, `${what}: ${actual} and not ${expected} ± ${within}`)

/** The offset between each flash and its beep, in ms. */
export function clapOffsets(path: string): number[] {
  const lit = brightness(path).filter(({ luma }) => luma > 150)
  const loud = loudAt(path)
  assert.equal(lit.length, loud.length, `${lit.length} flashes and ${loud.length} beeps`)
  return lit.map(({ time }, at) => (loud[at]! - time) * 1000)
}

/** Like `clapOffsets`, for a busy machine that may lose a flash or a beep: only flashes with a beep near them. */
export function nearClapOffsets(path: string): number[] {
  const loud = loudAt(path)
  return brightness(path)
    .filter(({ luma }) => luma > 150)
    .flatMap(({ time }) => loud.map((at) => (at - time) * 1000).filter((ms) => Math.abs(ms) < 500))
}
