import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dropped,
  faultOf,
  faultsOf,
  isShown,
  lastingOf,
  type Fault,
  type Lasting,
  type Received,
  type Sent,
} from './quality-rules.ts'

const sound = (packets: number, lost = 0): Received => ({ packets, lost })
const picture = (packets: number, received: number, decoded: number, dropped = 0): Received => ({
  packets,
  lost: 0,
  frames: { received, decoded, dropped },
})

test('a stream suffers from loss, from a slow computer, or shows nothing at all', () => {
  const cases: [what: string, now: Received, before: Received | undefined, fault: string | undefined][] = [
    ['the first look says nothing', sound(1000, 900), undefined, undefined],
    ['no loss', sound(200), sound(100), undefined],
    ['a little loss', sound(200, 4), sound(100), undefined],
    ['much loss', sound(200, 6), sound(100), 'lossy'],
    ['loss of long ago', sound(300, 60), sound(200, 60), undefined],
    ['too few packets', sound(110, 5), sound(100), undefined],
    ['a picture', picture(200, 60, 60), picture(100, 30, 30), undefined],
    ['frames dropped', picture(200, 60, 40, 20), picture(100, 30, 30), 'slow'],
    ['nothing decoded, twice', picture(200, 60, 0), picture(100, 30, 0), 'unplayable'],
    ['nothing decoded yet', picture(100, 30, 0), picture(5, 1, 0), undefined],
    ['nothing arrives', picture(100, 30, 0), picture(100, 30, 0), undefined],
    ['it came late', picture(200, 60, 1), picture(100, 30, 0), undefined],
  ]
  for (const [what, now, before, fault] of cases) assert.equal(faultOf(now, before), fault, what)
})

test('dropped frames are those since the last look, of enough', () => {
  assert.equal(dropped(picture(200, 60, 40, 20), picture(100, 40, 30, 10)), 0.5)
  assert.equal(dropped(picture(200, 60, 40, 20), undefined), 0)
  assert.equal(dropped(picture(200, 45, 40, 5), picture(100, 40, 40)), 0, 'too few say nothing')
  assert.equal(dropped(sound(200), sound(100)), 0)
})

test('the fault is ours if most suffer, theirs if one among several does, and open between two', () => {
  const good: Sent = { lost: 0, limitedBy: 'none' }
  type Streams = Record<string, ReturnType<typeof faultOf>[]>
  const cases: [what: string, sent: Sent | undefined, streams: Streams, faults: Record<string, string>][] = [
    ['all is well', good, { a: [undefined], b: [] }, {}],
    ['nothing is sent', undefined, { a: [undefined] }, {}],
    ['one of three', good, { a: ['lossy'], b: [undefined], c: [] }, { a: 'theirNetwork' }],
    [
      'two of three',
      good,
      { a: ['lossy'], b: [undefined, 'lossy'], c: [undefined] },
      { a: 'yourNetwork', b: 'yourNetwork' },
    ],
    ['the only one', good, { a: ['lossy'] }, { a: 'connection' }],
    [
      'the only one, and we lose too',
      { lost: 0.2, limitedBy: 'none' },
      { a: ['lossy'] },
      { me: 'yourNetwork', a: 'yourNetwork' },
    ],
    ['we send less', { lost: 0, limitedBy: 'bandwidth' }, { a: [] }, { me: 'yourNetwork' }],
    [
      'our processor is busy',
      { lost: 0, limitedBy: 'cpu' },
      { a: ['slow'] },
      { me: 'thisComputer', a: 'thisComputer' },
    ],
    ['an encrypted one', good, { a: ['unplayable', 'lossy'] }, { a: 'unplayable' }],
  ]
  for (const [what, sent, streams, faults] of cases)
    assert.deepEqual(Object.fromEntries(faultsOf('me', sent, new Map(Object.entries(streams)))), faults, what)
})

test('a fault is shown when it lasts, our own later, and goes with its end', () => {
  let lasting: Lasting = new Map()
  const looks: [faults: Record<string, Fault>, shown: Record<string, Fault | undefined>][] = [
    [{ me: 'yourNetwork', a: 'theirNetwork', b: 'unplayable' }, { b: 'unplayable' }],
    [{ me: 'yourNetwork', a: 'theirNetwork' }, { a: 'theirNetwork' }],
    [{ me: 'yourNetwork', a: 'connection' }, {}],
    [{ me: 'yourNetwork', a: 'connection' }, { a: 'connection' }],
    [{ me: 'yourNetwork' }, { me: 'yourNetwork' }],
    [{}, {}],
    [{ me: 'yourNetwork' }, {}],
  ]
  for (const [faults, shown] of looks) {
    lasting = lastingOf(lasting, new Map(Object.entries(faults)))
    const now = ['me', 'a', 'b'].flatMap((id) => {
      const fault = isShown(lasting, id, 'me')
      return fault ? [[id, fault]] : []
    })
    assert.deepEqual(Object.fromEntries(now), shown)
  }
})
