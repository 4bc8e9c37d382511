import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterTables, HomeRecord } from '../store/cluster.ts'
import { Homes } from './homes.ts'

const name = { nodeId: 'a', incarnation: 'a-1' }
const row: HomeRecord = { ...name, meetingId: 'm', epoch: 1, isLive: true }

function homesOver(tables: Partial<ClusterTables>): Homes {
  return new Homes({
    tables: tables as ClusterTables,
    name: () => name,
    onLost: () => undefined,
    onTakenOver: () => undefined,
  })
}

test('a home that is this node is never another one, even while the table lags behind', async () => {
  let failures = 1
  const homes = homesOver({
    claim: () => Promise.resolve(undefined),
    locate: () => Promise.resolve(row),
    release: () => (failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve()),
  })
  assert.equal(await homes.claimWhenFree('m'), 'here')
  await assert.rejects(homes.release('m'), /away/)
  // The row is still there.
  assert.equal(await homes.find('m'), undefined)
  assert.equal(await homes.claimWhenFree('m'), 'here', 'and it can be the home again')
  assert.equal(await homes.find('m'), 'here')
})

test('a claim that ends while a meeting is looked for is seen', async () => {
  const homes: Homes = homesOver({
    claim: () => Promise.resolve({ epoch: 1, seenAt: undefined }),
    locate: async () => {
      await homes.tryClaim('m')
      return row
    },
  })
  assert.equal(await homes.find('m'), 'here')
})

test('epochs that were lost are kept for late writes, the oldest up to a bound', async () => {
  const homes = homesOver({ claim: (_name, id) => Promise.resolve({ epoch: Number(id), seenAt: undefined }) })
  for (let at = 1; at <= 10_001; at++) await homes.tryClaim(String(at))
  homes.loseAll()
  assert.equal(homes.size, 0)
  assert.equal(homes.epochOf('10001'), 10_001)
  assert.equal(homes.epochOf('2'), 2)
  assert.equal(homes.epochOf('1'), undefined)
})
