import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientMessage, Shape } from '../../protocol/whiteboard.ts'
import { Scene, type Outcome } from './scene.ts'

const shape = (id: string, fields: Partial<Shape> = {}): Shape => ({
  id,
  kind: 'pen',
  points: [1, 2],
  color: '#112233',
  width: 2,
  ...fields,
})
const put = (id: string, fields: Partial<Shape> = {}): ClientMessage => ({
  do: 'put',
  shape: shape(id, fields),
})
const remove = (...ids: string[]): ClientMessage => ({ do: 'remove', ids })
const extend = (id: string, points: number[]): ClientMessage => ({ do: 'extend', id, points })

for (const [name, messages, outcomes, shapes] of [
  ['half a point', [put('a', { points: [1, 2, 3] })], ['nothing'], []],
  [
    'one shape too many',
    [put('a'), put('b'), put('c'), put('d')],
    ['done', 'done', 'done', 'full'],
    ['a', 'b', 'c'],
  ],
  ['too long a text', [put('a', { kind: 'text', text: 'x'.repeat(100) })], ['full'], []],
  [
    'too much in all',
    [put('a', { text: 'x'.repeat(40) }), put('b', { text: 'x'.repeat(40) })],
    ['done', 'full'],
    ['a'],
  ],
  ['a change to too much', [put('a'), put('a', { text: 'x'.repeat(100) })], ['done', 'full'], ['a']],
  ['more of what is not there', [extend('a', [1, 2])], ['nothing'], []],
  ['more of what is no pen', [put('a', { kind: 'line' }), extend('a', [1, 2])], ['done', 'nothing'], ['a']],
  ['half a point more', [put('a'), extend('a', [1])], ['done', 'nothing'], ['a']],
  ['too much more', [put('a'), extend('a', new Array<number>(120).fill(1))], ['done', 'full'], ['a']],
  ['what is not there taken away', [remove('a')], ['nothing'], []],
  [
    'a change, in its place',
    [put('a'), put('b'), put('a', { width: 9 })],
    ['done', 'done', 'done'],
    ['a', 'b'],
  ],
  [
    'room made by what is taken away',
    [put('a', { text: 'x'.repeat(60) }), remove('a', 'z'), put('b', { text: 'x'.repeat(60) })],
    ['done', 'done', 'done'],
    ['b'],
  ],
] as [string, ClientMessage[], Outcome[], string[]][]) {
  test(`a board of three shapes accepts ${name}`, () => {
    const scene = new Scene({ shapes: 3, size: 100 })
    assert.deepEqual(
      messages.map((message) => scene.apply(message)),
      outcomes,
    )
    assert.deepEqual(
      scene.shapes().map(({ id }) => id),
      shapes,
    )
  })
}

test('a board rounds coordinates to tenths', () => {
  const scene = new Scene()
  scene.apply(put('a', { points: [1 / 3, -123_456.654_321] }))
  scene.apply(extend('a', [0.06, 7]))
  assert.deepEqual(scene.shapes()[0]!.points, [0.3, -123_456.7, 0.1, 7])
})

test('a pen stroke continues', () => {
  const scene = new Scene()
  scene.apply(put('a'))
  scene.apply(extend('a', [3, 4, 5, 6]))
  assert.deepEqual(scene.shapes()[0]!.points, [1, 2, 3, 4, 5, 6])
})
