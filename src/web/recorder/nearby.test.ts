import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withNearbyCandidates } from './nearby.ts'

const sdp = (address: string): string =>
  [
    'v=0',
    'c=IN IP4 0.0.0.0',
    `a=candidate:udpcandidate 1 udp 1076302079 ${address} 40000 typ host`,
    `a=candidate:tcpcandidate 1 tcp 1076276479 ${address} 40000 typ host tcptype passive`,
    'a=end-of-candidates',
    '',
  ].join('\r\n')

test('media of the recorder goes to the address that its page came from', () => {
  assert.equal(withNearbyCandidates(sdp('203.0.113.7'), '127.0.0.1'), sdp('127.0.0.1'))
  assert.equal(withNearbyCandidates(sdp('meet.example.org'), '10.0.0.5'), sdp('10.0.0.5'))
})

test('a host that is no IPv4 address changes nothing', () => {
  for (const host of ['localhost', '[::1]', 'meet.example.org'])
    assert.equal(withNearbyCandidates(sdp('203.0.113.7'), host), sdp('203.0.113.7'), host)
})
