import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaBuffer } from './doctor-checks.ts'

test('a small buffer for media gets a note with the cure; an unknown size gets none', () => {
  const ordinary = mediaBuffer(212_992)
  assert.equal(ordinary[0]!.verdict, 'note')
  assert.match(ordinary[0]!.says, /^only 208 kB .*sysctl -w net\.core\.rmem_max=4194304/)
  assert.equal(mediaBuffer(4_194_303)[0]!.verdict, 'note')
  assert.equal(mediaBuffer(4_194_304)[0]!.verdict, 'good')
  assert.deepEqual(mediaBuffer(undefined), [])
})
