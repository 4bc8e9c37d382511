import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { Refusal } from '../protocol/errors.ts'
import {
  checkHeader,
  decodeObject,
  encodeBase64url,
  hasDuplicateKey,
  isSignedBy,
  maxTokenBytes,
  prepareKey,
  sign,
  splitCompact,
} from './jws.ts'

function reasonOf(work: () => unknown): string | undefined {
  try {
    work()
  } catch (thrown) {
    assert.ok(thrown instanceof Refusal)
    assert.equal(thrown.code, 'INVALID_TOKEN')
    return thrown.reason
  }
  return 'accepted'
}

suite('published vectors', () => {
  test('RFC 7515 appendix A.1', () => {
    const token =
      'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9' +
      '.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ' +
      '.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    const k = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow'
    const key = prepareKey(Buffer.from(k, 'base64url'))
    const { header, payload, signature, signedText } = splitCompact(token)

    checkHeader(header)
    assert.equal(sign(key, signedText), signature)
    assert.ok(isSignedBy(key, signedText, signature))
    assert.deepEqual(decodeObject(payload), {
      iss: 'joe',
      exp: 1300819380,
      'http://example.com/is_root': true,
    })
  })

  test('JOSE cookbook, RFC 7520 section 4.4', () => {
    const payload =
      'SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwg' +
      'YW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9m' +
      'ZiB0by4'
    const token =
      'eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9' +
      `.${payload}.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0`
    const key = prepareKey(Buffer.from('hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg', 'base64url'))
    const { header, signature, signedText } = splitCompact(token)

    checkHeader(header)
    assert.equal(sign(key, signedText), signature)
    assert.ok(isSignedBy(key, signedText, signature))
    assert.equal(
      reasonOf(() => decodeObject(payload)),
      'json',
      'the cookbook signs prose, which is no claims set',
    )
  })
})

suite('sign', () => {
  test('agrees with createHmac for every secret length around the block size, and every text length', () => {
    for (const length of [1, 2, 31, 32, 63, 64, 65, 66, 128, 500]) {
      const secret = randomBytes(length)
      const key = prepareKey(secret)
      for (const size of [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 300, 4096, maxTokenBytes]) {
        const text = encodeBase64url(randomBytes(size).toString('hex')).slice(0, size)
        assert.equal(sign(key, text), createHmac('sha256', secret).update(text).digest('base64url'))
      }
    }
  })

  test('a shorter text leaves nothing of the one before', () => {
    const key = prepareKey('secret')
    const expected = createHmac('sha256', 'secret').update('ab').digest('base64url')
    sign(key, 'x'.repeat(5000))
    sign(prepareKey('another secret'), 'y'.repeat(5000))
    assert.equal(sign(key, 'ab'), expected)
  })

  test('a text secret counts as its UTF-8 bytes', () => {
    const expected = createHmac('sha256', Buffer.from('schlüssel €', 'utf8'))
      .update('text')
      .digest('base64url')
    assert.equal(sign(prepareKey('schlüssel €'), 'text'), expected)
  })

  test('refuses a text longer than a token', () => {
    assert.throws(() => sign(prepareKey('s'), 'x'.repeat(maxTokenBytes + 1)), RangeError)
  })
})

test('refuses any other character anywhere in a signature', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n'
  const key = prepareKey('secret')
  const signature = sign(key, 'text')
  assert.ok(isSignedBy(key, 'text', signature))
  for (let position = 0; position < signature.length; position++) {
    for (const character of alphabet) {
      if (character === signature[position]) continue
      const changed = signature.slice(0, position) + character + signature.slice(position + 1)
      assert.equal(isSignedBy(key, 'text', changed), false, `${position} ${character}`)
    }
    assert.equal(isSignedBy(key, 'text', signature.slice(0, position) + signature.slice(position + 1)), false)
  }
  assert.equal(isSignedBy(key, 'text', `${signature}=`), false)
  assert.equal(isSignedBy(key, 'text', ''), false)
})

suite('splitCompact', () => {
  const cases: [name: string, token: unknown, reason: string][] = [
    ['nothing', undefined, 'missing'],
    ['null', null, 'missing'],
    ['an empty string', '', 'missing'],
    ['a number', 42, 'missing'],
    ['a list with a token in it', ['a.b.c'], 'missing'],
    ['one part', 'abc', 'parts'],
    ['two parts', 'a.b', 'parts'],
    ['four parts', 'a.b.c.d', 'parts'],
    ['five parts, as JWE has', 'a.b.c.d.e', 'parts'],
    ['an empty header', '.b.c', 'parts'],
    ['an empty payload', 'a..c', 'parts'],
    ['an empty signature', 'a.b.', 'parts'],
    ['dots alone', '..', 'parts'],
    ['a dot behind', 'a.b.c.', 'parts'],
    ['letters beyond ASCII', 'a.b.ç', 'characters'],
    ['a character that latin1 folds onto a letter', 'a.b.\u0141', 'characters'],
    ['a lone surrogate', 'a.b.\ud800', 'characters'],
    ['one byte too many', `a.b.${'c'.repeat(maxTokenBytes - 3)}`, 'size'],
    ['too many bytes in few characters', `a.b.${'€'.repeat(maxTokenBytes / 2)}`, 'size'],
  ]
  for (const [name, token, reason] of cases) {
    test(`refuses ${name}`, () =>
      assert.equal(
        reasonOf(() => splitCompact(token)),
        reason,
      ))
  }

  test('accepts exactly 8 KiB', () => {
    assert.equal(splitCompact(`a.b.${'c'.repeat(maxTokenBytes - 4)}`).header, 'a')
  })
})

suite('checkHeader', () => {
  const accepted = [
    '{"alg":"HS256","typ":"JWT"}',
    '{"typ":"JWT","alg":"HS256"}',
    '{"alg":"HS256"}',
    '{"alg":"HS256","typ":"jwt"}',
    '{"alg":"HS256","typ":"application/jwt"}',
    '{"alg":"HS256","kid":"x","x":{"a":1},"y":[{"a":1},{"a":2}]}',
    ' {"alg" : "HS256"}\n',
    '{"alg":"HS256","b64":true}',
    '{"\\u0061lg":"HS256"}',
  ]
  for (const json of accepted) {
    test(`accepts ${JSON.stringify(json)}`, () => checkHeader(encodeBase64url(json)))
  }

  const refused: [json: string, reason: string][] = [
    ...[
      'none',
      'None',
      'NONE',
      '',
      'hs256',
      'Hs256',
      'HS256 ',
      ' HS256',
      'HS384',
      'HS512',
      'RS256',
      'ES256',
      'EdDSA',
    ].map((alg): [string, string] => [JSON.stringify({ alg, typ: 'JWT' }), 'alg']),
    ['{"typ":"JWT"}', 'alg'],
    ['{"alg":null}', 'alg'],
    ['{"alg":["HS256"]}', 'alg'],
    ['{"alg":{"toString":"HS256"}}', 'alg'],
    ['{"ALG":"HS256"}', 'alg'],
    ['{"__proto__":{"alg":"HS256"}}', 'alg'],
    ['{"alg":"HS256","crit":["exp"],"exp":1}', 'crit'],
    ['{"alg":"HS256","crit":[]}', 'crit'],
    ['{"alg":"HS256","crit":null}', 'crit'],
    ['{"alg":"HS256","b64":false}', 'b64'],
    ['{"alg":"HS256","b64":"false"}', 'b64'],
    ['{"alg":"HS256","b64":0}', 'b64'],
    ['{"alg":"HS256","typ":"JOSE"}', 'typ'],
    ['{"alg":"HS256","typ":1}', 'typ'],
    ['{"alg":"none","alg":"HS256"}', 'duplicate-key'],
    ['{"alg":"HS256","alg":"HS256"}', 'duplicate-key'],
    ['{"alg":"HS256","\\u0061lg":"none"}', 'duplicate-key'],
    ['{"alg":"HS256","x":{"a":1,"a":2}}', 'duplicate-key'],
    ['{"alg":"HS256","x":[1,{"a":1,"a" : 2}]}', 'duplicate-key'],
    ['["HS256"]', 'not-an-object'],
    ['"HS256"', 'not-an-object'],
    ['null', 'not-an-object'],
    ['7', 'not-an-object'],
    ['{"alg":"HS256"', 'json'],
    ['{"alg":"HS256"}{}', 'json'],
    ["{'alg':'HS256'}", 'json'],
    ['{"alg":"HS256",}', 'json'],
    ['\ufeff{"alg":"HS256"}', 'json'],
  ]
  for (const [json, reason] of refused) {
    test(`refuses ${json}: ${reason}`, () =>
      assert.equal(
        reasonOf(() => checkHeader(encodeBase64url(json))),
        reason,
      ))
  }

  test('refuses invalid UTF-8', () => {
    for (const bytes of [
      [0xff],
      [0xc3, 0x28],
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
      [0xf8, 0x88, 0x80, 0x80, 0x80],
    ]) {
      const text = Buffer.concat([
        Buffer.from('{"alg":"HS256","kid":"'),
        Buffer.from(bytes),
        Buffer.from('"}'),
      ])
      assert.equal(
        reasonOf(() => checkHeader(text.toString('base64url'))),
        'utf8',
      )
    }
  })

  test('refuses every spelling of base64url but the canonical one', () => {
    const canonical = encodeBase64url('{"alg":"HS256","x":"\u00ff\u00fe?>"}')
    checkHeader(canonical)
    assert.match(canonical, /[-_]/)
    const padded = encodeBase64url('{"alg":"HS256"}  ')
    checkHeader(padded)
    const last = padded.slice(-1)
    const nextLetter = String.fromCharCode(last.charCodeAt(0) + 1)
    for (const other of [
      canonical.replaceAll('-', '+').replaceAll('_', '/'),
      `${padded}=`,
      `${padded}==`,
      `${canonical} `,
      `${canonical}\n`,
      ` ${canonical}`,
      `${canonical.slice(0, 5)}\t${canonical.slice(5)}`,
      `${padded.slice(0, -1)}${nextLetter}`,
      `${encodeBase64url('{"alg":"HS256"}')}A`,
      `${canonical}!`,
      `${canonical}%00`,
    ]) {
      assert.equal(
        reasonOf(() => checkHeader(other)),
        'base64url',
        JSON.stringify(other),
      )
    }
  })
})

test('hasDuplicateKey compares only keys, and each object separately', () => {
  for (const json of [
    '{}',
    '{"a":"a","b":"a"}',
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"{\\"b\\":1,\\"b\\":2}"}',
  ]) {
    assert.equal(hasDuplicateKey(json), false, json)
  }
  for (const json of [
    '{"a":1,"a":1}',
    '{"":1,"":2}',
    '{"a":[],"b":{},"a":0}',
    '{"\\"":1,"\\u0022":2}',
    '[[{"x":1,"x":1}]]',
  ]) {
    assert.equal(hasDuplicateKey(json), true, json)
  }
})

test('an error never quotes the text it could not read', () => {
  try {
    decodeObject(encodeBase64url('{"apikey":"quoted-by-json-parse'))
    assert.fail('accepted')
  } catch (thrown) {
    assert.ok(thrown instanceof Refusal)
    assert.equal(thrown.cause, undefined)
    assert.doesNotMatch(`${thrown.message}${String(thrown.stack)}`, /quoted/)
  }
})
