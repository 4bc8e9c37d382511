import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gridFor, tilesPerPage } from './layout.ts'

test('every tile fits, for 1 to 25 people on wide, square and narrow screens', () => {
  for (const [width, height] of [
    [1280, 700],
    [700, 700],
    [360, 620],
    [740, 260],
  ] as const) {
    for (let count = 1; count <= 25; count++) {
      const grid = gridFor(count, width, height, 8)
      assert.ok(grid.columns * grid.rows >= count, `${count} in ${width}×${height}`)
      assert.ok(grid.width > 0)
      assert.ok(grid.columns * grid.width + (grid.columns - 1) * 8 <= width + 0.01)
      assert.ok(grid.rows * grid.height + (grid.rows - 1) * 8 <= height + 0.01)
    }
  }
})

test('two people stand side by side on a wide screen and one above the other on a phone', () => {
  assert.equal(gridFor(2, 1280, 600, 8).columns, 2)
  assert.equal(gridFor(2, 360, 640, 8).columns, 1)
})

test('a page has as many tiles as stay large enough, and never fewer than four or more than 25', () => {
  assert.equal(tilesPerPage(1280, 660, 8), 25)
  assert.equal(tilesPerPage(0, 0, 8), 25, 'before it is measured')
  assert.equal(tilesPerPage(374, 560, 8), 12)
  assert.equal(tilesPerPage(200, 100, 8), 4)
})
