import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertsOf, type AlertName, type Condition } from './alerts.ts'

const DAY_MS = 86_400_000
const NOW = 1_800_000_000_000
const GB = 1e9
const WELL: Condition = {
  now: NOW,
  store: { available: true },
  media: { available: true },
  workersWanted: 2,
  workers: [{ deaths: 0 }, { deaths: 1, diedAgoMs: 2 * 3_600_000 }],
  disk: { freeBytes: 100 * GB, totalBytes: 500 * GB, reserveBytes: GB },
  certificate: { source: 'given', expiresAt: NOW + 60 * DAY_MS },
  clockJumpMs: 200,
  eventLoopLagMs: 20,
  nodes: [
    { nodeId: 'a', state: 'serving' },
    { nodeId: 'b', state: 'draining' },
  ],
  webhooks: { waiting: 3, parked: 0, oldestAt: NOW - 60_000 },
}

const cases: [what: string, bad: Partial<Condition>, is?: [AlertName, 'warning' | 'urgent', RegExp]][] = [
  ['all is well', {}],
  ['nothing is known of disk and certificate', { disk: undefined, certificate: undefined }],
  ['the store', { store: { available: false } }, ['store', 'urgent', /nobody can join/]],
  [
    'media is off',
    { media: { available: false, reason: 'No worker.', isComing: false }, workers: [] },
    ['media', 'urgent', /^No worker\.$/],
  ],
  [
    'media is being prepared',
    { media: { available: false, reason: 'It is built.', isComing: true }, workers: [] },
    ['media', 'warning', /built/],
  ],
  ['a worker is missing', { workers: [{}] }, ['workers', 'urgent', /^1 of 2 media workers/]],
  [
    'a worker died lately',
    {
      workers: [
        { deaths: 3, diedAgoMs: 60_000 },
        { deaths: 1, diedAgoMs: 4_000_000 },
      ],
    },
    ['workers', 'warning', /\(3 since the start\)/],
  ],
  [
    'the disk is full',
    { disk: { freeBytes: 0.4 * GB, totalBytes: 40 * GB, reserveBytes: GB } },
    ['disk', 'urgent', /400 MB of 40 GB/],
  ],
  [
    'the disk is nearly full',
    { disk: { freeBytes: 20 * GB, totalBytes: 500 * GB, reserveBytes: GB } },
    ['disk', 'warning', /20 GB of 500 GB/],
  ],
  [
    'a small disk near its reserve',
    { disk: { freeBytes: 1.9 * GB, totalBytes: 10 * GB, reserveBytes: GB } },
    ['disk', 'warning', /1900 MB/],
  ],
  [
    'the certificate runs out',
    { certificate: { source: 'given', expiresAt: NOW + 10.5 * DAY_MS } },
    ['certificate', 'warning', /in 10 days/],
  ],
  [
    'the certificate runs out soon',
    { certificate: { source: 'given', expiresAt: NOW + 5 * 3_600_000 } },
    ['certificate', 'urgent', /in 5 h/],
  ],
  [
    'the certificate has expired',
    { certificate: { source: 'given', expiresAt: NOW - 1 } },
    ['certificate', 'urgent', /has expired/],
  ],
  [
    'ACME fails, with time left',
    { certificate: { source: 'acme', expiresAt: NOW + 20 * DAY_MS, problem: 'Port 80 is closed.' } },
    ['certificate', 'warning', /Port 80 is closed/],
  ],
  ['a certificate of our own near its end', { certificate: { source: 'self-signed', expiresAt: NOW } }],
  ['the clock was set back', { clockJumpMs: -90_000 }, ['clock', 'warning', /back by 90 s/]],
  ['overload', { eventLoopLagMs: 2500 }, ['overload', 'urgent', /2\.5 s late/]],
  [
    'a node is away',
    {
      nodes: [
        { nodeId: 'a', state: 'serving' },
        { nodeId: 'b', state: 'away' },
      ],
    },
    ['node', 'urgent', /A node is away: b\./],
  ],
  [
    'events given up',
    { webhooks: { waiting: 0, parked: 2, oldestAt: null } },
    ['webhooks', 'warning', /^2 events were given up/],
  ],
  [
    'events that wait for long',
    { webhooks: { waiting: 1, parked: 0, oldestAt: NOW - 30 * 60_000 } },
    ['webhooks', 'warning', /1 event waits, the oldest since 30 minutes/],
  ],
]

for (const [what, bad, is] of cases)
  test(`alerts: ${what}`, () => {
    const found = alertsOf({ ...WELL, ...bad })
    assert.equal(found.length, is ? 1 : 0, JSON.stringify(found))
    if (!is) return
    const [name, level, text] = is
    assert.deepEqual([found[0]!.name, found[0]!.level], [name, level])
    assert.match(found[0]!.text, text)
    assert.match(found[0]!.cure, /\.$/)
  })

test('alerts: the urgent ones come first', () => {
  const found = alertsOf({
    ...WELL,
    clockJumpMs: 99_000,
    webhooks: { waiting: 0, parked: 1, oldestAt: null },
    eventLoopLagMs: 5000,
  })
  assert.deepEqual(
    found.map(({ name }) => name),
    ['overload', 'clock', 'webhooks'],
  )
})
