/**
 * The transcript on disk. While it goes on, each line is appended to a journal, so that a killed process loses nothing but what
 * it was writing; the files are made from it at the end.
 */
import { open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputFile } from '../output.ts'
import { jsonOf, srtOf, tsvOf, txtOf, vttOf, type Line } from './texts.ts'

const JOURNAL = 'transcription.jsonl'

const kinds = [
  { extension: 'txt', of: txtOf, contentType: 'text/plain; charset=utf-8' },
  { extension: 'json', of: jsonOf, contentType: 'application/json' },
  { extension: 'srt', of: srtOf, contentType: 'application/x-subrip' },
  { extension: 'tsv', of: tsvOf, contentType: 'text/tab-separated-values; charset=utf-8' },
  { extension: 'vtt', of: vttOf, contentType: 'text/vtt' },
]

/** Lines that were said, and from when to when the transcript goes. */
export interface Transcribed {
  startedAt: number
  endedAt: number
  lines: Line[]
}

export class Journal {
  readonly #file: FileHandle
  readonly #lines: Line[] = []
  readonly #startedAt: number
  #written: Promise<void> = Promise.resolve()

  static async begin(folder: string, startedAt: number): Promise<Journal> {
    const file = await open(join(folder, JOURNAL), 'a')
    const journal = new Journal(file, startedAt)
    try {
      await journal.#append({ startedAt })
    } catch (error) {
      await file.close()
      throw error
    }
    return journal
  }

  private constructor(file: FileHandle, startedAt: number) {
    this.#file = file
    this.#startedAt = startedAt
  }

  /** Rejects where the disk does not take it; the line is in the files all the same. */
  add(line: Line): Promise<void> {
    this.#lines.push(line)
    return this.#append(line)
  }

  async end(endedAt: number): Promise<Transcribed> {
    await this.#written.catch(() => undefined)
    await this.#file.close()
    return { startedAt: this.#startedAt, endedAt, lines: this.#lines }
  }

  #append(entry: object): Promise<void> {
    const text = `${JSON.stringify(entry)}\n`
    this.#written = this.#written
      .catch(() => undefined)
      .then(async () => {
        await this.#file.appendFile(text)
        await this.#file.datasync()
      })
    return this.#written
  }
}

/** What a process left behind that was killed; undefined if it had not begun. */
export async function readTranscript(folder: string): Promise<Transcribed | undefined> {
  const journal = await readFile(join(folder, JOURNAL), 'utf8').catch(() => undefined)
  if (journal !== undefined) {
    // The last line may be torn.
    const [first, ...rest] = journal.split('\n').flatMap((line) => parsed(line) ?? [])
    const { startedAt } = (first ?? {}) as { startedAt?: number }
    if (typeof startedAt !== 'number') return undefined
    return withEnd(startedAt, rest as Line[])
  }
  // It was killed between making the files and telling of them.
  const made = await readFile(join(folder, 'transcription.json'), 'utf8').catch(() => undefined)
  const { startedAt, transcripts } = (parsed(made ?? '') ?? {}) as {
    startedAt?: number
    transcripts?: Line[]
  }
  return startedAt === undefined || !transcripts ? undefined : withEnd(startedAt, transcripts)
}

const withEnd = (startedAt: number, lines: Line[]): Transcribed => ({
  startedAt,
  endedAt: Math.max(startedAt, ...lines.map(({ endedAt }) => endedAt)),
  lines,
})

function parsed(text: string): object | undefined {
  try {
    return JSON.parse(text) as object
  } catch {
    return undefined
  }
}

/** Makes the files `transcription.txt` and so on, whole or not at all, and removes the journal. */
export async function writeTranscript(
  folder: string,
  { startedAt, endedAt, lines }: Transcribed,
): Promise<OutputFile[]> {
  const files: OutputFile[] = []
  for (const { extension, of, contentType } of kinds) {
    const path = `transcription.${extension}`
    files.push({
      path,
      type: 'text',
      contentType,
      size: await writeWhole(folder, path, of(lines, startedAt)),
      startedAt,
      endedAt,
    })
  }
  await rm(join(folder, JOURNAL), { force: true })
  return files
}

/** The size of the file. */
export async function writeWhole(folder: string, path: string, text: string): Promise<number> {
  const unfinished = join(folder, `${path}.part`)
  await writeFile(unfinished, text, { flush: true })
  await rename(unfinished, join(folder, path))
  return (await stat(join(folder, path))).size
}
