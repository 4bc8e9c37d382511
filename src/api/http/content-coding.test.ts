import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentCodingFor } from './content-coding.ts'

test('a client gets the best encoding that it accepts, and no other', () => {
  const cases: [accept: string | undefined, coding: string | undefined][] = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0.5, gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.5', 'br'],
    ['gzip;q=0.001', 'gzip'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip;q=0.1', 'identity'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['gzip;q=0, br;q=0, *', 'identity'],
    ['*;q=0.5, gzip', 'gzip'],
    ['zstd', 'identity'],
    ['zstd, rot13;q=1', 'identity'],
    ['br;q=0', 'identity'],
    ['br;q=2, gzip;q=x', 'identity'],
    ['br ; q=1', 'br'],
    [',, ;q=1,br', 'br'],
    ['identity;q=0', undefined],
    ['identity;q=0, zstd', undefined],
    ['identity;q=0, gzip', 'gzip'],
    ['*;q=0', undefined],
    ['*;q=0, identity', 'identity'],
    ['identity;q=0, *;q=0.1', 'br'],
  ]
  for (const [accept, coding] of cases) assert.equal(contentCodingFor(accept), coding, String(accept))
})
