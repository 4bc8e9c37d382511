/** The address of a caller: which headers count, and from whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerOf, networkOf, trustedProxies, type ProxyHeader } from './address.ts'

const none = trustedProxies([], 'x-forwarded-for')
const ours = trustedProxies(['127.0.0.1', '10.0.0.0/8', '2001:db8:1::/48'], 'x-forwarded-for')
const standard = trustedProxies(['10.0.0.0/8', '2001:db8:1::/48'], 'forwarded')

test('without trusted proxies no forwarding header is believed', () => {
  for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'true-client-ip']) {
    assert.equal(callerOf('203.0.113.9', { [header]: 'for=198.51.100.1' }, none), '203.0.113.9')
    assert.equal(callerOf('203.0.113.9', { [header]: '198.51.100.1' }, none), '203.0.113.9')
  }
})

test('a forwarding header from an untrusted peer is ignored', () => {
  const headers = { 'x-forwarded-for': '198.51.100.1, 10.0.0.2', forwarded: 'for=198.51.100.1' }
  assert.equal(callerOf('203.0.113.9', headers, ours), '203.0.113.9')
  assert.equal(callerOf('2001:db8:2::1', headers, ours), '2001:db8:2::1')
  assert.equal(callerOf('11.0.0.1', headers, ours), '11.0.0.1')
})

const forwardedFor: [name: string, given: string | string[] | undefined, caller: string][] = [
  ['no header: the proxy itself', undefined, '10.0.0.1'],
  ['an empty one', '', '10.0.0.1'],
  ['one entry', '198.51.100.7', '198.51.100.7'],
  ['what the caller wrote stands left and means nothing', '1.1.1.1, 198.51.100.7', '198.51.100.7'],
  ['through trusted proxies', '1.1.1.1, 198.51.100.7, 10.9.9.9, 127.0.0.1', '198.51.100.7'],
  ['only trusted ones: the farthest', '10.3.3.3, 10.9.9.9', '10.3.3.3'],
  ['several headers are one list', ['1.1.1.1', '198.51.100.7, 10.2.2.2'], '198.51.100.7'],
  ['with a port', '198.51.100.7:5123', '198.51.100.7'],
  ['IPv6, in brackets, with a port', '[2001:db8:9::5]:443', '2001:db8:9::5'],
  ['IPv6 through a trusted one', '2001:db8:9::5, 2001:db8:1::77', '2001:db8:9::5'],
  ['IPv4 in IPv6', '::ffff:198.51.100.7', '198.51.100.7'],
  ['a trusted one in IPv6 notation', '198.51.100.7, ::ffff:10.1.1.1', '198.51.100.7'],
  ['no address stops the walk', '198.51.100.7, unknown', '10.0.0.1'],
  ['no address, behind a trusted one', '1.1.1.1, _hidden, 10.4.4.4', '10.4.4.4'],
  ['not an address at all', "' OR 1=1", '10.0.0.1'],
  ['more than any chain has', `1.1.1.1${', 10.0.0.9'.repeat(1000)}`, '10.0.0.9'],
]
for (const [name, given, caller] of forwardedFor) {
  test(`x-forwarded-for of a trusted proxy: ${name}`, () => {
    const headers = { ...(given !== undefined && { 'x-forwarded-for': given }), forwarded: 'for=6.6.6.6' }
    assert.equal(callerOf('10.0.0.1', headers, ours), caller)
    assert.equal(callerOf('::ffff:10.0.0.1', headers, ours), caller)
  })
}

const forwarded: [given: string, caller: string][] = [
  ['for=198.51.100.7', '198.51.100.7'],
  ['For="198.51.100.7:4711";proto=https', '198.51.100.7'],
  ['proto=https;for="[2001:db8:9::5]:4711";by=10.0.0.1', '2001:db8:9::5'],
  ['for=1.1.1.1, for=198.51.100.7;host=a.example, for=10.0.0.7', '198.51.100.7'],
  ['for=unknown', '10.0.0.1'],
  ['for=_gazonk', '10.0.0.1'],
  ['xfor=198.51.100.7', '10.0.0.1'],
  ['by=198.51.100.7', '10.0.0.1'],
]
for (const [given, caller] of forwarded) {
  test(`forwarded: ${given}`, () => {
    assert.equal(callerOf('10.0.0.1', { forwarded: given, 'x-forwarded-for': '6.6.6.6' }, standard), caller)
  })
}

test('counts an IPv6 address by its /64, and an IPv4 address in IPv6 notation as IPv4', () => {
  assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(networkOf('2001:0db8:0001:0002::1'), networkOf('2001:db8:1:2:ffff::'))
  assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
  assert.equal(networkOf('::1'), '0:0:0:0::/64')
  assert.equal(networkOf('fe80::1%eth0'), networkOf('fe80::2%eth1'))
  assert.equal(networkOf('64:ff9b::198.51.100.7'), '64:ff9b:0:0::/64')
  assert.equal(networkOf('::ffff:198.51.100.7'), '198.51.100.7')
  assert.equal(networkOf('198.51.100.7'), '198.51.100.7')
  assert.notEqual(networkOf('198.51.100.7'), networkOf('198.51.100.8'))
  assert.equal(networkOf('unknown'), 'unknown')
})

test('understands every kind of range', () => {
  for (const header of ['x-forwarded-for', 'forwarded'] satisfies ProxyHeader[]) {
    const proxies = trustedProxies(['::1', '192.168.0.0/16', 'fc00::/7'], header)
    for (const address of ['::1', '192.168.9.9', 'fd12::1']) assert.ok(proxies.trusts(address), address)
    for (const address of ['::2', '192.169.0.1', '2001::1', 'unknown', ''])
      assert.equal(proxies.trusts(address), false, address)
  }
  assert.ok(trustedProxies(['0.0.0.0/0'], 'forwarded').trusts('::ffff:203.0.113.1'))
})
