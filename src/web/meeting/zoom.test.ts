import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_SCALE, move, unzoomed, wheelFactor, zoomAt } from './zoom.ts'

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

test('a small turn of the wheel zooms a little, a large one a step; turning back undoes it', () => {
  assert.ok(wheelFactor(-4) > 1 && wheelFactor(-4) < 1.02)
  assert.ok(wheelFactor(-100) > 1.2 && wheelFactor(-100) < 1.3)
  assert.equal(wheelFactor(-2000), wheelFactor(-100))
  assert.ok(Math.abs(wheelFactor(-60) * wheelFactor(60) - 1) < 1e-9)
})
