import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { Refusal } from '../protocol/errors.ts'
import { createMinter, mintToken, parseDuration, type TokenClaims } from './mint.ts'
import { createVerifier } from './verify.ts'

const apiKey = 'key-1'
const secret = 'a secret of some length, with ümläuts'
const now = 1_750_000_000_750
const iat = 1_750_000_000
const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

function textsOf(token: string): string[] {
  return token
    .split('.')
    .slice(0, 2)
    .map((segment) => Buffer.from(segment, 'base64url').toString())
}

test('the default token has exactly this header and these claims', () => {
  const token = mintToken({ apiKey, secret, now, jti: 'j' })
  assert.deepEqual(textsOf(token), [
    '{"alg":"HS256","typ":"JWT"}',
    `{"apikey":"key-1","permissions":["allow_join"],"iat":${iat},"exp":${iat + 86_400},"jti":"j"}`,
  ])
})

test('mints the same bytes as jsonwebtoken from the same claims', () => {
  const claims = { apikey: apiKey, permissions: ['allow_join'], iat }
  assert.equal(
    mintToken({ apiKey, secret, now, jti: 'j' }),
    jsonwebtoken.sign(claims, secret, { algorithm: 'HS256', expiresIn: '24h', jwtid: 'j' }),
  )
})

test('each token has its own uuid v4', () => {
  const ids = Array.from({ length: 200 }, () => {
    const { jti } = JSON.parse(textsOf(mintToken({ apiKey, secret, now }))[1]!)
    assert.match(jti, uuidV4)
    return jti
  })
  assert.equal(new Set(ids).size, ids.length)
})

test('a meeting or participant adds version 2 and the role rtc, in the order of the samples', () => {
  const claims = textsOf(mintToken({ apiKey, secret, now, roomId: 'r', participantId: 'p', jti: 'j' }))[1]
  assert.equal(
    claims,
    '{"apikey":"key-1","permissions":["allow_join"],"version":2,"roles":["rtc"],"roomId":"r","participantId":"p",' +
      `"iat":${iat},"exp":${iat + 86_400},"jti":"j"}`,
  )
  for (const scope of [{ roomId: 'r' }, { participantId: 'p' }]) {
    const { version, roles } = JSON.parse(textsOf(mintToken({ apiKey, secret, now, ...scope }))[1]!)
    assert.deepEqual({ version, roles }, { version: 2, roles: ['rtc'] })
  }
})

test('the token contains what was requested', async () => {
  const token = mintToken({
    apiKey,
    secret,
    now,
    permissions: ['allow_mod', 'allow_join'],
    roles: ['crawler', 'rtc'],
    roomId: 'ein "Raum" \\ \u00a0 🎉',
    version: 1,
    expiresInSeconds: 60,
  })
  const options = { currentDate: new Date(now), algorithms: ['HS256'] }
  const { payload, protectedHeader } = await jwtVerify(token, new TextEncoder().encode(secret), options)
  assert.deepEqual(protectedHeader, { alg: 'HS256', typ: 'JWT' })
  const { jti, ...rest } = payload
  assert.match(jti!, uuidV4)
  assert.deepEqual(rest, {
    apikey: apiKey,
    permissions: ['allow_mod', 'allow_join'],
    version: 1,
    roles: ['crawler', 'rtc'],
    roomId: 'ein "Raum" \\ \u00a0 🎉',
    iat,
    exp: iat + 60,
  })
})

test('jose and jsonwebtoken accept five hundred different tokens', async () => {
  const minter = createMinter({ apiKey, secret, now: () => now })
  const key = new TextEncoder().encode(secret)
  for (let index = 0; index < 500; index++) {
    const token = minter.mint({ jti: `p${'é'.repeat(index % 7)}${'x'.repeat(index % 249)}` })
    const clock = { clockTimestamp: iat, algorithms: ['HS256' as const] }
    assert.equal((jsonwebtoken.verify(token, secret, clock) as jsonwebtoken.JwtPayload).apikey, apiKey)
    const { payload } = await jwtVerify(token, key, { currentDate: new Date(now), algorithms: ['HS256'] })
    assert.equal(payload.apikey, apiKey)
  }
})

test('a minter makes the same tokens as mintToken', () => {
  const minter = createMinter({ apiKey, secret, now: () => now })
  for (const claims of [
    {},
    { roomId: 'r' },
    { permissions: ['ask_join'] },
    { roles: ['crawler'] },
  ] as TokenClaims[]) {
    assert.equal(
      minter.mint({ ...claims, jti: 'j' }),
      mintToken({ apiKey, secret, now, ...claims, jti: 'j' }),
    )
  }
})

test('changing the permission list afterwards changes no later token', () => {
  const permissions = ['allow_join']
  const minter = createMinter({ apiKey, secret, now: () => now })
  minter.mint({ permissions })
  permissions[0] = 'ask_join'
  assert.match(textsOf(minter.mint())[1]!, /"permissions":\["allow_join"\]/)
})

suite('a wrong argument is a TypeError, never another token', () => {
  const mistakes: [string, Record<string, unknown>][] = [
    ['apiKey empty', { apiKey: '' }],
    ['apiKey missing', { apiKey: undefined }],
    ['secret empty', { secret: '' }],
    ['secret missing', { secret: undefined }],
    ['permissions empty', { permissions: [] }],
    ['permissions text', { permissions: 'allow_join' }],
    ['permissions unknown', { permissions: ['allow_everything'] }],
    ['permissions contradictory', { permissions: ['ask_join', 'allow_join'] }],
    ['permissions null', { permissions: null }],
    ['roles empty', { roles: [] }],
    ['roles unknown', { roles: ['admin'] }],
    ['roles text', { roles: 'rtc' }],
    ['roomId empty', { roomId: '' }],
    ['roomId blank', { roomId: '  ' }],
    ['roomId number', { roomId: 7 }],
    ['roomId null', { roomId: null }],
    ['participantId empty', { participantId: '' }],
    ['participantId list', { participantId: ['p'] }],
    ['participantId with white space', { participantId: 'a b' }],
    ['participantId with what is not seen', { participantId: 'ann\u200b' }],
    ['participantId of the server', { participantId: 'Server' }],
    ['participantId half a character', { participantId: '\ud83d' }],
    ['roomId half a character', { roomId: 'a\udc00' }],
    ['roomId too long', { roomId: 'x'.repeat(129) }],
    ['jti empty', { jti: '' }],
    ['jti half a character', { jti: '\ud83d' }],
    ['jti with U+0000', { jti: 'a\0' }],
    ['version text', { version: '2' }],
    ['version NaN', { version: NaN }],
    ['no life', { expiresInSeconds: 0 }],
    ['a negative life', { expiresInSeconds: -1 }],
    ['a fractional life', { expiresInSeconds: 1.5 }],
    ['an endless life', { expiresInSeconds: Infinity }],
    ['a life as text', { expiresInSeconds: '3600' }],
    ['a life beyond the year 9999', { expiresInSeconds: 3e11 }],
    ['a clock of NaN', { now: NaN }],
    ['a clock before 1970', { now: -1000 }],
    ['a token over 8 KiB', { apiKey: 'x'.repeat(6000) }],
    ['a token over 8 KiB of other letters', { apiKey: '€'.repeat(2500) }],
  ]
  for (const [name, mistake] of mistakes) {
    test(name, () => {
      assert.throws(
        () => mintToken({ apiKey, secret, now, ...mistake }),
        (thrown) => thrown instanceof TypeError && !thrown.message.includes(secret),
      )
    })
  }

  test('accepts the longest token that can be minted, and refuses one letter more', () => {
    const verifier = createVerifier({
      findKey: (named) => ({ apiKey: named, projectId: 'p', secret, revoked: false }),
      now: () => now,
    })
    let longest = ''
    for (let length = 5700; length < 6100; length++) {
      try {
        longest = mintToken({ apiKey: 'x'.repeat(length), secret, now })
      } catch {
        break
      }
      assert.equal(verifier.verify(longest).apiKey.length, length)
    }
    assert.ok(longest.length > 8188 && longest.length <= 8192, `${longest.length}`)
  })
})

suite('parseDuration', () => {
  const good: [unknown, number][] = [
    [1, 1],
    [3600, 3600],
    ['3600', 3600],
    ['15m', 900],
    ['24h', 86_400],
    ['7d', 604_800],
    ['30d', 2_592_000],
    [2_592_000, 2_592_000],
  ]
  for (const [value, seconds] of good) {
    test(`${JSON.stringify(value)} is ${seconds} s`, () => assert.equal(parseDuration(value), seconds))
  }

  const bad = [
    ...[
      '',
      ' ',
      '0',
      '0h',
      '-1',
      '-1h',
      '+1',
      '1.5',
      '1.5h',
      '1e3',
      '0x10',
      '007',
      ' 15m',
      '15m ',
      '15 m',
      '15M',
      '24H',
    ],
    ...[
      '90s',
      '1w',
      '1y',
      '1h30m',
      'h',
      'NaN',
      'Infinity',
      '١٥',
      '31d',
      '721h',
      '2592001',
      '99999999999999999999',
    ],
    ...[0, -1, 1.5, NaN, Infinity, 2_592_001, 1e21, 1e300, null, undefined, true, [], ['15m'], {}, 10n],
  ]
  for (const value of bad) {
    test(`refuses ${inspect(value)}`, () => {
      assert.throws(
        () => parseDuration(value),
        (thrown) =>
          thrown instanceof Refusal && thrown.code === 'INVALID_REQUEST' && thrown.reason === 'duration',
      )
    })
  }
})
