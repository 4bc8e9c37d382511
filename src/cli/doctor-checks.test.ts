import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaBuffer } from './doctor-checks.ts'

test('warns about a small receive buffer and names the cure; says nothing if the size is unknown', () => {
  const ordinary = mediaBuffer(212_992)
  assert.equal(ordinary[0]!.verdict, 'note')
  assert.match(ordinary[0]!.says, /^only 208 kB .*sysctl -w net\.core\.rmem_max=4194304/)
  assert.equal(mediaBuffer(4_194_303)[0]!.verdict, 'note')
  assert.equal(mediaBuffer(4_194_304)[0]!.verdict, 'good')
  assert.deepEqual(mediaBuffer(undefined), [])
})
