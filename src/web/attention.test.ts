import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDue } from './attention.ts'

test('many who ask at once make one chime', () => {
  assert.equal(isDue(undefined, 0), true)
  assert.equal(isDue(1000, 3999), false)
  assert.equal(isDue(1000, 4000), true)
})
