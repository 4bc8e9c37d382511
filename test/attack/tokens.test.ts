/** The verifier with tokens that are nearly valid. The long run: npm run attack:tokens */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedOf } from './random.ts'
import { attackTokens } from './token-attack.ts'

const CASES = 12_000

test('tokens that are nearly right are judged as the reference judges them', async () => {
  const report = await attackTokens(seedOf('tokens'), CASES)
  assert.ok(report.cases >= CASES * 0.95, `${report.cases} cases`)
  assert.ok(report.accepted > 200 && report.refused > report.accepted)
  const { wrongAccepts, wrongRefusals, differences, crashes } = report
  assert.deepEqual(
    { wrongAccepts, wrongRefusals, differences, crashes },
    {
      wrongAccepts: [],
      wrongRefusals: [],
      differences: [],
      crashes: [],
    },
  )
})
