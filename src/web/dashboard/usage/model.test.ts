import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageRow } from '../../../protocol/rest/usage.ts'
import { before, everyPeriod } from './model.ts'

test('the period before another', () => {
  for (const [period, earlier] of [
    ['2026-03-01', '2026-02-28'],
    ['2024-03-01', '2024-02-29'],
    ['2026-01-01', '2025-12-31'],
    ['2026-01', '2025-12'],
    ['2026-03', '2026-02'],
  ] as const)
    assert.equal(before(period), earlier)
})

const row = (period: string, participants: number, storedBytes: number): UsageRow => ({
  period,
  projectId: null,
  apiKey: null,
  participants,
  participantMinutes: 0,
  peakParticipants: 0,
  receivedBytes: 0,
  sentBytes: 0,
  recordingMinutes: 0,
  broadcastMinutes: 0,
  transcriptionMinutes: 0,
  storedBytes,
})

test('periods without a row are zero, but keep what was stored', () => {
  const rows = [row('2026-02-02', 3, 50), row('2026-01-30', 1, 70)]
  const shown = (last: string, most: number) =>
    everyPeriod(rows, last, most).map((one) => [one.period.slice(5), one.participants, one.storedBytes])
  assert.deepEqual(shown('2026-02-03', 100), [
    ['01-30', 1, 70],
    ['01-31', 0, 70],
    ['02-01', 0, 70],
    ['02-02', 3, 50],
    ['02-03', 0, 50],
  ])
  assert.deepEqual(shown('2026-02-03', 3), [
    ['02-01', 0, 70],
    ['02-02', 3, 50],
    ['02-03', 0, 50],
  ])
  assert.deepEqual(everyPeriod([], '2026-02-03', 100), [])
})
