import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf, hostProblem, isThisMachine } from './reach.ts'

const isPublicAddress = (address: string): boolean => ['8.8.8.8', '2001:4860:4860::8888'].includes(address)

test('a caller may not name a private address, in whatever form', async () => {
  for (const host of [
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '[::1]',
    '[fd00::1]',
    'localhost',
    'a.localhost.',
  ]) {
    assert.match(hostProblem(host, isPublicAddress)!, /OUTPUTS_ALLOW_PRIVATE=true/, host)
    assert.equal(
      hostProblem(host, () => true),
      undefined,
      host,
    )
  }
  // Names for the system alone.
  for (const host of ['127.0.0.1', '[::1]', 'localhost', '2130706433', 'no.such.name.invalid'])
    assert.equal(await addressOf(host, isPublicAddress), undefined, host)
})

test('a caller may name what is public', async () => {
  for (const host of ['8.8.8.8', '[2001:4860:4860::8888]', 'live.example.org'])
    assert.equal(hostProblem(host, isPublicAddress), undefined, host)
  assert.equal(await addressOf('[2001:4860:4860::8888]', isPublicAddress), '2001:4860:4860::8888')
  assert.ok(['127.0.0.1', '::1'].includes((await addressOf('localhost', () => true))!))
})

test('this machine is known by its names and addresses', () => {
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.1.2.3', '[::1]'])
    assert.ok(isThisMachine(host), host)
  for (const host of ['localhost.example.org', '10.0.0.1', '127.0.0.1.example.org'])
    assert.ok(!isThisMachine(host), host)
})
