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
  const lobby = new Lobby({ timeoutMs: 1000, onTimeout: () => undefined, onQueued: () => undefined })
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
  const lobby = new Lobby({ timeoutMs: 1000, onTimeout: () => undefined, onQueued: () => undefined })
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
  const lobby = new Lobby({
    timeoutMs: 1000,
    onTimeout: ({ participantId }) => over.push(participantId),
    onQueued: () => undefined,
  })
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

test('those who wait are told how many are before them, whenever that changes', async () => {
  let told: string[] = []
  const onQueued = ({ participantId }: EntryRequest, before: number): void =>
    void told.push(`${participantId} ${before}`)
  const lobby = new Lobby({ timeoutMs: 1000, onTimeout: () => undefined, onQueued })
  const tells = async (): Promise<string[]> => {
    await new Promise((done) => setImmediate(done))
    const now = told
    told = []
    return now
  }
  for (const id of ['a', 'b', 'c', 'd']) lobby.add(request(id, id), 0)
  assert.deepEqual(await tells(), ['a 0', 'b 1', 'c 2', 'd 3'])
  lobby.take('d')
  assert.deepEqual(await tells(), [])
  // Two in the same moment are one change for the others.
  lobby.take('a')
  lobby.take('b')
  assert.deepEqual(await tells(), ['c 0'])
  lobby.add(request('d', 'd'), 0)
  // Asking again from another connection leads to the end of the line.
  lobby.add(request('c', 'c'), 0)
  assert.deepEqual(await tells(), ['d 0', 'c 1'])
})
