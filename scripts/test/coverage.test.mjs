import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Coverage, linesOf } from './coverage.mjs'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'anteroom-coverage-')))
after(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, 'src'))
writeFileSync(
  join(folder, 'src/rule.ts'),
  `/** Says which. */
export function which(value: number): string {
  if (value > 1)
    return 'many'
  // None or one.
  return value === 0
    ? 'none'
    : 'one'
}
interface NoCode {
  at: number
}
export const never = (): NoCode => {
  return { at: 1 }
}
`,
)
writeFileSync(join(folder, 'src/rule.test.ts'), 'throw new Error("a test is not covered")\n')
let runs = 0

/** Runs code in its own process, and returns the folder that V8 wrote to. */
function run(code) {
  const written = join(folder, `run-${(runs += 1)}`)
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: folder,
    env: { ...process.env, NODE_V8_COVERAGE: written },
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return written
}

test('counts only lines that contain code, not types, comments or closing brackets', () => {
  assert.deepEqual(
    linesOf('// No.\ntype A = string\nconst url = "http://host" // Yes.\n{ let b: A\n}\n/* No.\nNo. */').map(
      ({ line }) => line,
    ),
    [3, 4],
  )
})

test('adds up the lines run by several processes, names those that none ran, and fails below the floor of a folder', async () => {
  const coverage = new Coverage(folder, { src: 70 })
  assert.match(coverage.summary().text, / 0\.0 % {2}src\/: the floor is 70 %/)
  await coverage.add(join(folder, 'nothing was written here'))
  await coverage.add(run(`import { which } from '${join(folder, 'src/rule.ts')}'; which(0)`))
  const { text, failed } = coverage.summary()
  assert.equal(failed, true)
  assert.match(text, / 62\.5 % {4}src\/rule\.ts, without lines 4, 8, 14$/m)
  await coverage.add(run(`import { which } from '${join(folder, 'src/rule.ts')}'; which(2); which(1)`))
  const after = coverage.summary()
  assert.equal(after.failed, false)
  assert.doesNotMatch(after.text, /rule/)
  assert.match(new Coverage(folder, { src: 0 }).summary().text, / 0\.0 % {2}src\/$/m)
})
