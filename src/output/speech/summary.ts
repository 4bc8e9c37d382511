/** Summarises a transcript with a language model. */
import type { OutputFile } from '../output.ts'
import { txtOf } from './texts.ts'
import { writeWhole, type Transcribed } from './transcript-files.ts'

export interface Summariser {
  summarise(text: string, prompt: string, signal: AbortSignal): Promise<string>
}

const PROMPT =
  'Summarise this transcript of a meeting in its own language: what was discussed, what was decided, and who does what next.'
/** About as much as current language models can read. */
const MOST_CHARACTERS = 400_000

/** Writes `summary.txt`, unless the transcript is empty. @throws {RecogniserError} */
export async function writeSummary(
  folder: string,
  { startedAt, endedAt, lines }: Transcribed,
  summariser: Summariser,
  prompt: string | undefined,
  signal: AbortSignal,
): Promise<OutputFile[]> {
  if (lines.length === 0) return []
  const text = txtOf(lines, startedAt).slice(0, MOST_CHARACTERS)
  const summary = await summariser.summarise(text, prompt || PROMPT, signal)
  const size = await writeWhole(folder, SUMMARY, `${summary}\n`)
  return [{ path: SUMMARY, type: 'text', contentType: 'text/plain; charset=utf-8', size, startedAt, endedAt }]
}

const SUMMARY = 'summary.txt'
