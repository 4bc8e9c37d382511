import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleOf } from './sample.ts'

test('the oldest, a middle and the newest version run, and every version on request', () => {
  const versions = ['0.1', '0.2', '0.3', '0.4', '1.0']
  assert.deepEqual(sampleOf(versions, '0.2', false), ['0.1', '0.2', '1.0'])
  assert.deepEqual(sampleOf(versions, '0.2', true), versions)
})
