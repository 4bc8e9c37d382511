import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MatroskaError, MatroskaSplitter, type Piece } from './matroska.ts'

const UNKNOWN = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
const element = (id: number[], body: number[]): number[] => [...id, 0x80 | body.length, ...body]
const track = (number: number, type: number): number[] =>
  element([0xae], [...element([0xd7], [number]), ...element([0x83], [type])])
const head = (tracks: number[][]): number[] => [
  ...element([0x1a, 0x45, 0xdf, 0xa3], [1, 2, 3]),
  ...[0x18, 0x53, 0x80, 0x67, ...UNKNOWN],
  ...element([0x16, 0x54, 0xae, 0x6b], tracks.flat()),
]
const cluster = (ms: number, blocks: number[][]): number[] => [
  ...[0x1f, 0x43, 0xb6, 0x75, ...UNKNOWN],
  ...element([0xe7], [ms]),
  ...blocks.flat(),
]
const block = (number: number, isKey: boolean, ...bytes: number[]): number[] =>
  element([0xa3], [0x80 | number, 0, 0, isKey ? 0x80 : 0, ...bytes])

const [VIDEO, AUDIO] = [track(1, 1), track(2, 2)]

function split(
  bytes: number[],
  size = bytes.length,
): { pieces: (Piece & { ms: number })[]; init: Buffer | undefined } {
  const pieces: (Piece & { ms: number })[] = []
  const splitter = new MatroskaSplitter((piece) => pieces.push(piece))
  const all = Buffer.from(bytes)
  for (let at = 0; at < all.length; at += size) splitter.push(all.subarray(at, at + size))
  splitter.end()
  return { pieces, init: splitter.init }
}

const stream = [
  ...head([VIDEO, AUDIO]),
  // Sound that belongs to the picture after it.
  ...cluster(0, [block(2, true, 7), block(1, true, 8), block(2, true, 9)]),
  ...cluster(40, [block(1, false, 10)]),
  ...cluster(60, [block(2, true, 11)]),
  ...cluster(80, [block(1, true, 12)]),
]

for (const size of [1, 2, 7, 64, 4096])
  test(`a stream that comes ${size} bytes at a time is put together again as it was`, () => {
    const { pieces, init } = split(stream, size)
    assert.deepEqual(
      pieces.map(({ isEntry }) => isEntry),
      [true, false, false, false, true],
    )
    assert.deepEqual(Buffer.concat([init!, ...pieces.map(({ bytes }) => bytes)]), Buffer.from(stream))
  })

test('a reader begins where the picture has a key frame, and nowhere else', () => {
  const { pieces } = split(stream)
  const entries = pieces.filter(({ isEntry }) => isEntry).map(({ bytes }) => bytes.at(-1))
  assert.deepEqual(entries, [8, 12])
})

test('when each piece was captured is known', () => {
  const later = element([0xa3], [0x81, 0, 30, 0])
  const { pieces } = split([...stream, later].flat())
  assert.deepEqual(
    pieces.map(({ ms }) => ms),
    [0, 0, 40, 60, 80, 110],
  )
  const sound = split([...head([AUDIO]), ...cluster(90, [block(2, true)])])
  assert.deepEqual(
    sound.pieces.map(({ ms }) => ms),
    [0, 90, 90],
  )
})

test('a reader begins with the first cluster, also where the picture comes later than the sound', () => {
  const { pieces } = split([
    ...head([VIDEO, AUDIO]),
    ...cluster(0, [block(2, true, 1)]),
    ...cluster(9, [block(2, true, 2)]),
  ])
  assert.deepEqual(
    pieces.map(({ isEntry }) => isEntry),
    [true, false],
  )
})

test('where there is no picture, a reader begins with any cluster', () => {
  const { pieces } = split([
    ...head([AUDIO]),
    ...cluster(0, [block(2, true, 1)]),
    ...cluster(9, [block(2, true, 2)]),
  ])
  assert.deepEqual(
    pieces.map(({ isEntry }) => isEntry),
    [true, false, false, true, false, false],
  )
})

test('what describes the streams is known before the first piece is given out', () => {
  const known: boolean[] = []
  const splitter = new MatroskaSplitter(() => known.push(splitter.init !== undefined))
  splitter.push(Buffer.from(stream))
  assert.ok(known.length > 0 && known.every(Boolean))
})

test('how far the picture has come is known, or the sound where there is no picture', () => {
  const reached = (bytes: number[]): number => {
    const splitter = new MatroskaSplitter(() => undefined)
    splitter.push(Buffer.from(bytes))
    return splitter.reachedMs
  }
  assert.equal(reached(head([VIDEO, AUDIO])), 0)
  const later = element([0xa3], [0x81, 0, 30, 0])
  assert.equal(reached([...head([VIDEO, AUDIO]), ...cluster(80, [block(1, true), later])]), 110)
  // The sound may be ahead of a picture that is still being encoded.
  assert.equal(
    reached([...head([VIDEO, AUDIO]), ...cluster(40, [block(1, true)]), ...cluster(90, [block(2, true)])]),
    40,
  )
  assert.equal(reached([...head([AUDIO]), ...cluster(90, [block(2, true)])]), 90)
})

test('what is not Matroska is refused', () => {
  assert.throws(() => split([0, 0, 0, 0, 0, 0]), MatroskaError)
})

test('an element that is longer than any browser writes is refused, and not waited for', () => {
  const huge = [0xec, 0x08, 0xff, 0xff, 0xff, 0xff]
  assert.throws(() => split([...head([VIDEO]), ...huge]), MatroskaError)
})
