/** The two playlists of HLS, from the lists that ffmpeg writes: one with rewind, and a sliding one. */

export interface Segment {
  /** The name of the file. */
  uri: string
  seconds: number
  /** ISO 8601, as in the list. */
  at: string | undefined
  /** Whether it is the first segment of an ffmpeg, whose clock starts again. */
  isBreak: boolean
}

/** The number of segments in the sliding playlist. */
const WINDOW = 8

/** Reads the list of one ffmpeg. */
export function readList(text: string): Segment[] {
  const segments: Segment[] = []
  let seconds: number | undefined
  let at: string | undefined
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXTINF:')) seconds = Number.parseFloat(line.slice('#EXTINF:'.length))
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) at = line.slice('#EXT-X-PROGRAM-DATE-TIME:'.length)
    else if (line !== '' && !line.startsWith('#') && seconds !== undefined) {
      segments.push({ uri: line, seconds, at, isBreak: segments.length === 0 })
      seconds = at = undefined
    }
  }
  return segments
}

/** The playlist with every segment: live with rewind, and complete after the end. */
export function wholePlaylist(segments: readonly Segment[], isOver: boolean): string {
  return playlist(segments, 0, ['#EXT-X-PLAYLIST-TYPE:EVENT'], isOver)
}

export function slidingPlaylist(segments: readonly Segment[], isOver: boolean): string {
  return playlist(segments, Math.max(0, segments.length - WINDOW), [], isOver)
}

function playlist(segments: readonly Segment[], from: number, tags: string[], isOver: boolean): string {
  const target = Math.round(Math.max(1, ...segments.map(({ seconds }) => seconds)))
  const breaksBefore = segments.slice(1, from + 1).filter(({ isBreak }) => isBreak).length
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    `#EXT-X-TARGETDURATION:${target}`,
    `#EXT-X-MEDIA-SEQUENCE:${from}`,
    ...(breaksBefore > 0 ? [`#EXT-X-DISCONTINUITY-SEQUENCE:${breaksBefore}`] : []),
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...tags,
  ]
  segments.slice(from).forEach(({ uri, seconds, at, isBreak }, i) => {
    if (isBreak && i > 0) lines.push('#EXT-X-DISCONTINUITY')
    // Players compute later times from the lengths.
    if (at !== undefined && (isBreak || i === 0)) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${at}`)
    lines.push(`#EXTINF:${seconds.toFixed(3)},`, uri)
  })
  if (isOver) lines.push('#EXT-X-ENDLIST')
  return `${lines.join('\n')}\n`
}
