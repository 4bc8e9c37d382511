/**
 * What a number of people in meetings of one size needs, computed from measured costs: nodes, cores, bandwidth, writes to
 * PostgreSQL, and what breaks first. Nothing is run: each cost names where it comes from, and those that nobody has
 * measured say so. Costs can be replaced: node bench/plan.ts postgresWritesPerSecond=4000 coresPerNode=32
 */
import { printTable } from './table.ts'

interface Cost {
  value: number
  source: string
}

/** Costs of one, in the unit that the name ends with. */
const costs: Record<string, Cost> = {
  packetsPerReception: {
    value: 175,
    source: 'docs/operating.md, sizing: a voice and a camera of 1.2 Mbit/s',
  },
  mbitPerReception: { value: 1.25, source: 'docs/operating.md, sizing' },
  packetsPerCore: {
    value: 75_000,
    source: 'bench:sfu: 150,000 forwarded a second, of which half is planned',
  },
  joinMs: { value: 3.7, source: 'bench:wire: the most expensive joins of a meeting of 500' },
  chatDeliveriesPerCore: { value: 1_800_000, source: 'bench:chat' },
  qualityMsPerPerson: { value: 0.161, source: 'bench:stats: 161 ms for 1000 participants, every 10 s' },
  mostPerMeeting: { value: 500, source: 'bench:wire: the largest meeting that was measured' },
  pipeMbit: {
    value: 2.05,
    source: 'computed: all layers of a camera and a voice; bench:edges shows that each crosses once',
  },
  pipePackets: {
    value: 265,
    source: 'computed: 215 of all layers of a camera, 50 of a voice; each end forwards or receives them',
  },
  mostNodesOfMeeting: { value: 4, source: 'src/cluster/edges/placement.ts' },
  postgresWritesPerSecond: {
    value: 1500,
    source: 'assumed: transactions with a sync each; measure your server with pgbench',
  },
  writesPerJoin: {
    value: 1,
    source: 'counted: a join with its webhook is one transaction; several may share one',
  },
  writesPerLeave: { value: 1, source: 'counted: likewise' },
  writesPerDelivery: {
    value: 2,
    source: 'counted: a lease and an outcome for each webhook; one lease may serve many',
  },
  writesPerMeetingStart: { value: 2, source: 'counted: the claim of its home, and its session' },
  writesPerNodeSecond: { value: 1, source: 'counted: the renewal of a lease' },
  qualityWritesPerMeetingSecond: {
    value: 0.1,
    source: 'counted: one transaction for each meeting every 10 s',
  },
  claimsPerSecond: {
    value: 100,
    source: 'aim: meeting starts a second that placement must carry; not measured',
  },
  mostNodes: { value: 100, source: 'aim: nodes over one PostgreSQL; not measured' },
  // Of the machines and of the people; replace them with your own.
  coresPerNode: { value: 16, source: 'chosen' },
  mbitPerNode: { value: 10_000, source: 'chosen' },
  fillShare: {
    value: 0.6,
    source: 'chosen: what is planned of a node, so that the others can take over its meetings',
  },
  camerasWatched: { value: 25, source: 'chosen: cameras and voices that somebody receives at most' },
  arrivalSeconds: { value: 300, source: 'chosen: everybody arrives within five minutes' },
  messagesPerPersonMinute: { value: 0.5, source: 'chosen' },
  webhooksPerJoin: { value: 1, source: 'chosen: one receiver that wants every event' },
}

for (const argument of process.argv.slice(2)) {
  const [name = '', text = ''] = argument.split('=')
  const value = Number(text)
  if (!(name in costs) || text === '' || !(value > 0)) {
    console.error(
      `${argument} is no cost: write name=number, with a name of ${Object.keys(costs).join(', ')}.`,
    )
    process.exit(1)
  }
  costs[name] = { value, source: 'given' }
}
const of = (name: string): number => costs[name]!.value

interface Plan {
  people: number
  size: number
  meetings: number
  nodes: number
  mediaCores: number
  programCores: number
  gbit: number
  joinsPerSecond: number
  writesPerSecond: number
  /** The share of each limit that is used; the largest breaks first. */
  limits: { what: string; used: number }[]
}

function plan(people: number, size: number): Plan {
  const meetings = Math.ceil(people / size)
  const receptions = people * Math.min(size - 1, of('camerasWatched'))
  // Of one meeting: how many nodes have its media, and what goes between them.
  const mediaOfMeeting =
    (size * Math.min(size - 1, of('camerasWatched')) * of('packetsPerReception')) / of('packetsPerCore')
  const nodesOfMeeting = Math.ceil(mediaOfMeeting / ((of('coresPerNode') - 1) * of('fillShare')))
  // What many watch a little each is watched by somebody at every node: all cameras may cross.
  const pipes = nodesOfMeeting > 1 ? meetings * (nodesOfMeeting - 1) * size : 0
  const packets = receptions * of('packetsPerReception') + 2 * pipes * of('pipePackets')
  const coresForMedia = packets / of('packetsPerCore')
  const mbitOut = receptions * of('mbitPerReception')
  const mbitIn = people * of('mbitPerReception')

  const joinsPerSecond = people / of('arrivalSeconds')
  const startsPerSecond = meetings / of('arrivalSeconds')
  const chatDeliveries = (people * of('messagesPerPersonMinute') * size) / 60
  const programCores =
    (joinsPerSecond * of('joinMs')) / 1000 +
    chatDeliveries / of('chatDeliveriesPerCore') +
    (people * of('qualityMsPerPerson')) / 10_000

  // One core of a node is its program's.
  const forMedia = Math.ceil(coresForMedia / ((of('coresPerNode') - 1) * of('fillShare')))
  const forBandwidth = Math.ceil(Math.max(mbitOut, mbitIn) / (of('mbitPerNode') * of('fillShare')))
  const forProgram = Math.ceil(programCores / of('fillShare'))
  const needed = Math.max(forMedia, forBandwidth, forProgram)
  const nodes = needed + 1

  const arriving =
    joinsPerSecond * (of('writesPerJoin') + of('webhooksPerJoin') * of('writesPerDelivery')) +
    startsPerSecond * of('writesPerMeetingStart')
  const standing = meetings * of('qualityWritesPerMeetingSecond') + nodes * of('writesPerNodeSecond')
  const leaving = joinsPerSecond * (of('writesPerLeave') + of('webhooksPerJoin') * of('writesPerDelivery'))
  const writesPerSecond = Math.max(arriving, leaving) + standing
  return {
    people,
    size,
    meetings,
    nodes,
    mediaCores: coresForMedia,
    programCores,
    gbit: (mbitOut + mbitIn + pipes * of('pipeMbit')) / 1000,
    joinsPerSecond,
    writesPerSecond,
    limits: [
      { what: 'writes to PostgreSQL', used: writesPerSecond / of('postgresWritesPerSecond') },
      { what: 'nodes over one PostgreSQL', used: nodes / of('mostNodes') },
      { what: 'meeting starts a second', used: startsPerSecond / of('claimsPerSecond') },
      { what: 'people in one meeting (its home)', used: size / of('mostPerMeeting') },
      { what: 'nodes of one meeting', used: nodesOfMeeting / of('mostNodesOfMeeting') },
      { what: 'bandwidth of a node', used: mbitOut / needed / of('mbitPerNode') },
    ],
  }
}

const rounded = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 })

console.log('Computed, not run. What each cost comes from:\n')
printTable(
  ['cost', 'value'],
  Object.entries(costs).map(([name, { value, source }]) => [
    `${name} (${source})`,
    value.toLocaleString('en'),
  ]),
)
const plans = [1000, 10_000, 100_000].flatMap((people) => [4, 25, 500].map((size) => plan(people, size)))
printTable(
  [
    'people in meetings of',
    'meetings',
    'nodes',
    'media cores',
    'program cores',
    'Gbit/s',
    'joins/s',
    'writes/s',
  ],
  plans.map((one) => [
    `${one.people.toLocaleString('en')} in ${one.size}`,
    ...[
      one.meetings,
      one.nodes,
      one.mediaCores,
      one.programCores,
      one.gbit,
      one.joinsPerSecond,
      one.writesPerSecond,
    ].map(rounded),
  ]),
)
console.log('Nodes include one spare. What breaks first, and how much of each limit is used:\n')
for (const { people, size, limits } of plans) {
  const [first, second] = limits.toSorted((one, other) => other.used - one.used)
  const share = ({ what, used }: { what: string; used: number }) => `${what} at ${Math.round(used * 100)} %`
  const state = first!.used > 1 ? 'BREAKS' : 'holds '
  console.log(
    `${state}  ${people.toLocaleString('en')} in ${size}: first ${share(first!)}, then ${share(second!)}`,
  )
}
