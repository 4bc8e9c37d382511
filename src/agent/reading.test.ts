import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Queue } from './reading.ts'

test('a slow reader loses the oldest items, and is told how many', async () => {
  const drops: unknown[] = []
  const queue = new Queue<number>({ size: 3, onDrop: (gone, next) => drops.push([...gone, next]) })
  for (let item = 1; item <= 10; item++) queue.push(item)
  queue.end()
  const read: number[] = []
  for await (const item of queue) read.push(item)
  assert.deepEqual([read, queue.dropped], [[8, 9, 10], 7])
  assert.deepEqual(drops.at(-1), [7, 8])
})

test('a queue whose items depend on each other loses all of them at once', async () => {
  const queue = new Queue<number>({ size: 3, drops: 'all' })
  for (let item = 1; item <= 4; item++) queue.push(item)
  queue.skip()
  queue.push(6)
  assert.deepEqual([await queue.next(), queue.dropped], [{ value: 6, done: false }, 5])
})

test('readers that wait are served in order, and told the end', async () => {
  const queue = new Queue<number>({ size: 3 })
  const all = [queue.next(), queue.next(), queue.next()]
  queue.push(1)
  queue.push(2)
  queue.end()
  queue.push(3)
  assert.deepEqual(
    (await Promise.all(all)).map(({ value }) => value),
    [1, 2, undefined],
  )
  assert.equal(queue.dropped, 0)
})

test('it stops once: when the reader leaves, or at the end', async () => {
  let stops = 0
  const left = new Queue<number>({ size: 3, onStop: () => stops++ })
  left.push(1)
  left.push(2)
  for await (const _ of left) break
  left.end()
  assert.equal(stops, 1)
  left.push(3)
  assert.deepEqual(await left.next(), { value: undefined, done: true })
  const ended = new Queue<number>({ size: 3, onStop: () => stops++ })
  ended.push(1)
  ended.end()
  assert.equal(stops, 1, 'something can still be read')
  await ended.next()
  assert.equal(stops, 2)
  await ended.return()
  assert.equal(stops, 2)
})

test('leaving ends the wait of another reader', async () => {
  const queue = new Queue<number>({ size: 3 })
  const waiting = queue.next()
  await queue.return()
  assert.deepEqual(await waiting, { value: undefined, done: true })
})
