import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Backlog } from './backlog-gauges.ts'
import { createMetrics } from './metrics.ts'

test('a scrape counts the backlog of webhooks once', async () => {
  const metrics = createMetrics({ version: '1', media: { workers: 1, placement: 'auto' }, now: () => 0 })
  let counts = 0
  const given: (Backlog | undefined)[] = []
  metrics.setReaders({
    ...metrics.readings,
    webhooks: () => Promise.resolve({ waiting: ++counts, parked: 0, oldestAt: null }),
    alerts: (counted) => {
      given.push(counted)
      return Promise.resolve([])
    },
  })
  await metrics.text()
  const text = await metrics.text()
  metrics.close()
  assert.match(text, /^anteroom_webhook_backlog\{state="waiting"\} 2$/m)
  assert.equal(counts, 2)
  assert.deepEqual(
    given.map((one) => one?.waiting),
    [1, 2],
  )
})
