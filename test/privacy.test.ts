/** docs/privacy.md says of every table what it keeps about people, for how long, and what erasing does to it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { settings } from '../src/config/settings.ts'
import { NOT_COPIED, TABLES } from '../src/store/copy/rows.ts'

const document = await readFile(new URL('../docs/privacy.md', import.meta.url), 'utf8')
const rows = [...document.matchAll(/^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$/gm)].map(
  ([, table, what, howLong, erased]) => ({ table: table!, what: what!, howLong: howLong!, erased: erased! }),
)

test('each table has a row, and each row a table', () => {
  assert.deepEqual(
    rows.map(({ table }) => table).toSorted(),
    // `migrate.test.ts` holds that these are all.
    [...TABLES.map(([name]) => name), ...NOT_COPIED].toSorted(),
  )
})

test('the times to keep are the defaults of settings, each named once', () => {
  const defaults = Object.values(settings)
    .filter(({ env, schema }) => env.endsWith('RETENTION_DAYS') && 'default' in schema)
    .map(({ env, schema }) => `${env} ${String((schema as { default?: unknown }).default)}`)
  const named = [...document.matchAll(/`([A-Z_]+_DAYS)` \((\d+)/g)].map(([, name, days]) => `${name} ${days}`)
  assert.deepEqual(named.toSorted(), defaults.toSorted())
})
