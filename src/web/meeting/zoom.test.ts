import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_SCALE, move, unzoomed, zoomAt } from './zoom.ts'

const frame = { width: 800, height: 600 }

test('the point under the pointer stays where it is', () => {
  const zoomed = zoomAt(unzoomed, 2, { x: 100, y: -50 }, frame)
  assert.deepEqual(zoomed, { scale: 2, x: -100, y: 50 })
  assert.deepEqual(zoomAt(zoomed, 0.5, { x: 100, y: -50 }, frame), unzoomed)
})

test('the picture fills its frame, whatever is asked', () => {
  assert.equal(zoomAt(unzoomed, 100, { x: 0, y: 0 }, frame).scale, MAX_SCALE)
  assert.deepEqual(zoomAt(unzoomed, 0.1, { x: 300, y: 300 }, frame), unzoomed)
  assert.deepEqual(move(unzoomed, 50, 50, frame), unzoomed)
  assert.deepEqual(move({ scale: 2, x: 0, y: 0 }, 5000, -5000, frame), { scale: 2, x: 400, y: -300 })
})
