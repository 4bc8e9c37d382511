import assert from 'node:assert/strict'
import { promises } from 'node:dns'
import { isIP } from 'node:net'
import { test } from 'node:test'
import { Peer } from './peer.ts'

test('a program asks nobody but the server for its address', async (t) => {
  const lookup = t.mock.method(promises, 'lookup', () => Promise.reject(new Error('no name is known')))
  const value = Array<string>(32).fill('00').join(':')
  const remote = {
    id: 'transport',
    iceParameters: { usernameFragment: 'fragment', password: 'password', iceLite: true },
    iceCandidates: [
      {
        foundation: 'udp',
        ip: '127.0.0.1',
        port: 9,
        priority: 1,
        protocol: 'udp' as const,
        type: 'host' as const,
      },
    ],
    dtlsParameters: { role: 'auto' as const, fingerprints: [{ algorithm: 'sha-256' as const, value }] },
  }
  const ended = new AbortController()
  // By then all ways were gathered, and it tries to connect.
  const told = async (): Promise<void> => void setTimeout(() => ended.abort(), 500)
  await assert.rejects(Peer.connect(remote, told, { signal: ended.signal }))
  const names = lookup.mock.calls
    .map(({ arguments: [name] }) => String(name))
    .filter((name) => isIP(name) === 0)
  assert.deepEqual(names, [])
})
