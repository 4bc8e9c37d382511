import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readList, slidingPlaylist, wholePlaylist, type Segment } from './playlists.ts'

const run = (name: string, count: number): Segment[] =>
  Array.from({ length: count }, (_, i) => ({
    uri: `${name}-${i}.ts`,
    seconds: 2.033,
    at: undefined,
    isBreak: i === 0,
  }))

test('reads lengths and times from a list of ffmpeg', () => {
  const text =
    '#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000+0000\n#EXTINF:2.031000,\na.ts\n#EXTINF:1.5,\nb.ts\n'
  assert.deepEqual(readList(text), [
    { uri: 'a.ts', seconds: 2.031, at: '2026-01-01T00:00:00.000+0000', isBreak: true },
    { uri: 'b.ts', seconds: 1.5, at: undefined, isBreak: false },
  ])
})

test('ignores an incomplete last line', () => {
  assert.deepEqual(readList('#EXTM3U\n#EXTINF:2.0,\n'), [])
})

test('the playlist with rewind has every segment, and an end mark after the end', () => {
  const segments = run('a', 10)
  const live = wholePlaylist(segments, false)
  assert.match(live, /#EXT-X-PLAYLIST-TYPE:EVENT/)
  assert.match(live, /#EXT-X-TARGETDURATION:2\n/)
  assert.equal(live.match(/\.ts$/gm)?.length, 10)
  assert.doesNotMatch(live, /ENDLIST/)
  assert.match(wholePlaylist(segments, true), /#EXT-X-ENDLIST\n$/)
})

test('the sliding playlist has the newest segments, and counts the removed ones', () => {
  const sliding = slidingPlaylist(run('a', 10), false)
  assert.deepEqual(
    sliding.match(/a-\d+\.ts/g),
    [2, 3, 4, 5, 6, 7, 8, 9].map((i) => `a-${i}.ts`),
  )
  assert.match(sliding, /#EXT-X-MEDIA-SEQUENCE:2\n/)
  assert.doesNotMatch(sliding, /PLAYLIST-TYPE/)
})

test('a restarted browser is a discontinuity, which is counted after it was removed', () => {
  const segments = [...run('a', 3), ...run('b', 4)]
  assert.match(wholePlaylist(segments, false), /a-2\.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:2\.033,\nb-0\.ts/)
  assert.doesNotMatch(slidingPlaylist(segments, false), /DISCONTINUITY-SEQUENCE/)
  const later = [...segments, ...run('c', 8)]
  const sliding = slidingPlaylist(later, false)
  // Both breaks are outside the window; the one at its first segment is counted, but not written.
  assert.match(sliding, /#EXT-X-DISCONTINUITY-SEQUENCE:2\n/)
  assert.doesNotMatch(sliding, /#EXT-X-DISCONTINUITY\n/)
})
