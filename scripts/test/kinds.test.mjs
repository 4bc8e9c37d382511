import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { kindOf, SLOW } from './kinds.mjs'

const root = join(import.meta.dirname, '../..')

test('finds out from the imports of a test, direct and indirect, what it needs', () => {
  process.chdir(root)
  assert.equal(kindOf('src/token/grant.test.ts'), 'unit')
  assert.equal(kindOf('src/meeting/door/admission.test.ts'), 'unit')
  assert.equal(kindOf('src/media/sfu.test.ts'), 'wire')
  assert.equal(kindOf('src/output/jobs/jobs.test.ts'), 'wire')
  assert.equal(kindOf('src/api/rest/rest.test.ts'), 'wire')
  assert.equal(kindOf('test/door.test.ts'), 'wire')
  assert.equal(kindOf('test/journeys.test.ts'), 'browser')
  assert.equal(kindOf('test/attack/page.test.ts'), 'attack')
})

test('a type import loads nothing', () => {
  const read = (text) => () => text
  assert.equal(kindOf('src/a.test.ts', read("import type { Page } from 'playwright-core'\n")), 'unit')
  assert.equal(kindOf('src/a.test.ts', read("import {\n  chromium,\n} from 'playwright-core'\n")), 'browser')
  assert.equal(kindOf('src/a.test.ts', read("const { x } = await import('playwright-core')\n")), 'browser')
})

test('the files listed as slow exist', () => {
  for (const file of SLOW) assert.ok(existsSync(join(root, file)), file)
  assert.ok(globSync('src/**/*.test.ts', { cwd: root }).length > SLOW.length)
})
