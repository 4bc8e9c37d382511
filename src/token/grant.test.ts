import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Refusal, type ErrorName } from '../protocol/errors.ts'
import { assertMayUseRest, entryOf, refusalOfScope, refusalToJoin, type Entry, type Grant } from './grant.ts'

const grant = (changes: Partial<Grant> = {}): Grant => ({
  apiKey: 'k',
  projectId: 'p',
  entry: 'direct',
  permissions: ['allow_join'],
  tokenId: 'jti:1',
  ...changes,
})

function answer(work: () => void): ErrorName | 'yes' {
  try {
    work()
    return 'yes'
  } catch (thrown) {
    assert.ok(thrown instanceof Refusal)
    return thrown.code
  }
}

suite('entryOf', () => {
  const cases: [permissions: string[], entry: Entry][] = [
    [['allow_join'], 'direct'],
    [['allow_join', 'allow_join'], 'direct'],
    [['allow_mod'], 'moderator'],
    [['allow_join', 'allow_mod'], 'moderator'],
    [['allow_mod', 'allow_join'], 'moderator'],
    [['ask_join'], 'ask'],
    [['ask_join', 'ask_join'], 'ask'],
    [['ask_join', 'allow_join'], undefined],
    [['allow_mod', 'ask_join'], undefined],
    [['ask_join', 'allow_join', 'allow_mod'], undefined],
    [['allow_join', 'something'], undefined],
    [['ALLOW_JOIN'], undefined],
    [['something'], undefined],
    [[], undefined],
  ]
  for (const [permissions, entry] of cases) {
    test(`${permissions.join()} → ${entry ?? 'no entry'}`, () => assert.equal(entryOf(permissions), entry))
  }
})

suite('joining', () => {
  const cases: [string, Partial<Grant>, Parameters<typeof refusalOfScope>[1], ErrorName | 'yes'][] = [
    ['an unrestricted grant', {}, { roomId: 'a', participantId: 'x' }, 'yes'],
    ['the role rtc', { roles: ['rtc'] }, { roomId: 'a' }, 'yes'],
    ['both roles', { roles: ['crawler', 'rtc'] }, { roomId: 'a' }, 'yes'],
    ['the role crawler', { roles: ['crawler'] }, { roomId: 'a' }, 'UNAUTHORIZED_ROLE'],
    ['no role', { roles: [] }, { roomId: 'a' }, 'UNAUTHORIZED_ROLE'],
    ['no way in', { entry: undefined }, { roomId: 'a' }, 'INVALID_PERMISSIONS'],
    ['the meeting of the grant', { roomId: 'a' }, { roomId: 'a' }, 'yes'],
    ['its meeting by the other of its names', { roomId: 'custom' }, { roomId: ['a', 'custom'] }, 'yes'],
    ['another meeting', { roomId: 'a' }, { roomId: 'b' }, 'UNAUTHORIZED_MEETING_ID'],
    ['a meeting with a longer name', { roomId: 'a' }, { roomId: 'ab' }, 'UNAUTHORIZED_MEETING_ID'],
    ['another meeting of two names', { roomId: 'a' }, { roomId: ['b', 'ab'] }, 'UNAUTHORIZED_MEETING_ID'],
    ['the participant of the grant', { participantId: 'x' }, { roomId: 'a', participantId: 'x' }, 'yes'],
    ['a participant not named yet', { participantId: 'x' }, { roomId: 'a' }, 'yes'],
    [
      'another participant',
      { participantId: 'x' },
      { roomId: 'a', participantId: 'y' },
      'UNAUTHORIZED_PARTCIPANT_ID',
    ],
  ]
  for (const [name, changes, scope, expected] of cases) {
    test(name, () => {
      const asked = grant(changes)
      const refusal = refusalToJoin(asked) ?? refusalOfScope(asked, scope)
      assert.equal(refusal?.code ?? 'yes', expected)
    })
  }
})

suite('REST', () => {
  const cases: [string, Partial<Grant>, Parameters<typeof assertMayUseRest>[1], ErrorName | 'yes'][] = [
    ['an unrestricted grant', {}, undefined, 'yes'],
    ['a grant with no way in', { entry: undefined }, { roomId: 'a' }, 'yes'],
    ['the role crawler', { roles: ['crawler'] }, undefined, 'yes'],
    ['both roles', { roles: ['crawler', 'rtc'] }, undefined, 'yes'],
    ['the role rtc', { roles: ['rtc'] }, undefined, 'UNAUTHORIZED_ROLE'],
    ['the meeting of the grant', { roomId: 'a' }, { roomId: 'a' }, 'yes'],
    ['its meeting by the other of its names', { roomId: 'custom' }, { roomId: ['a', 'custom'] }, 'yes'],
    ['another meeting', { roomId: 'a' }, { roomId: 'b' }, 'UNAUTHORIZED_MEETING_ID'],
    ['a list, by a grant for one meeting', { roomId: 'a' }, undefined, 'UNAUTHORIZED_MEETING_ID'],
    [
      'no meeting named, by a grant for one',
      { roomId: 'a' },
      { roomId: undefined },
      'UNAUTHORIZED_MEETING_ID',
    ],
    ['another participant', { participantId: 'x' }, { participantId: 'y' }, 'UNAUTHORIZED_PARTCIPANT_ID'],
    ['its own participant', { participantId: 'x' }, { participantId: 'x' }, 'yes'],
  ]
  for (const [name, changes, scope, expected] of cases) {
    test(name, () =>
      assert.equal(
        answer(() => assertMayUseRest(grant(changes), scope)),
        expected,
      ),
    )
  }
})
