import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../errors.ts'
import { readConfig } from './read.ts'

const DOMAIN = 'meet.example.org'
const refuses = (env: Record<string, string>): string => {
  try {
    readConfig(env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message
  }
  throw new assert.AssertionError({ message: `accepted: ${JSON.stringify(env)}` })
}

test('DOMAIN is a name of several labels', () => {
  for (const name of [
    'localhost',
    'https://meet.example.org',
    'meet.example.org:443',
    '192.0.2.1',
    'a b.c',
    '-.x',
    '*.example.org',
  ])
    assert.match(refuses({ DOMAIN: name }), /^DOMAIN must be a host name such as meet\.example\.org/)
  assert.equal(readConfig({ DOMAIN: 'Meet.Example.org.' }).domain, DOMAIN)
  assert.equal(readConfig({ DOMAIN: 'b\u00fccher.example' }).domain, 'xn--bcher-kva.example')
})

test('DOMAIN changes the defaults of other settings, and nothing that is given', () => {
  const alone = readConfig({ DOMAIN })
  assert.match(alone.host, /^(::|0\.0\.0\.0)$/)
  assert.deepEqual([alone.port, alone.httpsPort, alone.publicUrl], [80, 443, `https://${DOMAIN}`])
  assert.deepEqual(alone.given, ['DOMAIN'])
  const other = readConfig({ DOMAIN, HOST: '127.0.0.1', PORT: '8080', HTTPS_PORT: '8443' })
  assert.deepEqual(
    [other.host, other.port, other.httpsPort, other.publicUrl],
    ['127.0.0.1', 8080, 8443, `https://${DOMAIN}:8443`],
  )
  // Ports 80 and 443 may be forwarded to these.
  assert.equal(
    readConfig({ DOMAIN, HTTPS_PORT: '8443', PUBLIC_URL: `https://${DOMAIN}` }).publicUrl,
    `https://${DOMAIN}`,
  )
})

test('settings that contradict DOMAIN are refused with the cure', () => {
  assert.match(refuses({ DOMAIN, TLS_CERT: 'a', TLS_KEY: 'b' }), /unset DOMAIN to use your own/)
  for (const url of ['https://other.example', `http://${DOMAIN}`])
    assert.match(
      refuses({ DOMAIN, PUBLIC_URL: url }),
      /^PUBLIC_URL must begin with https:\/\/meet\.example\.org/,
    )
  assert.match(
    refuses({ DOMAIN, NODE_ADDRESS: '10.0.0.1' }),
    /the balancer before them has the certificate; unset DOMAIN/,
  )
  for (const [variable, value] of [
    ['ACME_EMAIL', 'a@example.org'],
    ['ACME_CA', 'ca.pem'],
  ] as const)
    assert.match(refuses({ [variable]: value }), new RegExp(`^${variable} is set but DOMAIN is not`))
})
