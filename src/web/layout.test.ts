import assert from 'node:assert/strict'
import { test } from 'node:test'
import { divide, dividePages, gridFor, placesFor, tilesPerPage } from './layout.ts'

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

test('tiles stand in their space without touching each other, the last row in the middle', () => {
  for (const [width, height] of [
    [1280, 700],
    [360, 620],
    [740, 260],
  ] as const)
    for (let count = 1; count <= 25; count++) {
      const places = placesFor(count, { width, height }, 8)
      assert.equal(places.length, count)
      for (const [at, one] of places.entries()) {
        assert.ok(one.x >= 0 && one.y >= 0, `${count} in ${width}×${height}`)
        assert.ok(
          one.x + one.width <= width && one.y + one.height <= height,
          `${count} in ${width}×${height}`,
        )
        for (const other of places.slice(at + 1))
          assert.ok(other.x >= one.x + one.width + 8 || other.y >= one.y + one.height + 8)
      }
    }
  const [first, second, last] = placesFor(3, { width: 1000, height: 570 }, 8)
  assert.deepEqual([first!.y, first!.y < last!.y], [second!.y, true])
  assert.equal(last!.x + last!.width / 2, 500)
})

test('the buttons that turn the page have a place of their own: below the tiles, or beside them where that is low', () => {
  for (const [width, height, place] of [
    [1248, 580, 'below'],
    [274, 580, 'below'],
    [374, 168, 'beside'],
    [1248, 116, 'beside'],
    [740, 96, 'beside'],
  ] as const) {
    const { tiles, pager, isStacked } = dividePages({ width, height }, 8)
    const label = `${width}×${height}`
    assert.ok(tiles.width >= 140 && tiles.height >= 79, `${label}: a tile has room`)
    if (place === 'below') assert.equal(tiles.height + 8, pager.y, label)
    else assert.equal(tiles.width + 8, pager.x, label)
    assert.deepEqual([pager.x + pager.width, pager.y + pager.height], [width, height], label)
    assert.equal(isStacked, height === 168, label)
  }
})

test('what is in front and the tiles share the stage: beside each other where it is wide', () => {
  const wide = { width: 1200, height: 600 }
  const all = { x: 0, y: 0, ...wide }
  assert.deepEqual(divide('grid', wide, true, 8).tiles, all)
  assert.deepEqual(divide('column', wide, false, 8).front, all)
  assert.deepEqual(divide('column', wide, true, 8), {
    front: { x: 0, y: 0, width: 928, height: 600 },
    tiles: { x: 936, y: 0, width: 264, height: 600 },
  })
  assert.deepEqual(divide('strip', wide, true, 8), {
    front: { x: 0, y: 128, width: 1200, height: 472 },
    tiles: { x: 0, y: 0, width: 1200, height: 120 },
  })
  for (const arrangement of ['strip', 'column'] as const)
    assert.deepEqual(divide(arrangement, { width: 360, height: 600 }, true, 8), {
      front: { x: 0, y: 0, width: 360, height: 436 },
      tiles: { x: 0, y: 444, width: 360, height: 156 },
    })
  assert.equal(divide('column', { width: 0, height: 0 }, true, 8).front.height, 0, 'before it is measured')
})
