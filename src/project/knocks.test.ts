import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalOfKnock } from './knocks.ts'

test('only a meeting that allows it, is not deactivated and has a key may be knocked at', () => {
  const meeting = (knock: boolean | undefined, disabledAt: number | null = null) => ({
    settings: knock === undefined ? {} : { knock },
    disabledAt,
  })
  const cases: [what: string, ...Parameters<typeof refusalOfKnock>, code: string | undefined][] = [
    ['no such meeting', undefined, false, 'NOT_FOUND'],
    ['no such meeting, but a key', undefined, true, 'NOT_FOUND'],
    ['one made over REST', meeting(undefined), true, 'NOT_FOUND'],
    ['one that forbids it', meeting(false), true, 'NOT_FOUND'],
    ['one that forbids it and is deactivated', meeting(false, 1), true, 'NOT_FOUND'],
    ['one whose project has no key left', meeting(true), false, 'NOT_FOUND'],
    ['one that is deactivated', meeting(true, 1), true, 'MEETING_ID_DISABLED'],
    ['one that allows it', meeting(true), true, undefined],
  ]
  for (const [what, one, hasKey, code] of cases) assert.equal(refusalOfKnock(one, hasKey)?.code, code, what)
  // All refusals look the same.
  const texts = [undefined, meeting(false), meeting(false, 1)].map(
    (one) => refusalOfKnock(one, true)!.message,
  )
  assert.equal(new Set(texts).size, 1)
})
