/** No spreadsheet evaluates a cell. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvRow } from './csv.ts'

test('a cell that a spreadsheet would read as a formula becomes text', () => {
  const formulas = [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    '\nharmless',
    ' =1',
    '\u00a0\u3000=1',
    '\u200b=1',
    '\ufeff=1',
    '\u202e@A1',
    '\u0000-1',
    '＝1+1',
    '＋1',
    '－1',
    '＠A1',
    '﹦1',
    '−1',
  ]
  for (const text of formulas) assert.equal(csvRow([text]), `"'${text}"\r\n`, JSON.stringify(text))
})

test('other cells stay as they are, including quotes and line breaks', () => {
  for (const text of ['', 'hello', '1 = 1', 'a\n=1', "'quoted'", 'Grüße', '٣', ' plain'])
    assert.equal(csvRow([text]), `"${text}"\r\n`)
  assert.equal(csvRow(['say "hi"', 'a,b']), '"say ""hi""","a,b"\r\n')
})
