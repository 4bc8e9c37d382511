import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '../link.ts'
import { Lobby, type EntryRequest } from './lobby.ts'

function request(participantId: string, tokenId: string): EntryRequest {
  return {
    participantId,
    name: participantId,
    grant: { apiKey: 'key', projectId: 'project', entry: 'ask', permissions: [], tokenId },
    link: {} as Link,
    admitted: () => undefined,
  }
}

test('a request is answered once, and withdrawn only by its own connection', () => {
  const lobby = new Lobby({ timeoutMs: 1000, onTimeout: () => undefined })
  const [first, second] = [request('ann', 't'), request('ann', 't')]
  assert.equal(lobby.add(first, 1), undefined)
  assert.equal(lobby.add(second, 2), first)
  assert.equal(lobby.take('ann', first.link), undefined)
  assert.equal(lobby.get('ann'), second)
  assert.equal(lobby.take('ann', second.link), second)
  assert.equal(lobby.take('ann'), undefined)
  assert.equal(lobby.size, 0)
})

test('counts requests by their tokens', () => {
  const lobby = new Lobby({ timeoutMs: 1000, onTimeout: () => undefined })
  for (const [id, token] of [
    ['a', 't'],
    ['b', 't'],
    ['c', 'u'],
  ] as const)
    lobby.add(request(id, token), 0)
  assert.deepEqual([lobby.countOf('t'), lobby.countOf('u'), lobby.countOf('v')], [2, 1, 0])
  lobby.take('a')
  assert.equal(lobby.countOf('t'), 1)
})

test('a request that nobody answers ends after its time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const over: string[] = []
  const lobby = new Lobby({ timeoutMs: 1000, onTimeout: ({ participantId }) => over.push(participantId) })
  lobby.add(request('ann', 't'), 0)
  lobby.add(request('bob', 'u'), 0)
  lobby.take('bob')
  t.mock.timers.tick(999)
  // Asking again restarts the timeout.
  lobby.add(request('ann', 't'), 999)
  t.mock.timers.tick(999)
  assert.deepEqual(over, [])
  t.mock.timers.tick(1)
  assert.deepEqual(over, ['ann'])
  assert.equal(lobby.size, 0)
})
