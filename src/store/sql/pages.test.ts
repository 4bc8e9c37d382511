import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reach, Totals } from './pages.ts'

test('each page is what it would be from the beginning', () => {
  for (let total = 0; total <= 13; total++) {
    const list = Array.from({ length: total }, (_, index) => total - index)
    for (let perPage = 1; perPage <= 5; perPage++)
      for (let page = 1; page <= 15; page++) {
        const wanted = list.slice((page - 1) * perPage, page * perPage)
        const way = reach({ page, perPage }, total)
        const ordered = way?.direction === 'asc' ? list.toReversed() : list
        const read = way ? way.inOrder(ordered.slice(way.offset, way.offset + way.limit)) : []
        assert.deepEqual(read, wanted, `${total} rows, page ${page} of ${perPage}`)
        assert.ok((way?.offset ?? 0) <= total / 2 + perPage)
      }
  }
})

test('the count of a long list is remembered for a moment, by its filters', async () => {
  const totals = new Totals()
  let rows = 50_000
  let counted = 0
  const count = () => {
    counted++
    return Promise.resolve(rows)
  }
  assert.equal(await totals.of(['a', { state: 'x' }], count, 0), 50_000)
  rows++
  assert.equal(await totals.of(['a', { state: 'x' }], count, 9999), 50_000)
  assert.equal(await totals.of(['a', { state: 'y' }], count, 9999), 50_001)
  assert.equal(await totals.of(['a', { state: 'x' }], count, 10_000), 50_001)
  rows = 9
  assert.equal(await totals.of(['b'], count, 0), 9)
  rows = 10
  assert.equal(await totals.of(['b'], count, 1), 10, 'a short list is counted each time')
  assert.equal(counted, 5)
})
