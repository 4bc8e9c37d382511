import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { SignJWT } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { Refusal, type ErrorName } from '../protocol/errors.ts'
import { mintToken } from './mint.ts'
import { createVerifier, type SigningKey, type VerifierOptions } from './verify.ts'

const now = 1_750_000_000_000
const seconds = now / 1000
const apiKey = 'key-1'
const secret = 'the secret of key-1'
const key: SigningKey = { apiKey, projectId: 'project-1', secret, revoked: false }
const keys = new Map<string, SigningKey>([
  [apiKey, key],
  ['revoked', { apiKey: 'revoked', projectId: 'project-1', secret, revoked: true }],
  ['secretless', { apiKey: 'secretless', projectId: 'project-1', secret: '', revoked: false }],
])

function verifierWith(options: Partial<VerifierOptions> = {}) {
  return createVerifier({ findKey: (name) => keys.get(name), now: () => now, ...options })
}

const encode = (text: string | Uint8Array) => Buffer.from(text).toString('base64url')

function signed(
  payload: string | Uint8Array,
  header = '{"alg":"HS256","typ":"JWT"}',
  signer = secret,
): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${createHmac('sha256', signer).update(text).digest('base64url')}`
}

const claims = (changes: Record<string, unknown> = {}) => ({
  apikey: apiKey,
  permissions: ['allow_join'],
  iat: seconds,
  exp: seconds + 60,
  ...changes,
})
const withClaims = (changes: Record<string, unknown>) => signed(JSON.stringify(claims(changes)))

const sentences: Partial<Record<ErrorName, string>> = {
  INVALID_TOKEN: 'Token is invalid or expired',
  INVALID_API_KEY: 'This server does not know the API key in the token.',
  APIKEY_DEACTIVATED: 'The API key in the token was revoked.',
}

function refusalOf(token: unknown, verifier = verifierWith()): Refusal {
  try {
    verifier.verify(token)
  } catch (thrown) {
    assert.ok(thrown instanceof Refusal, inspect(thrown))
    return thrown
  }
  assert.fail('accepted')
}

function assertRefused(
  token: unknown,
  code: ErrorName,
  reason: string,
  verifier?: ReturnType<typeof verifierWith>,
): void {
  const refusal = refusalOf(token, verifier)
  assert.deepEqual(
    { code: refusal.code, reason: refusal.reason, message: refusal.message },
    { code, reason, message: sentences[code] },
  )
  assert.equal(refusal.cause, undefined)
  const said = inspect(refusal, { depth: 9 })
  for (const part of typeof token === 'string' ? token.split('.') : []) {
    assert.ok(part.length < 12 || !said.includes(part), 'the refusal holds a part of the token')
  }
  assert.ok(!said.includes(secret))
}

suite('accepts', () => {
  test('our own token, in full', () => {
    const token = mintToken({
      apiKey,
      secret,
      now,
      permissions: ['allow_join', 'allow_mod'],
      roomId: 'abcd-efgh-ijkl',
      participantId: 'p1',
      roles: ['rtc', 'crawler'],
      jti: 'j1',
    })
    assert.deepEqual(verifierWith().verify(token), {
      apiKey,
      projectId: 'project-1',
      entry: 'moderator',
      permissions: ['allow_join', 'allow_mod'],
      roomId: 'abcd-efgh-ijkl',
      participantId: 'p1',
      roles: ['rtc', 'crawler'],
      issuedAt: now,
      expiresAt: now + 86_400_000,
      tokenId: 'jti:j1',
    })
  })

  test('a token of jsonwebtoken', () => {
    const token = jsonwebtoken.sign({ apikey: apiKey, permissions: ['ask_join'], iat: seconds }, secret, {
      algorithm: 'HS256',
      expiresIn: '10m',
      jwtid: 'x',
    })
    const grant = verifierWith().verify(token)
    assert.equal(grant.entry, 'ask')
    assert.equal(grant.expiresAt, now + 600_000)
    assert.equal(grant.tokenId, 'jti:x')
  })

  test('a token of jose, whose header has no typ', async () => {
    const token = await new SignJWT({ apikey: apiKey, permissions: ['allow_mod'], version: '2' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 60)
      .sign(new TextEncoder().encode(secret))
    const grant = verifierWith().verify(token)
    assert.equal(grant.entry, 'moderator')
    assert.equal(grant.tokenId, `sha256:${createHash('sha256').update(token).digest('hex')}`)
  })

  test('claims and spellings found in the wild', () => {
    const verifier = verifierWith()
    assert.deepEqual(verifier.verify(withClaims({ roles: ['CRAWLER', 'Rtc'] })).roles, ['crawler', 'rtc'])
    assert.equal(verifier.verify(withClaims({ version: '2', custom: { a: [1] }, sub: 7 })).entry, 'direct')
    const bare = verifier.verify(withClaims({ permissions: undefined, iat: undefined }))
    assert.equal(bare.entry, undefined)
    assert.deepEqual(bare.permissions, [])
    assert.equal('roles' in bare || 'roomId' in bare || 'participantId' in bare || 'issuedAt' in bare, false)
    assert.equal(verifier.verify(withClaims({ exp: seconds + 0.5 })).expiresAt, now + 500)
    assert.match(verifier.verify(withClaims({ jti: 7 })).tokenId, /^sha256:[0-9a-f]{64}$/)
    assert.match(verifier.verify(withClaims({ jti: '' })).tokenId, /^sha256:[0-9a-f]{64}$/)
    assert.equal(verifier.verify(withClaims({ roomId: 'ümläut 🎉' })).roomId, 'ümläut 🎉')
  })

  test('the grant cannot be changed by its reader', () => {
    const grant = verifierWith().verify(
      withClaims({ roles: ['rtc'], permissions: ['allow_join', 'allow_mod'] }),
    )
    assert.ok(Object.isFrozen(grant) && Object.isFrozen(grant.permissions) && Object.isFrozen(grant.roles))
  })
})

suite('refuses the form', () => {
  const good = mintToken({ apiKey, secret, now })
  const [header, payload, signature] = good.split('.') as [string, string, string]
  const json = JSON.stringify(claims())
  const cases: [name: string, token: unknown, reason: string][] = [
    ['nothing', undefined, 'missing'],
    ['an object', { token: good }, 'missing'],
    ['an empty text', '', 'missing'],
    ['a Bearer left on', `Bearer ${good}`, 'base64url'],
    ['two parts', `${header}.${payload}`, 'parts'],
    ['four parts', `${good}.${signature}`, 'parts'],
    ['no signature', `${header}.${payload}.`, 'parts'],
    [
      '8 KiB and one byte',
      `${header}.${payload}.${'A'.repeat(8192 - header.length - payload.length - 1)}`,
      'size',
    ],
    ['alg none without a signature', `${encode('{"alg":"none"}')}.${payload}.`, 'parts'],
    ['alg none, signed', signed(json, '{"alg":"none"}'), 'alg'],
    ['alg nOnE, signed', signed(json, '{"alg":"nOnE"}'), 'alg'],
    ['alg hs256, signed', signed(json, '{"alg":"hs256"}'), 'alg'],
    ['alg RS256, signed with the secret', signed(json, '{"alg":"RS256"}'), 'alg'],
    ['crit', signed(json, '{"alg":"HS256","crit":["b64"],"b64":true}'), 'crit'],
    ['b64 false', signed(json, '{"alg":"HS256","b64":false}'), 'b64'],
    ['a header with two algs', signed(json, '{"alg":"none","alg":"HS256"}'), 'duplicate-key'],
    ['a header that is a list', signed(json, '[]'), 'not-an-object'],
    ['a header that is no JSON', signed(json, 'HS256'), 'json'],
    ['a padded payload', `${header}.${payload}=.${signature}`, 'base64url'],
    ['a payload with a space in it', `${header}.${payload} .${signature}`, 'base64url'],
    ['a padded signature', `${good}=`, 'base64url'],
    ['a payload that is a list', signed('[]'), 'not-an-object'],
    ['a payload that is null', signed('null'), 'not-an-object'],
    ['a payload that is a text', signed('"x"'), 'not-an-object'],
    ['a payload that is a number', signed('1'), 'not-an-object'],
    ['a payload that is no JSON', signed(`${json}}`), 'json'],
    ['an empty payload object cut off', signed('{'), 'json'],
    ['a payload with a byte order mark', signed(`\ufeff${json}`), 'json'],
    [
      'a payload that is no UTF-8',
      signed(Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')])),
      'utf8',
    ],
  ]
  for (const [name, token, reason] of cases) {
    test(name, () => assertRefused(token, 'INVALID_TOKEN', reason))
  }

  test('every other spelling of the last letter of a signature, though it decodes to the same bytes', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const start = alphabet.indexOf(signature.at(-1)!)
    for (let bits = 1; bits < 4; bits++) {
      const other = `${good.slice(0, -1)}${alphabet[start + bits]!}`
      assert.deepEqual(
        Buffer.from(other.split('.')[2]!, 'base64url'),
        Buffer.from(signature, 'base64url'),
        'this test is about equal bytes',
      )
      assertRefused(other, 'INVALID_TOKEN', 'base64url')
    }
  })
})

suite('refuses the signature', () => {
  const good = mintToken({ apiKey, secret, now, jti: 'j' })
  const start = good.lastIndexOf('.') + 1

  test('with any single character changed', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const verifier = verifierWith({ cacheSize: 100 })
    verifier.verify(good)
    for (let position = start; position < good.length; position++) {
      for (const character of alphabet) {
        if (character === good[position]) continue
        const refusal = refusalOf(good.slice(0, position) + character + good.slice(position + 1), verifier)
        assert.equal(refusal.code, 'INVALID_TOKEN')
        assert.match(refusal.reason!, /^(signature|base64url)$/)
      }
    }
    assert.equal(verifier.cached, 1)
  })

  test('after any single bit of the payload changed', () => {
    const [header, payload, signature] = good.split('.') as [string, string, string]
    const bytes = Buffer.from(payload, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      const { code } = refusalOf(`${header}.${encode(changed)}.${signature}`)
      assert.ok(code === 'INVALID_TOKEN' || code === 'INVALID_API_KEY')
    }
  })

  const json = JSON.stringify(claims())
  const unsigned = signed(json).slice(0, signed(json).lastIndexOf('.'))
  const withSignature = (algorithm: string) =>
    `${unsigned}.${createHmac(algorithm, secret).update(unsigned).digest('base64url')}`
  const cases: [string, string][] = [
    ['by another secret', signed(json, undefined, 'another')],
    ['by an empty secret', signed(json, undefined, '')],
    ['by the public key id', signed(json, undefined, apiKey)],
    [
      'by the base64 reading of the secret',
      signed(json, undefined, Buffer.from(secret, 'base64').toString('latin1')),
    ],
    ['by HS384', withSignature('sha384')],
    ['by HS512', withSignature('sha512')],
    ['cut short', good.slice(0, -3)],
    ['of another token', `${unsigned}.${good.slice(start)}`],
  ]
  for (const [name, token] of cases) {
    test(name, () => assertRefused(token, 'INVALID_TOKEN', 'signature'))
  }

  test('checks the signature before any claim: a forged expired token is forged, not expired', () => {
    assertRefused(signed(JSON.stringify(claims({ exp: 1 })), undefined, 'x'), 'INVALID_TOKEN', 'signature')
    assertRefused(
      signed(JSON.stringify(claims({ apikey: 'revoked' })), undefined, 'x'),
      'INVALID_TOKEN',
      'signature',
    )
  })
})

suite('refuses the key', () => {
  const cases: [name: string, apikey: unknown, code: ErrorName, reason: string][] = [
    ['absent', undefined, 'INVALID_API_KEY', 'apikey'],
    ['empty', '', 'INVALID_API_KEY', 'apikey'],
    ['null', null, 'INVALID_API_KEY', 'apikey'],
    ['a number', 1, 'INVALID_API_KEY', 'apikey'],
    ['a list', [apiKey], 'INVALID_API_KEY', 'apikey'],
    ['unknown', 'nobody', 'INVALID_API_KEY', 'unknown-key'],
    ['of another case', 'KEY-1', 'INVALID_API_KEY', 'unknown-key'],
    ['a name that every object has', '__proto__', 'INVALID_API_KEY', 'unknown-key'],
    ['revoked', 'revoked', 'APIKEY_DEACTIVATED', 'revoked-key'],
  ]
  for (const [name, apikey, code, reason] of cases) {
    test(name, () => assertRefused(withClaims({ apikey }), code, reason))
  }

  test('a key without a secret, though anybody could sign with it', () => {
    const token = signed(JSON.stringify(claims({ apikey: 'secretless' })), undefined, '')
    assertRefused(token, 'INVALID_API_KEY', 'unknown-key')
  })

  test('a token signed with the stand-in secret for unknown keys', () => {
    const token = signed(JSON.stringify(claims({ apikey: 'nobody' })), undefined, 'nobody')
    assertRefused(token, 'INVALID_API_KEY', 'unknown-key')
  })
})

suite('refuses the times', () => {
  const raw = (name: string, text: string) =>
    signed(JSON.stringify(claims({ [name]: '§' })).replace('"§"', text))
  for (const name of ['exp', 'nbf', 'iat']) {
    const nonsense = [
      '1e999',
      '-1e999',
      '-1',
      '-0.5',
      '1e300',
      '253402300800',
      `${now}`,
      `"${seconds + 60}"`,
      '""',
      'null',
    ]
    for (const text of [...nonsense, 'true', '[]', `[${seconds}]`, '{}']) {
      test(`${name} ${text}`, () => assertRefused(raw(name, text), 'INVALID_TOKEN', name))
    }
  }

  const cases: [string, Record<string, unknown>, string][] = [
    ['exp passed by the skew', { exp: seconds - 60 }, 'expired'],
    ['exp zero', { exp: 0 }, 'expired'],
    ['nbf beyond the skew', { nbf: seconds + 61 }, 'not-yet-valid'],
    ['nbf a fraction beyond the skew', { nbf: seconds + 60.001 }, 'not-yet-valid'],
    ['iat beyond the skew', { iat: seconds + 61 }, 'issued-in-future'],
    ['no exp', { exp: undefined }, 'no-expiry'],
  ]
  for (const [name, changes, reason] of cases) {
    test(name, () => assertRefused(withClaims(changes), 'INVALID_TOKEN', reason))
  }

  test('accepts them within the clock skew', () => {
    const verifier = verifierWith()
    verifier.verify(withClaims({ exp: seconds - 59 }))
    verifier.verify(withClaims({ nbf: seconds + 60 }))
    verifier.verify(withClaims({ iat: seconds + 60 }))
    verifier.verify(withClaims({ nbf: 0, iat: 0 }))
    verifier.verify(withClaims({ exp: 253_402_300_799 }))
  })

  test('the clock skew can be set', () => {
    assertRefused(
      withClaims({ exp: seconds }),
      'INVALID_TOKEN',
      'expired',
      verifierWith({ clockSkewSeconds: 0 }),
    )
    assert.throws(() => verifierWith({ clockSkewSeconds: -1 }), TypeError)
    assert.throws(() => verifierWith({ clockSkewSeconds: NaN }), TypeError)
  })

  test('accepts a token without exp only if that is allowed, and checks everything else', () => {
    const verifier = verifierWith({ allowWithoutExpiry: true })
    assert.equal('expiresAt' in verifier.verify(withClaims({ exp: undefined })), false)
    assertRefused(withClaims({ exp: null }), 'INVALID_TOKEN', 'exp', verifier)
    assertRefused(withClaims({ exp: 1 }), 'INVALID_TOKEN', 'expired', verifier)
  })
})

suite('present but wrong never means unrestricted', () => {
  const wrongNames = ['', ' ', '\t\n', null, 0, 1, true, false, [], ['abcd'], {}]
  for (const claim of ['roomId', 'participantId']) {
    for (const value of wrongNames) {
      test(`${claim} ${JSON.stringify(value)}`, () =>
        assertRefused(withClaims({ [claim]: value }), 'INVALID_TOKEN', claim))
    }
  }
  const wrongLists = [null, '', {}, 0, true, [''], [null], [7], [['rtc']], { 0: 'rtc', length: 1 }]
  for (const claim of ['roles', 'permissions']) {
    for (const value of wrongLists) {
      test(`${claim} ${JSON.stringify(value)}`, () =>
        assertRefused(withClaims({ [claim]: value }), 'INVALID_TOKEN', claim))
    }
  }
  for (const value of ['rtc', 'crawler', ['rtc', 1], ['rtc', '']]) {
    test(`roles ${JSON.stringify(value)}`, () =>
      assertRefused(withClaims({ roles: value }), 'INVALID_TOKEN', 'roles'))
  }
  for (const value of ['allow_join', ['allow_join', 1], ['allow_join', '']]) {
    test(`permissions ${JSON.stringify(value)}`, () =>
      assertRefused(withClaims({ permissions: value }), 'INVALID_TOKEN', 'permissions'))
  }
  const understood: [claim: string, value: string[], read: string[]][] = [
    ['roles', [], []],
    ['roles', ['admin'], []],
    ['roles', ['rtc '], []],
    ['roles', ['rtc,crawler'], []],
    ['roles', ['ｒｔｃ'], []],
    ['roles', ['rtc', 'admin'], ['rtc']],
    ['roles', ['rtc', 'crawler', 'viewer'], ['rtc', 'crawler']],
    ['permissions', [], []],
    ['permissions', ['admin'], ['admin']],
  ]
  for (const [claim, value, read] of understood) {
    test(`${claim} ${JSON.stringify(value)} is a list, and grants what it names`, () => {
      const grant = verifierWith().verify(withClaims({ [claim]: value }))
      assert.deepEqual(grant[claim as 'roles' | 'permissions'], read)
    })
  }
  test('an inherited name is not a claim', () => {
    const json = JSON.stringify(claims()).replace('{', '{"__proto__":{"roomId":"x"},')
    assert.equal('roomId' in verifierWith().verify(signed(json)), false)
  })
})

suite('cached tokens', () => {
  function scene() {
    const state = { now, lookups: 0, keys: new Map<string, SigningKey>([[apiKey, { ...key }]]) }
    const verifier = createVerifier({
      now: () => state.now,
      cacheSize: 2,
      findKey: (name) => {
        state.lookups++
        return state.keys.get(name)
      },
    })
    return { state, verifier }
  }

  test('returns the same grant the second time', () => {
    const { state, verifier } = scene()
    const token = withClaims({})
    assert.equal(verifier.verify(token), verifier.verify(token))
    assert.equal(state.lookups, 2)
    verifier.clear()
    assert.equal(verifier.cached, 0)
    verifier.verify(token)
  })

  test('expire to the second', () => {
    const { state, verifier } = scene()
    const token = withClaims({})
    state.now = now + 119_999
    verifier.verify(token)
    state.now = now + 120_000
    assertRefused(token, 'INVALID_TOKEN', 'expired', verifier)
  })

  test('are checked again when the clock was set back', () => {
    const { state, verifier } = scene()
    const token = withClaims({ nbf: seconds })
    verifier.verify(token)
    state.now = now - 61_000
    assertRefused(token, 'INVALID_TOKEN', 'not-yet-valid', verifier)
  })

  test('are dropped with their key: revoked in place', () => {
    const { state, verifier } = scene()
    const token = withClaims({})
    verifier.verify(token)
    state.keys.get(apiKey)!.revoked = true
    assertRefused(token, 'APIKEY_DEACTIVATED', 'revoked-key', verifier)
    assert.equal(verifier.cached, 0)
  })

  test('are dropped with their key: revoked by a new record', () => {
    const { state, verifier } = scene()
    const token = withClaims({})
    verifier.verify(token)
    state.keys.set(apiKey, { ...key, revoked: true })
    assertRefused(token, 'APIKEY_DEACTIVATED', 'revoked-key', verifier)
  })

  test('are dropped with their key: deleted', () => {
    const { state, verifier } = scene()
    const token = withClaims({})
    verifier.verify(token)
    state.keys.delete(apiKey)
    assertRefused(token, 'INVALID_API_KEY', 'unknown-key', verifier)
  })

  test('are dropped when their secret is replaced, by a new record or in place', () => {
    for (const rotate of [
      (all: Map<string, SigningKey>) => all.set(apiKey, { ...key, secret: 'new' }),
      (all: Map<string, SigningKey>) => (all.get(apiKey)!.secret = 'new'),
    ]) {
      const { state, verifier } = scene()
      const token = withClaims({})
      verifier.verify(token)
      rotate(state.keys)
      assertRefused(token, 'INVALID_TOKEN', 'signature', verifier)
      verifier.verify(signed(JSON.stringify(claims()), undefined, 'new'))
    }
  })

  test('move with their key to another project', () => {
    const { state, verifier } = scene()
    const token = withClaims({})
    assert.equal(verifier.verify(token).projectId, 'project-1')
    state.keys.set(apiKey, { ...key, projectId: 'project-2' })
    assert.equal(verifier.verify(token).projectId, 'project-2')
  })

  test('are limited in number, and exclude refused ones', () => {
    const { verifier } = scene()
    for (let index = 0; index < 10; index++) verifier.verify(withClaims({ jti: `${index}` }))
    assert.equal(verifier.cached, 2)
    verifier.clear()
    refusalOf(withClaims({ exp: 1 }), verifier)
    refusalOf(signed(JSON.stringify(claims()), undefined, 'x'), verifier)
    assert.equal(verifier.cached, 0)
    assert.equal(verifierWith().cached, 0)
  })
})

test('an unknown key costs the same signature as a known one', () => {
  const verifier = verifierWith()
  const unknown = withClaims({ apikey: 'nobody' })
  const forged = signed(JSON.stringify(claims()), undefined, 'another secret')
  const turn = (token: string) => {
    const start = process.hrtime.bigint()
    for (let index = 0; index < 200; index++) {
      try {
        verifier.verify(token)
      } catch {
        continue
      }
    }
    return Number(process.hrtime.bigint() - start)
  }
  const times: [number, number][] = Array.from({ length: 40 }, () => [turn(unknown), turn(forged)])
  // The best of many rounds, because other load on the machine can only add time.
  const ratio = Math.min(...times.map(([time]) => time)) / Math.min(...times.map(([, time]) => time))
  assert.ok(
    ratio > 0.8 && ratio < 1.25,
    `an unknown key takes ${ratio.toFixed(2)} × the time of a forged signature`,
  )
})
