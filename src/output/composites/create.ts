/**
 * Composite recordings: the streams of several participants are recorded as they come, without transcoding, and laid out in one
 * picture by ffmpeg when the recording has stopped.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeComposite, type CompositePart } from '../jobs/composite.ts'
import type { PlacedMark } from '../jobs/job.ts'
import type { CompositeConfig, Mark, OutputEngine, OutputFile, OutputOrder } from '../output.ts'
import { Refusal } from '../../protocol/errors.ts'
import { createTrackRecorder } from '../tracks/create.ts'
import type { RecorderOptions } from '../tracks/recorder.ts'
import { CompositeRun, type Lane } from './run.ts'

/** One folder for each stream that is recorded, with what it is of. */
const TRACKS = 'tracks'
const LANE_FILE = 'lane.json'
const SPAN_FILE = 'span.json'
/** Not a file of the output: names that begin with a dot stay on this machine. */
const MADE_FILE = '.made.json'
/** How many messages of a topic are drawn: the newest ones. */
const MAX_MESSAGES = 200

interface Span {
  startedAt: number
  endedAt: number | null
}

export function createCompositeRecorder(options: RecorderOptions): OutputEngine<CompositeConfig> {
  const { ffmpeg, now, log } = options
  const tracks = createTrackRecorder(options)
  const runs = new Set<CompositeRun>()
  const closing = new AbortController()
  let drawing: Promise<unknown> = Promise.resolve()

  /** One after the other, as drawing takes all that a processor has left. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const made = drawing.then(work)
    drawing = made.catch(() => undefined)
    return made
  }

  const finish = (
    { folder, config }: Pick<OutputOrder<CompositeConfig>, 'folder' | 'config'>,
    lanes: readonly (Lane & { files: readonly OutputFile[] })[],
    { startedAt, endedAt }: Span,
  ): Promise<OutputFile[]> =>
    inTurn(async () => {
      const kept = lanes.flatMap(({ folder: of, files }) =>
        files.map((file) => ({ ...file, path: join(TRACKS, of, file.path) })),
      )
      const parts = lanes.flatMap(({ folder: of, files, participantId, name, kind }) =>
        files.map(({ path, ...file }): CompositePart => ({
          path: join(folder, TRACKS, of, path),
          startedAt: file.startedAt,
          endedAt: file.endedAt,
          owner: participantId,
          ownerName: name,
          isScreen: kind.startsWith('screen'),
        })),
      )
      if (parts.length === 0) return []
      try {
        const file = await makeComposite({
          ffmpegBin: ffmpeg!,
          folder,
          signal: closing.signal,
          parts,
          marks: await Promise.all(
            config.marks.map((mark, at) => placed(mark, startedAt, join(folder, messagesFile(at)))),
          ),
          startedAt,
          endedAt: endedAt ?? Math.max(...parts.map((part) => part.endedAt)),
          fileFormat: config.fileFormat,
        })
        // A server that is killed from here on finds the file at its next start.
        await writeFile(join(folder, MADE_FILE), JSON.stringify(file))
        for (const name of await readdir(folder))
          if (name !== file.path && name !== MADE_FILE)
            await rm(join(folder, name), { recursive: true, force: true })
        return [file]
      } catch (error) {
        // What was recorded is there still, and the next start draws it.
        if (closing.signal.aborted) throw new Refusal('SERVER_STOPPING', { cause: error })
        // Better files of another form than none.
        log.warn({ err: error }, 'failed to draw a composite recording')
        return kept
      }
    })

  return {
    unavailable:
      ffmpeg === undefined
        ? 'Composite recordings need ffmpeg on the server: install it, or set FFMPEG_BIN.'
        : undefined,
    start(order, listener) {
      const { folder } = order
      const startedAt = now()
      const spanFile = join(folder, SPAN_FILE)
      writeFileSync(spanFile, JSON.stringify({ startedAt, endedAt: null } satisfies Span))
      const run = new CompositeRun({
        order,
        listener,
        startTrack: (lane, trackOrder, trackListener) => {
          const place = join(folder, TRACKS, lane.folder)
          mkdirSync(place, { recursive: true })
          writeFileSync(join(place, LANE_FILE), JSON.stringify(lane))
          return tracks.start({ ...order, ...trackOrder, folder: place }, trackListener)
        },
        finish: (lanes) => {
          runs.delete(run)
          const span = { startedAt, endedAt: now() }
          writeFileSync(spanFile, JSON.stringify(span satisfies Span))
          return finish(order, lanes, span)
        },
        onError: (err) => log.warn({ err, outputId: order.outputId }, 'failed to finish a recording'),
      }).begin()
      runs.add(run)
      order.config.marks.forEach((mark, at) => {
        if (mark.type !== 'topic') return
        const file = join(folder, messagesFile(at))
        run.onEnd(
          order.source.listen(mark.topic, (message) => {
            try {
              appendFileSync(file, `${JSON.stringify(message)}\n`)
            } catch (err) {
              // It must not fail at the sender, whom everybody else has heard.
              log.warn(
                { err, outputId: order.outputId },
                'failed to keep a message for a composite recording',
              )
            }
          }),
        )
      })
      return run
    },
    async recover(order) {
      const { folder } = order
      const made = await readFile(join(folder, MADE_FILE), 'utf8').catch(() => undefined)
      if (made !== undefined) return [JSON.parse(made) as OutputFile]
      const span = JSON.parse(await readFile(join(folder, SPAN_FILE), 'utf8')) as Span
      const lanes = []
      for (const name of (await readdir(join(folder, TRACKS)).catch(() => [])).sort()) {
        const place = join(folder, TRACKS, name)
        const lane = await readFile(join(place, LANE_FILE), 'utf8')
          .then((text) => JSON.parse(text) as Lane)
          .catch((err: unknown) => {
            log.warn({ err, outputId: order.outputId }, 'failed to read of whom a stream is; it is left out')
          })
        // The process was killed before anything of this stream was written; the others are whole.
        if (!lane) continue
        const { participantId, kind } = lane
        const config = { participantId, kind, fileFormat: 'webm' as const }
        lanes.push({
          ...lane,
          files: await tracks.recover({ outputId: order.outputId, folder: place, config }),
        })
      }
      return finish(order, lanes, span)
    },
    async close() {
      closing.abort()
      await Promise.allSettled([...runs].map((run) => run.stop()))
      await tracks.close()
      await drawing
    },
  }
}

/** What is drawn for a mark: a clock counts from the beginning of the recording, a topic shows what was heard of it. */
async function placed(mark: Mark, startedAt: number, messages: string): Promise<PlacedMark> {
  if (mark.type === 'time') return { ...mark, startAt: mark.startAt ?? startedAt }
  if (mark.type !== 'topic') return mark
  const lines = (await readFile(messages, 'utf8').catch(() => '')).split('\n').slice(-MAX_MESSAGES - 1)
  return {
    type: 'messages',
    // The last line of a process that was killed may be half a line.
    messages: lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as { at: number; text: string }]
      } catch {
        return []
      }
    }),
  }
}

const messagesFile = (mark: number): string => `messages-${mark}.jsonl`
