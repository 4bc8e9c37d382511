import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSame, viewOf } from './view.ts'

test('a view keeps its value until something in it differs, and only then notifies', () => {
  let people = [{ id: 'a', on: false }]
  let signal = (): void => undefined
  const view = viewOf(
    () => people.map((one) => ({ ...one })),
    (onChange) => {
      signal = onChange
      return () => (signal = () => undefined)
    },
  )
  const first = view.get()
  assert.equal(view.get(), first)
  let told = 0
  const stop = view.subscribe(() => told++)
  signal()
  assert.equal(told, 0, 'nothing differs')
  people = [{ id: 'a', on: true }]
  signal()
  signal()
  assert.equal(told, 1)
  assert.notEqual(view.get(), first)
  stop()
  people = []
  signal()
  assert.equal(told, 1)
})

test('a change before anybody listened is not reported twice', () => {
  let value = 1
  let signal = (): void => undefined
  const view = viewOf(
    () => value,
    (onChange) => {
      signal = onChange
      return () => undefined
    },
  )
  assert.equal(view.get(), 1)
  value = 2
  let told = 0
  view.subscribe(() => told++)
  signal()
  assert.equal(told, 0)
  assert.equal(view.get(), 2)
})

test('compares lists and plain objects by content, everything else by identity', () => {
  const track = new EventTarget()
  for (const [one, other, same] of [
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
    [[1, 2], [1], false],
    [{ a: undefined }, {}, false],
    [{ a: undefined }, { b: undefined }, false],
    [{ track }, { track }, true],
    [{ track }, { track: new EventTarget() }, false],
    [new Set([1]), new Set([1]), false],
    [NaN, NaN, true],
    [null, {}, false],
    [[], {}, false],
  ] as const)
    assert.equal(isSame(one, other), same, JSON.stringify([one, other]))
})
