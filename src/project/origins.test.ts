/** Which web pages may use a key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalOrigin, refusalOfOrigin } from './origins.ts'

const OWN = 'https://meet.example'
const allowed = (origins: string[] | null, origin: string | undefined): boolean =>
  refusalOfOrigin(origins, origin, OWN) === undefined

test('rejects what is not an origin', () => {
  for (const text of [
    '',
    '*',
    'null',
    'app.example',
    'https://',
    'https://*',
    'https://*.example',
    'https://app.*.example',
    'https://*app.example.org',
    'https://*.*.example.org',
    'ftp://app.example',
    'https://app.example/path',
    'https://app.example?x',
    'https://me@app.example',
    'https://app.example:99999',
    'https://app example',
    'javascript:alert(1)',
    `https://${'a'.repeat(400)}.example`,
  ])
    assert.equal(normalOrigin(text), undefined, text)
})

test('spells an origin as browsers do', () => {
  assert.equal(normalOrigin(' HTTPS://App.Example:443 '), 'https://app.example')
  assert.equal(normalOrigin('http://localhost:80'), 'http://localhost')
  assert.equal(normalOrigin('http://[::1]:3000'), 'http://[::1]:3000')
  assert.equal(normalOrigin('https://*.Example.org:8443'), 'https://*.example.org:8443')
})

test('a key with origins refuses pages of all others', () => {
  const origins = ['https://app.example', 'https://*.example.org', 'http://localhost:3000']
  for (const origin of [
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.com',
    'https://evilexample.org',
    'https://example.org',
    'https://a.example.org:8443',
    'http://a.example.org',
    'https://*.example.org',
    'http://localhost',
    'http://localhost:3001',
    'null',
    '',
    'file://',
  ]) {
    const refusal = refusalOfOrigin(origins, origin, OWN)
    assert.equal(refusal?.number, 4025, origin)
    assert.equal(refusal.code, 'UNAUTHORIZED_REQUEST')
  }
  for (const origin of [
    'https://app.example',
    'https://a.example.org',
    'https://a.b.example.org',
    'http://localhost:3000',
    OWN,
    // The request does not come from a browser.
    undefined,
  ])
    assert.ok(allowed(origins, origin), origin)
  assert.ok(allowed(null, 'https://anywhere.example'), 'any, where none is named')
})
