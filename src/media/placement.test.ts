import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choosePlace, loadOf, type Placement, type WorkerLoad } from './placement.ts'

const mine = (members: number, load: number): WorkerLoad['own'] => ({ members, load })

const rows: [what: string, workers: WorkerLoad[], placement: Placement, chosen: number | undefined][] = [
  ['no worker runs', [], 'auto', undefined],
  ['a new meeting goes to the least loaded worker', [{ load: 30 }, { load: 20 }, { load: 25 }], 'auto', 1],
  ['a small meeting stays together', [{ load: 60, own: mine(6, 60) }, { load: 0 }], 'auto', 0],
  [
    'a meeting of several workers fills up where it has most',
    [
      { load: 20, own: mine(2, 20) },
      { load: 50, own: mine(5, 50) },
    ],
    'auto',
    1,
  ],
  [
    'a meeting that has its share goes on to another worker',
    [{ load: 80, own: mine(8, 80) }, { load: 30 }],
    'auto',
    1,
  ],
  [
    'a meeting that has its share everywhere goes to the least loaded worker',
    [
      { load: 200, own: mine(9, 150) },
      { load: 180, own: mine(9, 170) },
    ],
    'auto',
    1,
  ],
  ['a worker that others filled is left', [{ load: 300, own: mine(2, 20) }, { load: 100 }], 'auto', 1],
  ['unless the others are no better', [{ load: 300, own: mine(2, 20) }, { load: 150 }], 'auto', 0],
  ['equal ones: where the meeting is', [{ load: 90 }, { load: 90, own: mine(9, 90) }], 'auto', 1],
  ['spread: where it has fewest', [{ load: 10, own: mine(1, 10) }, { load: 99 }], 'spread', 1],
  ['spread: first where it is', [{ load: 0 }, { load: 4, own: mine(0, 4) }], 'spread', 1],
]

for (const [what, workers, placement, chosen] of rows)
  test(what, () => assert.equal(choosePlace(workers, placement), chosen))

test('a member counts by an estimate until it has streams, and by its streams afterwards', () => {
  const none = { members: 0, producers: 0, consumers: 0, pipesIn: 0, pipesOut: 0 }
  assert.equal(loadOf(none), 0)
  assert.equal(loadOf({ ...none, members: 3 }), 30)
  assert.equal(loadOf({ members: 3, producers: 6, consumers: 12, pipesIn: 4, pipesOut: 2 }), 34)
})

/**
 * Returns the number of members on each worker after all have joined a meeting in which everybody sends and receives
 * sound and video.
 */
function arrive(people: number, workers: number, atOnce: boolean): number[] {
  const members = Array.from({ length: workers }, () => 0)
  const total = (): number => members.reduce((sum, one) => sum + one, 0)
  for (let at = 0; at < people; at++) {
    const loads = members.map((here): WorkerLoad => {
      if (here === 0) return { load: 0 }
      const away = total() - here
      const streams = {
        producers: 2 * here,
        consumers: 2 * here * (total() - 1),
        pipesIn: 2 * away,
        pipesOut: 0,
      }
      const counts = atOnce ? { producers: 0, consumers: 0, pipesIn: 0, pipesOut: 0 } : streams
      const load = loadOf({ members: here, ...counts })
      return { load, own: { members: here, load } }
    })
    members[choosePlace(loads, 'auto')!]! += 1
  }
  return members
}

for (const atOnce of [true, false])
  test(`sixteen people ${atOnce ? 'who come at once' : 'one after another'} are on two workers, and four on one`, () => {
    const [first = 0, second = 0] = arrive(16, 2, atOnce)
    assert.ok(Math.min(first, second) >= 6, `${first} and ${second}`)
    assert.deepEqual(arrive(4, 2, atOnce), [4, 0])
    const wide = arrive(60, 4, atOnce)
    assert.ok(Math.max(...wide) - Math.min(...wide) <= 4, String(wide))
  })
