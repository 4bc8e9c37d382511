import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaBuffer } from './doctor-checks.ts'

test('a small buffer for media is noted with the cure, and none where it is not known', () => {
  const ordinary = mediaBuffer(212_992)
  assert.equal(ordinary[0]!.verdict, 'note')
  assert.match(ordinary[0]!.says, /^208 kB .*sysctl -w net\.core\.rmem_max=4194304/)
  assert.equal(mediaBuffer(4_194_303)[0]!.verdict, 'note')
  assert.equal(mediaBuffer(4_194_304)[0]!.verdict, 'good')
  assert.deepEqual(mediaBuffer(undefined), [])
})
