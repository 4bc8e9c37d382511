import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isolated, withoutControls } from './isolate.ts'

test('a foreign text ends where it ends, whatever it contains', () => {
  const rows: [text: string, shown: string][] = [
    ['Ann', '\u2068Ann\u2069'],
    ['שלום', '\u2068שלום\u2069'],
    ['', '\u2068\u2069'],
    ['a\u2069b', '\u2068ab\u2069'],
    ['\u202egnp.exe', '\u2068gnp.exe\u2069'],
    ['\u2067\u2066\u2068\u202a\u202b\u202c\u202d', '\u2068\u2069'],
    // The text's own direction marks are kept.
    ['a\u200f!', '\u2068a\u200f!\u2069'],
  ]
  for (const [text, shown] of rows) assert.equal(isolated(text), shown)
  assert.equal(withoutControls(isolated('Ann')), 'Ann')
})
