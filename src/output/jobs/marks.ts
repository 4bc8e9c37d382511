/** What is written over a picture: images, texts, times, messages. Pure. */
import type { PlacedMark } from './job.ts'

/** A file that ffmpeg reads. Texts are read from files, as no other way keeps their characters from being syntax. */
export interface MarkFile {
  name: string
  content: Buffer
}

export interface DrawnMarks {
  /** Filters of one chain after the other: each takes `[from]` and gives `[to]`. */
  filters: string[]
  files: MarkFile[]
  /** The label of the picture with all of them. */
  last: string
}

const MAX_TEXT_LENGTH = 200
/** Of the width of the picture. */
const IMAGE_SHARE = 0.15
const MARGIN = 16

/** Marks go into the corners, from the lower right one on. */
const CORNERS = [
  { x: `W-w-${MARGIN}`, y: `H-h-${MARGIN}`, textX: `w-tw-${MARGIN}`, textY: `h-th-${MARGIN}` },
  { x: `${MARGIN}`, y: `H-h-${MARGIN}`, textX: `${MARGIN}`, textY: `h-th-${MARGIN}` },
  { x: `W-w-${MARGIN}`, y: `${MARGIN}`, textX: `w-tw-${MARGIN}`, textY: `${MARGIN}` },
] as const

/** @param beginsAt when the picture begins, ms since the epoch */
export function drawMarks(
  marks: readonly PlacedMark[],
  { width, height, beginsAt, from }: { width: number; height: number; beginsAt: number; from: string },
): DrawnMarks {
  const filters: string[] = []
  const files: MarkFile[] = []
  let last = from
  const step = (filter: (to: string) => string): void => {
    const to = `mark${filters.length}`
    filters.push(filter(to))
    last = to
  }
  const write = (content: string | Buffer, ending: string): string => {
    const name = `mark-${files.length}.${ending}`
    files.push({ name, content: Buffer.from(content as string) })
    return name
  }
  const size = Math.max(14, Math.round(height / 30))
  marks.slice(0, CORNERS.length).forEach((mark, at) => {
    const corner = CORNERS[at]!
    const text = (file: string, more = ''): void =>
      step(
        (to) =>
          `[${last}]drawtext=textfile=${file}:fontcolor=white:fontsize=${size}:box=1:boxcolor=black@0.5:boxborderw=6:x=${corner.textX}:y=${corner.textY}${more}[${to}]`,
      )
    switch (mark.type) {
      case 'image': {
        const file = write(Buffer.from(mark.base64, 'base64'), 'image')
        const wide = Math.round((width * IMAGE_SHARE) / 2) * 2
        const still = `image${at}`
        // Named, so that nothing else is read than what it was checked to be.
        filters.push(`movie=${file}:format_name=${mark.format}_pipe,scale=w=${wide}:h=-2[${still}]`)
        step((to) => `[${last}][${still}]overlay=x=${corner.x}:y=${corner.y}[${to}]`)
        break
      }
      case 'text':
        text(write(mark.text.slice(0, MAX_TEXT_LENGTH), 'txt'), ':expansion=none')
        break
      case 'time': {
        const seconds = Math.round((mark.startAt + offsetOf(mark.timeZone, mark.startAt)) / 1000)
        const before = mark.text === undefined ? '' : `${expanded(mark.text.slice(0, MAX_TEXT_LENGTH))} `
        text(write(`${before}%{pts:gmtime:${seconds}:%Y-%m-%d %H\\:%M\\:%S}`, 'txt'))
        break
      }
      case 'messages':
        mark.messages.forEach(({ at: saidAt, text: said }, nth) => {
          const since = Math.max(0, (saidAt - beginsAt) / 1000)
          const until = mark.messages[nth + 1]
          const end = until ? Math.max(0, (until.at - beginsAt) / 1000) : 1e9
          if (said.trim() !== '' && end > since)
            text(
              write(said.slice(0, MAX_TEXT_LENGTH), 'txt'),
              `:expansion=none:enable='gte(t,${since})*lt(t,${end})'`,
            )
        })
    }
  })
  return { filters, files, last }
}

/** A text that drawtext gives as it is, although it looks for functions in it. */
const expanded = (text: string): string => text.replace(/[\\%]/g, '\\$&')

/** How far a time zone is ahead of UTC at an instant, in ms; 0 for none. */
function offsetOf(timeZone: string | undefined, at: number): number {
  if (timeZone === undefined) return 0
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const part = (type: string): number => Number(parts.find((one) => one.type === type)!.value)
  const there = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
  return there - Math.floor(at / 1000) * 1000
}
