import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insideSentence } from './inside-sentence.ts'

test('who is inside, in one sentence', () => {
  const cases: [count: number, names: string[], sentence: string][] = [
    [0, [], 'Nobody is inside yet.'],
    [1, ['Ann'], 'Ann is inside.'],
    [2, ['Ann', 'Bob'], 'Ann and Bob are inside.'],
    [3, ['Ann', 'Bob', 'Eve'], 'Ann, Bob and Eve are inside.'],
    [4, ['Ann', 'Bob', 'Eve', 'Dan'], 'Ann, Bob, Eve and 1 more are inside.'],
    [40, ['Ann', 'Bob', 'Eve'], 'Ann, Bob, Eve and 37 more are inside.'],
  ]
  for (const [count, names, sentence] of cases) assert.equal(insideSentence({ count, names }), sentence)
})
