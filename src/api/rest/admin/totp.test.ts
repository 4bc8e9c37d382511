import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isAppCode, newRecoveryCodes, newTotpSecret, recoveryHash, totpAddress, totpStep } from './totp.ts'

/** `12345678901234567890` of RFC 6238, appendix B. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

test('codes are those of RFC 6238, one period early or late, and no others', () => {
  for (const [seconds, code] of [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_234_567_890, '005924'],
    [20_000_000_000, '353130'],
  ] as const) {
    const step = Math.floor(seconds / 30)
    assert.equal(totpStep(SECRET, code, seconds * 1000), step)
    assert.equal(totpStep(SECRET, code, (seconds + 30) * 1000), step)
    assert.equal(totpStep(SECRET, code, (seconds - 30) * 1000), step)
    assert.equal(totpStep(SECRET, code, (seconds + 61) * 1000), undefined)
    assert.equal(totpStep(SECRET, `${code}0`, seconds * 1000), undefined)
    assert.equal(totpStep(SECRET, '', seconds * 1000), undefined)
  }
})

test('a secret has 160 bits; its address names the server and the operator', () => {
  const secret = newTotpSecret(randomBytes)
  assert.match(secret, /^[A-Z2-7]{32}$/)
  const url = new URL(totpAddress(secret, 'Our meetings', 'Ada L'))
  assert.equal(url.protocol, 'otpauth:')
  assert.equal(decodeURIComponent(url.pathname), '/Our meetings:Ada L')
  assert.equal(url.searchParams.get('secret'), secret)
})

test('recovery codes differ, and are recognised however they are typed', () => {
  const codes = newRecoveryCodes(randomBytes)
  assert.equal(new Set(codes).size, 10)
  for (const code of codes) {
    assert.match(code, /^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/)
    assert.equal(recoveryHash(` ${code.toUpperCase().replaceAll('-', ' ')}`), recoveryHash(code))
    assert.ok(!isAppCode(code))
  }
  assert.ok(isAppCode('123 456'))
})
