import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPlace, pageOf, parsePlace } from './place.ts'

test('an address contains the screen and its filters, and is written as it was read', () => {
  assert.deepEqual(parsePlace('/dashboard', ''), { path: [], query: {} })
  assert.deepEqual(parsePlace('/dashboard/', '?project=p'), { path: [], query: { project: 'p' } })
  const place = { path: ['meetings', 'a/b ü'], query: { state: 'ended', page: '3' } }
  const address = formatPlace('/prefix', place)
  assert.equal(address, '/prefix/dashboard/meetings/a%2Fb%20%C3%BC?state=ended&page=3')
  assert.deepEqual(parsePlace(...(address.split('?') as [string, string])), place)
  assert.deepEqual(parsePlace('/dashboard/meetings/%zz', '').path, ['meetings', '%zz'])
})

test('leaves out empty filters and the first page; an invalid page is the first', () => {
  assert.equal(formatPlace('', { path: ['keys'], query: { page: '1', state: '' } }), '/dashboard/keys')
  for (const page of ['0', '-1', '1.5', 'x', '']) assert.equal(pageOf({ page }), 1)
  assert.equal(pageOf({ page: '7' }), 7)
})
