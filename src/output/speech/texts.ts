/** A transcript as files: for people, for programs, and as subtitles. */

/** What one participant said without a pause, or what was said in a recording, with nobody named. Instants in ms since the epoch. */
export interface Line {
  id: string
  participantId: string
  participantName: string
  text: string
  timestamp: number
  endedAt: number
}

/** What has a space for each line break and control character, so that it stays on its line. */
const flat = (text: string): string => text.replace(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim()

/** `00:01:05`, of time since the beginning. */
function clock(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000)
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':')
}

const withMs = (ms: number, point: string): string =>
  `${clock(ms)}${point}${String(Math.max(0, Math.round(ms)) % 1000).padStart(3, '0')}`

const speakerOf = ({ participantName, participantId }: Line): string => participantName || participantId

const spoken = (line: Line, escape = flat): string => {
  const speaker = speakerOf(line)
  return `${speaker === '' ? '' : `${escape(speaker)}: `}${escape(line.text)}`
}

const byTime = (lines: readonly Line[]): Line[] =>
  [...lines].sort((one, other) => one.timestamp - other.timestamp)

/** One line for each: `[00:01:05] Name: what was said`. */
export function txtOf(lines: readonly Line[], startedAt: number): string {
  return byTime(lines)
    .map((line) => `[${clock(line.timestamp - startedAt)}] ${spoken(line)}\n`)
    .join('')
}

export function jsonOf(lines: readonly Line[], startedAt: number): string {
  return `${JSON.stringify({ startedAt, transcripts: byTime(lines) }, null, 2)}\n`
}

/** Tab-separated, with times in ms since the beginning, as Whisper writes it. */
export function tsvOf(lines: readonly Line[], startedAt: number): string {
  const rows = byTime(lines).map((line) => {
    const [from, to] = [line.timestamp - startedAt, line.endedAt - startedAt]
    return `${Math.max(0, Math.round(from))}\t${Math.max(0, Math.round(to))}\t${spoken(line)}\n`
  })
  return `start\tend\ttext\n${rows.join('')}`
}

/** SubRip. */
export function srtOf(lines: readonly Line[], startedAt: number): string {
  const escape = (text: string): string => flat(text).replaceAll('-->', '->')
  return byTime(lines)
    .map((line, index) => `${index + 1}\n${spanOf(line, startedAt, ',')}\n${spoken(line, escape)}\n\n`)
    .join('')
}

/** WebVTT, with the speakers as voices. */
export function vttOf(lines: readonly Line[], startedAt: number): string {
  const escape = (text: string): string =>
    flat(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const cues = byTime(lines).map((line) => {
    const speaker = escape(speakerOf(line))
    const voice = speaker === '' ? '' : `<v ${speaker}>`
    return `${spanOf(line, startedAt, '.')}\n${voice}${escape(line.text)}\n\n`
  })
  return `WEBVTT\n\n${cues.join('')}`
}

function spanOf({ timestamp, endedAt }: Line, startedAt: number, point: string): string {
  return `${withMs(timestamp - startedAt, point)} --> ${withMs(endedAt - startedAt, point)}`
}
