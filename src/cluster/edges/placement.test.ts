import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseHost, type Edges, type HostLoad } from './placement.ts'

const SHARE = 250
const home = (own: number, more: Partial<HostLoad> = {}): HostLoad => ({
  own,
  workers: 1,
  busy: 0.1,
  isHome: true,
  isNear: false,
  ...more,
})
const other = (more: Partial<HostLoad> = {}): HostLoad => ({
  own: undefined,
  workers: 1,
  busy: 0.1,
  isHome: false,
  isNear: false,
  ...more,
})

const rows: [what: string, hosts: HostLoad[], edges: Edges, chosen: number][] = [
  ['a small meeting stays at its home', [home(100), other({ isNear: true })], 'auto', 0],
  [
    'a meeting that has its share goes on where the socket is',
    [home(250), other(), other({ isNear: true })],
    'auto',
    2,
  ],
  ['or at the least busy one', [home(250), other({ busy: 0.3 }), other()], 'auto', 2],
  ['more workers carry more', [home(400, { workers: 2 }), other()], 'auto', 0],
  ['a busy node takes no part in another meeting', [home(250), other({ busy: 0.7 })], 'auto', 0],
  ['a crowded home gives away even a small meeting', [home(20, { busy: 0.95 }), other()], 'auto', 1],
  [
    'a node that has the meeting fills up first',
    [home(250), other(), other({ own: 40, busy: 0.8 })],
    'auto',
    2,
  ],
  ['a meeting that is everywhere goes where it has least', [home(400), other({ own: 260 })], 'auto', 1],
  [
    'a meeting uses four nodes at most',
    [home(300), other({ own: 300 }), other({ own: 260 }), other({ own: 300 }), other()],
    'auto',
    2,
  ],
  ['spread: at the node that was reached', [home(0), other({ isNear: true })], 'spread', 1],
  ['spread: at the home if that is no node to be used', [home(0), other()], 'spread', 0],
  ['off: at the home', [home(900), other({ isNear: true })], 'off', 0],
]

for (const [what, hosts, edges, chosen] of rows)
  test(what, () => assert.equal(chooseHost(hosts, edges, SHARE), chosen))
