import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type {
  OutputEngine,
  OutputFile,
  OutputOrder,
  ParticipantRecordingConfig,
  TrackRecordingConfig,
} from '../output.ts'
import { Refusal } from '../../protocol/errors.ts'
import { convertFile } from './convert.ts'
import { ParticipantRun } from './participant.ts'
import { partFileOf, type PartFile } from './part.ts'
import type { RecorderOptions } from './recorder.ts'
import type { RecordingRun } from './run.ts'
import { repairFile } from './seal.ts'
import { TrackRun } from './track.ts'

/** Measures time with a clock that does not jump when the system's time is set. */
function steady({ elapsed = () => performance.now(), ...options }: RecorderOptions): RecorderOptions {
  const origin = options.now() - elapsed()
  return { ...options, now: () => origin + elapsed() }
}

type Config = ParticipantRecordingConfig | TrackRecordingConfig

export function createParticipantRecorder(
  options: RecorderOptions,
): OutputEngine<ParticipantRecordingConfig> {
  return recorder(options, (...args) => new ParticipantRun(...args))
}

export function createTrackRecorder(options: RecorderOptions): OutputEngine<TrackRecordingConfig> {
  return recorder(options, (...args) => new TrackRun(...args))
}

type Make<C extends Config> = (
  ...args: [
    ...Parameters<OutputEngine<C>['start']>,
    options: RecorderOptions,
    finish: (parts: PartFile[]) => Promise<OutputFile[]>,
  ]
) => RecordingRun<C>

function recorder<C extends Config>(options: RecorderOptions, make: Make<C>): OutputEngine<C> {
  const runs = new Set<RecordingRun<C>>()
  const closing = new AbortController()
  let converting: Promise<unknown> = Promise.resolve()
  /** Converts one file at a time, because conversion uses all free processor time. */
  const convert: Convert = (conversion) => {
    const made = converting.then(() =>
      convertFile(options.ffmpeg!, { ...conversion, signal: closing.signal }),
    )
    converting = made.catch(() => undefined)
    return made
  }
  const finish = ({ folder, config }: Pick<OutputOrder<C>, 'folder' | 'config'>, parts: PartFile[]) =>
    finishParts(parts, { folder, config, options, convert, signal: closing.signal })
  return {
    unavailable: undefined,
    start(order, listener) {
      if (order.config.fileFormat !== 'webm' && !options.ffmpeg)
        throw new Refusal('ADD_ON_SERVICES_DISABLED', {
          message: `Recordings in ${order.config.fileFormat} need ffmpeg on the server: install it, or ask for webm.`,
        })
      const run = make(order, listener, steady(options), async (parts) => {
        runs.delete(run)
        return finish(order, parts)
      }).begin()
      runs.add(run)
      return run
    },
    async recover(order) {
      const parts: PartFile[] = []
      for (const name of (await readdir(order.folder)).sort()) {
        const path = join(order.folder, name)
        if (name.endsWith('.part')) await rm(path)
        else if (/\.(webm|mkv)$/.test(name)) {
          const scan = await repairFile(path)
          if (scan) parts.push(await partFileOf(path, scan))
          else await rm(path)
        }
      }
      return finish(order, parts)
    },
    async close() {
      closing.abort()
      await Promise.allSettled([...runs].map((run) => run.stop()))
      await converting
    },
  }
}

type Convert = (conversion: Omit<Parameters<typeof convertFile>[1], 'signal'>) => Promise<PartFile>

/** Makes the requested files. A file that cannot be converted is returned as it was recorded. */
async function finishParts(
  parts: PartFile[],
  context: {
    folder: string
    config: Config
    options: RecorderOptions
    convert: Convert
    signal: AbortSignal
  },
): Promise<OutputFile[]> {
  const { config, options, folder, convert, signal } = context
  const files: OutputFile[] = []
  const replaced: string[] = []
  for (const part of parts) {
    let made = part
    if (config.fileFormat !== 'webm' && options.ffmpeg !== undefined) {
      try {
        made = await convert({ folder, part, to: config.fileFormat })
        replaced.push(part.name)
      } catch (error) {
        const why = signal.aborted ? 'the server stops' : 'ffmpeg failed'
        options.log.warn({ err: error, file: part.name }, `kept a recording unconverted, because ${why}`)
      }
    }
    files.push(outputFileOf(made, config.participantId))
  }
  // Deletes the sources after all conversions, so that a killed process can repeat them.
  for (const name of replaced) await rm(join(folder, name))
  return files
}

const FORMATS: Record<string, { video: string; audio: string; format: string }> = {
  webm: { video: 'video/webm', audio: 'audio/webm', format: 'matroska,webm' },
  mkv: { video: 'video/x-matroska', audio: 'audio/x-matroska', format: 'matroska,webm' },
  mp4: { video: 'video/mp4', audio: 'audio/mp4', format: 'mov,mp4,m4a,3gp,3g2,mj2' },
  mp3: { video: 'audio/mpeg', audio: 'audio/mpeg', format: 'mp3' },
}

function outputFileOf(part: PartFile, participantId: string): OutputFile {
  const extension = part.name.split('.').at(-1)!
  const type = part.hasVideo && extension !== 'mp3' ? 'video' : 'audio'
  const { format, ...contentTypes } = FORMATS[extension]!
  return {
    path: part.name,
    type,
    contentType: contentTypes[type],
    size: part.bytes,
    startedAt: part.startedAt,
    endedAt: part.endedAt,
    meta: {
      format,
      duration: (part.endedAt - part.startedAt) / 1000,
      ...(type === 'video' && part.size && { resolution: part.size }),
    },
    participantId,
  }
}
