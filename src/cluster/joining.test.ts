import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeRecord } from '../store/cluster.ts'
import { whyNotJoin, type Newcomer } from './joining.ts'

const node = { nodeId: 'b', address: '10.0.0.3', port: 9100, version: '2.0.0', wireMin: 2, wireMax: 3 }
const there: NodeRecord = {
  ...node,
  nodeId: 'a',
  address: '10.0.0.2',
  version: '1.9.0',
  incarnation: '1',
  fingerprint: 'f',
  startedAt: 1,
  state: 'serving',
  meetings: 0,
  participants: 0,
  entryRequests: 0,
  processorPercent: 0,
  mediaWorkers: 1,
  isLive: true,
  seenAt: 1,
  leaseAgeMs: 1,
}
const CLOCK = /^The clock of this machine is/
const TAKEN = /^Another node runs as b: give each node its own NODE_ID\.$/
const VERSION =
  /^Node a at 10\.0\.0\.2 runs Anteroom 1\.9\.0, which does not understand the calls of this version, 2\.0\.0: start version 1\.9\.0 here, or stop a first\.$/

const rows: [name: string, newcomer: Partial<Newcomer>, refusal: RegExp | undefined][] = [
  ['the first node', { nodes: [] }, undefined],
  ['another of the same version', { nodes: [there] }, undefined],
  ['a clock 2 s behind', { behindMs: 2000 }, undefined],
  ['a clock 2 s ahead', { behindMs: -2000 }, undefined],
  [
    'a clock more than 2 s behind',
    { behindMs: 2001 },
    /2001 ms behind that of the database: set both by NTP/,
  ],
  ['a clock more than 2 s ahead', { behindMs: -90_000 }, /90000 ms ahead of that of the database/],
  ['a clock that is off, before anything else', { behindMs: 2001, nodes: [{ ...there, wireMax: 1 }] }, CLOCK],
  [
    'one that speaks the oldest version that is spoken here',
    { nodes: [{ ...there, wireMin: 1, wireMax: 2 }] },
    undefined,
  ],
  [
    'one that speaks the newest version that is spoken here',
    { nodes: [{ ...there, wireMin: 3, wireMax: 9 }] },
    undefined,
  ],
  ['one that is too old', { nodes: [{ ...there, wireMin: 1, wireMax: 1 }] }, VERSION],
  ['one that is too new', { nodes: [{ ...there, wireMin: 4, wireMax: 9 }] }, VERSION],
  [
    'one of several that is too old',
    {
      nodes: [
        { ...there, nodeId: 'c' },
        { ...there, wireMin: 1, wireMax: 1 },
      ],
    },
    VERSION,
  ],
  [
    'one that is too old and away',
    { nodes: [{ ...there, wireMin: 1, wireMax: 1, isLive: false }] },
    undefined,
  ],
  ['the name of another', { nodes: [{ ...there, nodeId: 'b' }] }, TAKEN],
  ['the name of one that is away', { nodes: [{ ...there, nodeId: 'b', isLive: false }] }, undefined],
  ['its own former run', { nodes: [{ ...there, ...node, wireMin: 1, wireMax: 1 }] }, undefined],
  ['the name at another port', { nodes: [{ ...there, ...node, port: 9101 }] }, TAKEN],
]
for (const [name, newcomer, refusal] of rows)
  test(`joins, or says why not: ${name}`, () => {
    const said = whyNotJoin({ node, behindMs: 0, nodes: [], ...newcomer })
    if (refusal === undefined) assert.equal(said, undefined)
    else assert.match(said ?? '', refusal)
  })
