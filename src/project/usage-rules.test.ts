import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutputKind, UncountedOutput, UncountedStay, UsageAddition } from '../store/store.ts'
import { additionsOfOutput, additionsOfStay, partsByDay, peaksOf } from './usage-rules.ts'

const at = (text: string): number => Date.parse(`${text}Z`)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const who = { projectId: 'p', apiKey: 'k' }
const stay = (joined: string, left: string | null, more: Partial<UncountedStay> = {}): UncountedStay => ({
  ...who,
  joinedAt: at(joined),
  leftAt: left === null ? null : at(left),
  isReturn: false,
  ...more,
})

const spans: [what: string, from: string, to: string, parts: [day: string, ms: number][]][] = [
  ['within a day', '2026-01-31T10:00', '2026-01-31T10:30', [['2026-01-31', 30 * MINUTE]]],
  [
    'over midnight',
    '2026-01-31T23:30',
    '2026-02-01T01:00',
    [
      ['2026-01-31', 30 * MINUTE],
      ['2026-02-01', HOUR],
    ],
  ],
  ['until midnight', '2026-01-31T23:30', '2026-02-01T00:00', [['2026-01-31', 30 * MINUTE]]],
  ['from midnight', '2026-02-01T00:00', '2026-02-01T00:01', [['2026-02-01', MINUTE]]],
  [
    'over whole days',
    '2024-02-28T12:00',
    '2024-03-01T12:00',
    [
      ['2024-02-28', 12 * HOUR],
      ['2024-02-29', 24 * HOUR],
      ['2024-03-01', 12 * HOUR],
    ],
  ],
  ['no time', '2026-01-31T10:00', '2026-01-31T10:00', []],
  ['a clock that was set back', '2026-01-31T10:00', '2026-01-31T09:00', []],
]
for (const [what, from, to, parts] of spans)
  test(`a span is divided at midnight in UTC: ${what}`, () =>
    assert.deepEqual(
      partsByDay(at(from), at(to)),
      parts.map(([day, ms]) => ({ day, ms })),
    ))

const stays: [what: string, stay: UncountedStay, additions: UsageAddition[]][] = [
  [
    'counts on the day of joining',
    stay('2026-01-31T23:59', '2026-02-01T00:01'),
    [
      { ...who, day: '2026-01-31', participants: 1 },
      { ...who, day: '2026-01-31', participantMs: MINUTE },
      { ...who, day: '2026-02-01', participantMs: MINUTE },
    ],
  ],
  [
    'who returns counts no second time, but for the time',
    stay('2026-01-31T10:00', '2026-01-31T10:01', { isReturn: true }),
    [{ ...who, day: '2026-01-31', participantMs: MINUTE }],
  ],
  [
    'who leaves at once counts',
    stay('2026-01-31T10:00', '2026-01-31T10:00'),
    [{ ...who, day: '2026-01-31', participants: 1 }],
  ],
]
for (const [what, of, additions] of stays)
  test(`a participant: ${what}`, () => assert.deepEqual(additionsOfStay(of), additions))

const output = (kind: OutputKind | null, more: Partial<UncountedOutput> = {}): UncountedOutput => ({
  ...who,
  id: 'o',
  kind,
  startedAt: at('2026-01-31T10:00'),
  endedAt: at('2026-01-31T10:05'),
  bytes: 0,
  ...more,
})
const time = (name: string) => [{ ...who, day: '2026-01-31', [name]: 5 * MINUTE }]
const outputs: [what: string, output: UncountedOutput, additions: unknown[]][] = [
  ['a recording', output('recording'), time('recordingMs')],
  ['of a participant', output('participant'), time('recordingMs')],
  ['of a track', output('track'), time('recordingMs')],
  ['of several', output('composite'), time('recordingMs')],
  ['HLS', output('hls'), time('broadcastMs')],
  ['a livestream', output('livestream'), time('broadcastMs')],
  ['a transcription', output('transcription'), time('transcriptionMs')],
  ['which never began', output('recording', { startedAt: null }), []],
  ['a job has files alone', output(null, { bytes: 7 }), [{ ...who, day: '2026-01-31', storedBytes: 7 }]],
  [
    'over midnight: its files count on the day of its end',
    output('recording', { endedAt: at('2026-02-01T01:00'), bytes: 9 }),
    [
      { ...who, day: '2026-01-31', recordingMs: 14 * HOUR },
      { ...who, day: '2026-02-01', recordingMs: HOUR },
      { ...who, day: '2026-02-01', storedBytes: 9 },
    ],
  ],
]
for (const [what, of, additions] of outputs)
  test(`an output: ${what}`, () => assert.deepEqual(additionsOfOutput(of), additions))

/** As texts: the day, the project and key, the number. */
const peaks = (
  of: UncountedStay[],
  from = '2026-01-01T00:00',
  to = '2026-12-31T00:00',
  scope = '-/-',
): string[] =>
  peaksOf(of, at(from), at(to))
    .filter(({ projectId, apiKey }) => `${projectId ?? '-'}/${apiKey ?? '-'}` === scope)
    .map(({ day, participants }) => `${day} ${participants}`)

test('a peak is the most who were inside at once', () => {
  const three = [
    stay('2026-01-31T10:00', '2026-01-31T10:10'),
    stay('2026-01-31T10:05', '2026-01-31T10:20'),
    stay('2026-01-31T10:15', '2026-01-31T10:30'),
  ]
  assert.deepEqual(peaks(three), ['2026-01-31 2'])
  assert.deepEqual(
    peaks([...three, stay('2026-01-31T10:10', null)]),
    [
      '2026-01-31 3',
      ...Array.from(
        { length: 333 },
        (_, n) => `${new Date(at('2026-02-01T00:00') + n * 24 * HOUR).toISOString().slice(0, 10)} 1`,
      ),
    ],
    'who goes on is inside on every day',
  )
})

test('who leaves when another joins was not inside with them; who leaves at once was inside', () => {
  assert.deepEqual(
    peaks([stay('2026-01-31T10:00', '2026-01-31T10:10'), stay('2026-01-31T10:10', '2026-01-31T10:20')]),
    ['2026-01-31 1'],
  )
  assert.deepEqual(peaks([stay('2026-01-31T10:00', '2026-01-31T10:00')]), ['2026-01-31 1'])
})

test('who is inside at midnight is inside on the new day, who leaves at midnight is not', () => {
  assert.deepEqual(
    peaks([
      stay('2026-01-31T23:00', '2026-02-01T00:00'),
      stay('2026-01-31T23:00', '2026-02-01T00:30'),
      stay('2026-02-01T09:00', '2026-02-01T10:00'),
    ]),
    ['2026-01-31 2', '2026-02-01 1'],
  )
})

test('a window has the peak of its time alone', () => {
  const two = [stay('2026-01-31T10:00', '2026-01-31T12:00'), stay('2026-01-31T10:30', '2026-01-31T10:40')]
  assert.deepEqual(peaks(two, '2026-01-31T11:00', '2026-01-31T11:01'), ['2026-01-31 1'])
  assert.deepEqual(peaks(two, '2026-01-31T12:30', '2026-01-31T12:31'), [])
})

test('projects and keys have peaks of their own', () => {
  const of = [
    stay('2026-01-31T10:00', '2026-01-31T11:00'),
    stay('2026-01-31T10:00', '2026-01-31T11:00', { apiKey: null }),
    stay('2026-01-31T10:00', '2026-01-31T11:00', { apiKey: 'other' }),
    stay('2026-01-31T10:00', '2026-01-31T11:00', { projectId: 'q' }),
  ]
  for (const [scope, count] of Object.entries({
    '-/-': 4,
    'p/-': 3,
    'p/k': 1,
    'p/': 1,
    'p/other': 1,
    'q/-': 1,
  }))
    assert.deepEqual(peaks(of, undefined, undefined, scope), [`2026-01-31 ${count}`], scope)
})
