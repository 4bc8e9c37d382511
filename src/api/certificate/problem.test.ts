import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOfTheWay, problemSentence } from './problem.ts'

const facts = { domain: 'meet.example.org', server: 'acme.example', port: 80 }
const rows: [type: string, says: RegExp][] = [
  ['away', /^The ACME server acme\.example does not answer \(ECONNREFUSED\): check .* ACME_DIRECTORY\.$/],
  ['untrusted', /not trusted .* ACME_CA\.$/],
  ['dns', /^meet\.example\.org has no usable address in DNS: set its A record/],
  ['connection', /cannot reach meet\.example\.org at port 80: open TCP ports 80 and 443/],
  ['tls', /no server of ours at port 80/],
  ['unauthorized', /leads to another server/],
  ['incorrectResponse', /leads to another server/],
  ['caa', /CAA record in DNS forbids acme\.example/],
  ['rateLimited', /rate limit/],
  ['rejectedIdentifier', /set DOMAIN to a public name/],
  ['unsupportedIdentifier', /set DOMAIN to a public name/],
  ['invalidContact', /ACME_EMAIL/],
  ['externalAccountRequired', /ACME_DIRECTORY/],
  ['serverInternal', /issued no certificate \(ECONNREFUSED\)/],
]

test('each problem is one sentence with the cure', () => {
  for (const [type, says] of rows) {
    const sentence = problemSentence({ type, detail: 'ECONNREFUSED' }, facts)
    assert.match(sentence, says)
    assert.match(sentence, /^[^\n]{20,300}\.$/)
  }
})

test('a name that does not resolve is told as such, also where the server calls it a failed connection', () => {
  const detail = 'Get "http://meet.example.org": could not resolve URL'
  assert.match(problemSentence({ type: 'connection', detail }, facts), /no usable address in DNS/)
})

test('the words of the ACME server are cut and stay on one line', () => {
  const sentence = problemSentence({ type: 'other', detail: `a\nb${'x'.repeat(5000)}` }, facts)
  assert.ok(sentence.length < 400)
  assert.match(sentence, /\(a bx+/)
})

test('another challenge is worth a try only where the way to this server was the problem', () => {
  for (const type of ['connection', 'tls', 'unauthorized', 'incorrectResponse'])
    assert.equal(isOfTheWay({ type, detail: '' }), true)
  for (const type of ['away', 'dns', 'caa', 'rateLimited', 'rejectedIdentifier', 'unknown'])
    assert.equal(isOfTheWay({ type, detail: '' }), false)
})
