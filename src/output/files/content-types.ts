/** The types of files that outputs give out. Pure. */

const contentTypes: Readonly<Record<string, string>> = {
  mp4: 'video/mp4',
  m4s: 'video/iso.segment',
  m4a: 'audio/mp4',
  webm: 'video/webm',
  mkv: 'video/x-matroska',
  mp3: 'audio/mpeg',
  ts: 'video/mp2t',
  m3u8: 'application/vnd.apple.mpegurl',
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  txt: 'text/plain; charset=utf-8',
  json: 'application/json; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  tsv: 'text/tab-separated-values; charset=utf-8',
}

/** Undefined for a file that is not for giving out. */
export function contentTypeOf(path: string): string | undefined {
  const extension = /[^/]\.(\w+)$/.exec(path)?.[1]
  return extension === undefined || !Object.hasOwn(contentTypes, extension)
    ? undefined
    : contentTypes[extension]
}
