/** `docs/limits.md` agrees with the settings, is complete, and names existing tests. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { limitRows, limitsDocument, settingsShown } from './support/limit-rows.ts'

const read = (path: string): string => readFileSync(join(import.meta.dirname, '..', path), 'utf8')

test('every limit has one row', () => {
  const limits = settingsShown
    .map(({ name }) => name)
    .filter((name) => /^MAX_|^(HEADERS|REQUEST|LOBBY|JOIN)_TIMEOUT/.test(name))
  assert.deepEqual(limitRows.map(({ setting }) => setting).sort(), limits.sort())
})

test('the tests that rows name exist', () => {
  for (const { setting, shown } of limitRows) {
    const [file, title] = [shown.slice(0, shown.indexOf(': ')), shown.slice(shown.indexOf(': ') + 2)]
    assert.ok(read(file).includes(`test('${title}`), `${setting}: no test "${title}" in ${file}`)
  }
})

test('docs/limits.md is up to date: npm run limits-table', () => {
  assert.equal(read('docs/limits.md'), limitsDocument())
})
