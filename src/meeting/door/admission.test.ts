import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal, type ErrorName } from '../../protocol/errors.ts'
import type { Grant } from '../../token/token.ts'
import {
  Admissions,
  decideAdmission,
  decideSeat,
  displaces,
  type Admission,
  type SessionFacts,
} from './admission.ts'

const grant = (entry: Grant['entry'], changes: Partial<Grant> = {}): Grant => ({
  apiKey: 'key',
  projectId: 'project',
  permissions: [],
  tokenId: 'jti:own',
  entry,
  ...changes,
})

const facts = (changes: Partial<SessionFacts> = {}): SessionFacts => ({
  closed: undefined,
  keptOut: false,
  assigned: false,
  admittedBefore: false,
  locked: false,
  returning: false,
  coHost: false,
  inside: undefined,
  waiting: undefined,
  seats: 0,
  enteringWithToken: 0,
  entryRequests: 0,
  entryRequestsWithToken: 0,
  entryRequestsOfKnocks: 0,
  ...changes,
})

const limits = { maxParticipants: 4, maxEntryRequests: 6 }

/** `admit`, `wait`, `contest inside`, `contest waiting`, or the name of the refusal. */
function said(admission: Admission): string {
  switch (admission.decision) {
    case 'admit':
    case 'wait':
      return admission.decision
    case 'contest':
      return `contest ${admission.with}`
    case 'refuse':
      return admission.refusal.code
  }
}

const other = { tokenId: 'jti:other' }
const knocks = { tokenId: 'jti:knock:1', participantId: '1' }
const revoked = new Refusal('INVALID_TOKEN')

type Verdict = 'admit' | 'wait' | 'contest inside' | 'contest waiting' | ErrorName
const cases: [what: string, grant: Grant, facts: Partial<SessionFacts>, verdict: Verdict][] = [
  ['who joins directly', grant('direct'), {}, 'admit'],
  ['who moderates', grant('moderator'), {}, 'admit'],
  ['who asks', grant('ask'), {}, 'wait'],
  ['who joins directly, locked', grant('direct'), { locked: true }, 'MEETING_LOCKED'],
  ['who asks, locked', grant('ask'), { locked: true }, 'MEETING_LOCKED'],
  ['who moderates, locked', grant('moderator'), { locked: true }, 'admit'],
  ['who was inside, locked', grant('direct'), { locked: true, returning: true }, 'admit'],
  ['who was let in, locked', grant('ask'), { locked: true, returning: true, admittedBefore: true }, 'admit'],
  [
    'who was removed, locked',
    grant('direct'),
    { locked: true, returning: true, keptOut: true },
    'REMOVED_FROM_SESSION',
  ],
  ['a token without a way in', grant(undefined), {}, 'INVALID_PERMISSIONS'],

  ['who was removed', grant('direct'), { keptOut: true }, 'REMOVED_FROM_SESSION'],
  ['who was removed and asks', grant('ask'), { keptOut: true }, 'REMOVED_FROM_SESSION'],
  [
    'who was removed and admitted before',
    grant('ask'),
    { keptOut: true, admittedBefore: true },
    'REMOVED_FROM_SESSION',
  ],
  ['whose token was revoked', grant('direct'), { closed: revoked }, 'INVALID_TOKEN'],
  ['whose token was revoked and asks', grant('ask'), { closed: revoked }, 'INVALID_TOKEN'],

  ['an admitted guest who comes back', grant('ask'), { admittedBefore: true }, 'admit'],
  [
    'an admitted guest who comes back to a full meeting',
    grant('ask'),
    { admittedBefore: true, seats: 4 },
    'MAX_PARTCIPANT_REACHED',
  ],

  ['the last seat', grant('direct'), { seats: 3 }, 'admit'],
  ['a full meeting', grant('direct'), { seats: 4 }, 'MAX_PARTCIPANT_REACHED'],
  ['a full meeting, moderator', grant('moderator'), { seats: 4 }, 'MAX_PARTCIPANT_REACHED'],
  ['a full meeting, who asks', grant('ask'), { seats: 4 }, 'wait'],
  ['a full meeting, own seat', grant('direct'), { seats: 4, inside: grant('direct') }, 'admit'],
  ['unjoined seats of the token under its share', grant('direct'), { enteringWithToken: 2 }, 'admit'],
  ['unjoined seats of the token at its share', grant('direct'), { enteringWithToken: 3 }, 'RATE_LIMITED'],
  [
    'unjoined seats at the share, own seat',
    grant('direct'),
    { enteringWithToken: 3, inside: grant('direct') },
    'admit',
  ],
  ['unjoined seats of the token, who asks', grant('ask'), { enteringWithToken: 3 }, 'wait'],

  ['the last place in the lobby', grant('ask'), { entryRequests: 5 }, 'wait'],
  ['a full lobby', grant('ask'), { entryRequests: 6 }, 'RATE_LIMITED'],
  ['a full lobby, own request', grant('ask'), { entryRequests: 6, waiting: grant('ask') }, 'wait'],
  ['a full lobby, who joins directly', grant('direct'), { entryRequests: 6 }, 'admit'],
  ['the token has its share of the lobby', grant('ask'), { entryRequestsWithToken: 3 }, 'RATE_LIMITED'],
  [
    'the token has its share of the lobby, own request',
    grant('ask'),
    { entryRequestsWithToken: 3, waiting: grant('ask') },
    'wait',
  ],
  ['who knocks', grant('ask', knocks), {}, 'wait'],
  [
    'knocks have their share of the lobby',
    grant('ask', knocks),
    { entryRequestsOfKnocks: 3 },
    'RATE_LIMITED',
  ],
  ['knocks have their share, who was invited', grant('ask'), { entryRequestsOfKnocks: 3 }, 'wait'],
  [
    'knocks have their share, own request',
    grant('ask', knocks),
    { entryRequestsOfKnocks: 3, waiting: grant('ask', knocks) },
    'wait',
  ],
  [
    'who knocked, was admitted before and comes back',
    grant('ask', knocks),
    { entryRequestsOfKnocks: 3, admittedBefore: true },
    'admit',
  ],
  ['who knocked and was removed', grant('ask', knocks), { keptOut: true }, 'REMOVED_FROM_SESSION'],
  [
    'the token has its share, and the place is of another token',
    grant('ask', { participantId: 'ann' }),
    { entryRequestsWithToken: 3, waiting: grant('ask', other) },
    'RATE_LIMITED',
  ],

  ['the id is inside', grant('direct'), { inside: grant('moderator', other) }, 'contest inside'],
  ['the id is inside, who asks', grant('ask'), { inside: grant('direct', other) }, 'contest inside'],
  [
    'the id is inside and the meeting full',
    grant('direct'),
    { seats: 4, inside: grant('moderator', other) },
    'contest inside',
  ],
  ['the id waits', grant('ask'), { waiting: grant('ask', other) }, 'contest waiting'],
  ['the id waits, same token', grant('ask'), { waiting: grant('ask') }, 'wait'],
  [
    'the id waits, and the token is bound to it',
    grant('ask', { participantId: 'ann' }),
    { waiting: grant('ask', other) },
    'wait',
  ],
  ['the id waits, who joins directly', grant('direct'), { waiting: grant('ask', other) }, 'admit'],
]
test('decides who is admitted, waits, competes for the id, or is refused', () => {
  for (const [what, one, changes, verdict] of cases)
    assert.equal(said(decideAdmission(one, facts(changes), limits, 'grant')), verdict, what)
})

test('a seat for somebody admitted from the lobby follows the same rules', () => {
  const seats: [what: string, changes: Partial<SessionFacts>, verdict: Verdict][] = [
    ['room', {}, 'admit'],
    ['full', { seats: 4 }, 'MAX_PARTCIPANT_REACHED'],
    ['removed meanwhile', { keptOut: true }, 'REMOVED_FROM_SESSION'],
    ['revoked meanwhile', { closed: revoked }, 'INVALID_TOKEN'],
    ['its id is inside', { inside: grant('ask', other) }, 'contest inside'],
    ['the token has its share of unjoined seats', { enteringWithToken: 3 }, 'RATE_LIMITED'],
  ]
  for (const [what, changes, verdict] of seats)
    assert.equal(said(decideSeat(grant('ask'), facts(changes), limits, 'grant')), verdict, what)
  const { authority } = decideSeat(grant('ask'), facts(), limits, 'grant') as { authority: unknown }
  assert.deepEqual(authority, { canAdmit: false, canModerate: false })
})

test('decides who displaces the holder of a participant id', () => {
  const bound = { participantId: 'ann' }
  const pairs: [what: string, newcomer: Grant, holder: Grant, displaced: boolean][] = [
    ['the same token', grant('direct'), grant('direct'), true],
    ['the same token, a guest', grant('ask'), grant('ask'), true],
    ['as much authority', grant('direct'), grant('direct', other), true],
    ['more authority', grant('moderator'), grant('direct', other), true],
    ['a guest is displaced by one who joins directly', grant('direct'), grant('ask', other), true],
    ['less authority', grant('direct'), grant('moderator', other), false],
    ['a guest displaces nobody', grant('ask'), grant('direct', other), false],
    ['nor another guest', grant('ask'), grant('ask', other), false],
    ['a bound holder', grant('moderator'), grant('direct', { ...other, ...bound }), false],
    ['a bound newcomer', grant('direct', bound), grant('moderator', other), true],
    ['a bound guest', grant('ask', bound), grant('ask', other), true],
    ['both bound', grant('direct', bound), grant('moderator', { ...other, ...bound }), true],
  ]
  for (const [what, newcomer, holder, displaced] of pairs)
    assert.equal(displaces(newcomer, holder), displaced, what)
})

test('an admission belongs to an id together with its token', () => {
  const admissions = new Admissions()
  admissions.add('a:jti:t', 'u')
  admissions.add('ann', 'jti:1')
  admissions.add('ann', 'jti:2')
  assert.equal(admissions.has('ann', 'jti:1'), true)
  assert.equal(admissions.has('ann', 'jti:2'), true)
  for (const [id, tokenId] of [
    ['a', 'jti:t:u'],
    ['a:jti', 't:u'],
    ['ann', 'jti:3'],
    ['bob', 'jti:1'],
    ['__proto__', 'jti:1'],
  ] as const)
    assert.equal(admissions.has(id, tokenId), false, `${id} ${tokenId}`)
  admissions.forget('ann')
  assert.equal(admissions.has('ann', 'jti:2'), false)
  assert.equal(admissions.has('a:jti:t', 'u'), true)
})
