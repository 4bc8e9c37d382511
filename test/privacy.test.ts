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

test('the times to keep are the defaults of settings', () => {
  const defaults = new Map<string, unknown>(
    Object.values(settings).map(({ env, schema }) => [env, 'default' in schema ? schema.default : undefined]),
  )
  const named = [...document.matchAll(/`([A-Z_]+_DAYS)` \((\d+)/g)]
  assert.equal(named.length, 4)
  for (const [, name, days] of named) assert.equal(String(defaults.get(name!)), days, name)
})
