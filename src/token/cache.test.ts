import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cache } from './cache.ts'

test('forgets the entry that was unused for longest', () => {
  const cache = new Cache<number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  assert.equal(cache.get('a'), 1)
  cache.set('c', 3)
  assert.equal(cache.get('b'), undefined)
  assert.equal(cache.get('a'), 1)
  assert.equal(cache.get('c'), 3)
  assert.equal(cache.size, 2)
})

test('setting a key again takes no second place', () => {
  const cache = new Cache<number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  cache.set('b', 3)
  assert.equal(cache.get('a'), 1)
  assert.equal(cache.get('b'), 3)
})

test('forgets an entry on demand', () => {
  const cache = new Cache<number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  cache.delete('a')
  assert.equal(cache.get('a'), undefined)
  cache.clear()
  assert.equal(cache.size, 0)
})

test('with capacity 0 it keeps nothing; it refuses a capacity that is not a whole number', () => {
  const cache = new Cache<number>(0)
  cache.set('a', 1)
  assert.equal(cache.size, 0)
  for (const capacity of [-1, 1.5, NaN, Infinity]) assert.throws(() => new Cache(capacity), TypeError)
})
