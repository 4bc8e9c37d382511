import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import type { MediaStatus } from '../../media/sfu.ts'
import type { MeetingRecord } from '../../store/store.ts'
import { Refusal, type ErrorName } from '../../protocol/errors.ts'
import { explainToken, type Grant } from '../../token/token.ts'
import { Door, refusalAtDoor, type DoorFacts, type DoorOptions } from './door.ts'

const now = Date.parse('2026-01-01')

const grant = (changes: Partial<Grant> = {}): Grant => ({
  apiKey: 'key',
  projectId: 'project',
  entry: 'direct',
  permissions: ['allow_join'],
  tokenId: 'jti:1',
  ...changes,
})

const knocks = grant({ entry: 'ask', tokenId: 'jti:knock:p1', participantId: 'p1' })

const meeting = (changes: Partial<MeetingRecord> = {}): MeetingRecord => ({
  id: 'meeting',
  meetingId: 'aaaa-bbbb-cccc',
  projectId: 'project',
  customId: 'class',
  settings: {},
  createdAt: now,
  updatedAt: now,
  disabledAt: null,
  ...changes,
})

const on: MediaStatus = { available: true } as MediaStatus
const off: MediaStatus = { available: false, reason: 'Media is off.', isComing: false }
const expired = new Refusal('INVALID_TOKEN', { reason: 'expired' })

const facts = (changes: Partial<DoorFacts> = {}): DoorFacts => ({
  grant: grant(),
  meeting: meeting(),
  participantId: 'p1',
  media: on,
  ...changes,
})

suite('the rule at the door', () => {
  const cases: [what: string, facts: Partial<DoorFacts>, ErrorName | 'open'][] = [
    ['a token without restrictions', {}, 'open'],
    ['a participant who is not named yet', { participantId: undefined }, 'open'],
    ['a token that asks', { grant: grant({ entry: 'ask' }) }, 'open'],
    ['a token for REST alone', { grant: grant({ roles: ['crawler'] }) }, 'UNAUTHORIZED_ROLE'],
    ['a token without a way in', { grant: grant({ entry: undefined }) }, 'INVALID_PERMISSIONS'],
    ['no such meeting', { meeting: undefined }, 'INVALID_MEETING_ID'],
    ['a meeting of another project', { meeting: meeting({ projectId: 'other' }) }, 'INVALID_MEETING_ID'],
    ['the meeting of the token', { grant: grant({ roomId: 'aaaa-bbbb-cccc' }) }, 'open'],
    ['its meeting by the custom id', { grant: grant({ roomId: 'class' }) }, 'open'],
    ['a token for another meeting', { grant: grant({ roomId: 'other' }) }, 'UNAUTHORIZED_MEETING_ID'],
    ['an id that no participant can have', { participantId: '' }, 'INVALID_PARTICIPANT_ID'],
    ['the participant of the token', { grant: grant({ participantId: 'p1' }) }, 'open'],
    ['another participant', { grant: grant({ participantId: 'p2' }) }, 'UNAUTHORIZED_PARTCIPANT_ID'],
    [
      'a participant whom the meeting does not list',
      { meeting: meeting({ settings: { allowedParticipantIds: ['p2'] } }) },
      'UNAUTHORIZED_PARTCIPANT_ID',
    ],
    ['a meeting that was deactivated', { meeting: meeting({ disabledAt: now }) }, 'MEETING_ID_DISABLED'],
    ['who knocks at a meeting that forbids it', { grant: knocks }, 'INVALID_PERMISSIONS'],
    [
      'who knocks at one that allows it',
      { grant: knocks, meeting: meeting({ settings: { knock: true } }) },
      'open',
    ],
    ['who was let in and comes back after it was forbidden', { grant: knocks, isKnown: true }, 'open'],
    [
      'who knocks at a list of participants',
      { grant: knocks, meeting: meeting({ settings: { knock: true, allowedParticipantIds: ['p2'] } }) },
      'UNAUTHORIZED_PARTCIPANT_ID',
    ],
    ['no media', { media: off }, 'MEDIA_UNAVAILABLE'],
    ['media that is coming', { media: { ...off, isComing: true } }, 'open'],
    ['an expired token', { outOfTime: expired }, 'INVALID_TOKEN'],
    ['an expired token of a participant who was inside', { outOfTime: expired, isKnown: true }, 'open'],
    [
      'an expired token of a participant who was inside, but for REST alone',
      { outOfTime: expired, isKnown: true, grant: grant({ roles: ['crawler'] }) },
      'UNAUTHORIZED_ROLE',
    ],
  ]
  for (const [what, changes, verdict] of cases) {
    test(what, () => assert.equal(refusalAtDoor(facts(changes))?.code ?? 'open', verdict))
  }
})

/** A door whose verifier refuses the token `expired` at this time. */
const door = (changes: Partial<DoorOptions> = {}): Door =>
  new Door({
    verify: (token, { outOfTime = false } = {}) => {
      if (token === 'expired' && !outOfTime) throw expired
      return token === 'bound' ? grant({ participantId: 'p9' }) : grant()
    },
    refusalOfOrigin: () => undefined,
    findMeeting: () => Promise.resolve(meeting()),
    findLive: () => Promise.resolve(undefined),
    knows: (_meetingId, participantId) => Promise.resolve(participantId === 'p1'),
    hasHiddenSeat: () => Promise.resolve(false),
    mediaStatus: () => on,
    randomId: () => 'random',
    ...changes,
  })

const shown = {
  token: 'good',
  meetingId: 'class',
  participantId: 'p1' as string | undefined,
  origin: undefined,
  ownOrigin: 'http://localhost',
}

const refuses = (judging: Promise<unknown>, code: ErrorName): Promise<void> =>
  assert.rejects(judging, (error) => error instanceof Refusal && error.code === code)

test('an expired token returns only over a socket, and only for a participant who was inside', async () => {
  const returning = { ...shown, token: 'expired' }
  assert.equal((await door().judge('socket', returning)).participantId, 'p1')
  await refuses(door().judge('socket', { ...returning, participantId: 'p2' }), 'INVALID_TOKEN')
  await refuses(door().judge('elsewhere', returning), 'INVALID_TOKEN')
})

test('every way in is refused while there is no media, also into another meeting', async () => {
  const dark = door({ mediaStatus: () => off })
  await refuses(dark.judge('socket', shown), 'MEDIA_UNAVAILABLE')
  await refuses(dark.judge('elsewhere', shown), 'MEDIA_UNAVAILABLE')
  await refuses(dark.assertOpen(grant(), meeting()), 'MEDIA_UNAVAILABLE')
})

test('a socket refuses a page of another origin before it looks up the meeting', async () => {
  const strict = door({
    refusalOfOrigin: () => new Refusal('UNAUTHORIZED_REQUEST'),
    findMeeting: () => assert.fail('the meeting was looked up'),
  })
  await refuses(strict.judge('socket', shown), 'UNAUTHORIZED_REQUEST')
  await refuses(strict.judge('elsewhere', shown), 'UNAUTHORIZED_REQUEST')
})

test('the participant id is the requested one, else that of the token, else a new one', async () => {
  const idOf = async (token: string, participantId: string | undefined) =>
    (await door().judge('socket', { ...shown, token, participantId })).participantId
  assert.equal(await idOf('good', 'p1'), 'p1')
  assert.equal(await idOf('bound', undefined), 'p9')
  assert.equal(await idOf('bound', ''), 'p9')
  assert.equal(await idOf('good', undefined), 'random')
  await refuses(idOf('good', ''), 'INVALID_PARTICIPANT_ID')
})

test('the explanation of a token agrees with the door', () => {
  const secret = 's'.repeat(32)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const sign = (claims: object): string => {
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ apikey: 'key', exp: now / 1000 + 60, ...claims })}`
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  }
  const cases: object[] = [
    {},
    { permissions: ['allow_join'] },
    { permissions: ['ask_join'] },
    { permissions: ['ask_join', 'allow_join'] },
    { permissions: ['allow_join'], roles: ['crawler'] },
    { permissions: ['allow_join'], roles: ['rtc'] },
    { permissions: ['allow_mod'], roomId: 'class', participantId: 'p1' },
  ]
  for (const claims of cases) {
    let asked: Grant | undefined
    const explained = explainToken(sign(claims), {
      findKey: () => ({ apiKey: 'key', secret, projectId: 'project', revoked: false }),
      isRevoked: (one) => {
        asked = one
        return false
      },
      now,
    })
    assert.ok(asked, JSON.stringify(explained.joinRefusal))
    const refusal = refusalAtDoor(facts({ grant: asked, participantId: asked.participantId }))
    assert.equal(explained.joinRefusal?.code, refusal?.code, JSON.stringify(claims))
  }
})
