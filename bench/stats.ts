/**
 * The cost of measuring the quality of a thousand participants: a hundred meetings of ten on real media workers, each
 * participant with a microphone, a camera and the streams of the nine others. Prints the processor time of the program
 * and of its workers per round, and the share of a core if a round runs every ten seconds.
 */
import { createSfu } from '../src/media/create.ts'
import { sampleRtpParameters } from '../test/support/rtp-samples.ts'
import { measure } from '../src/meeting/media/measure.ts'
import { MeetingMedia } from '../src/meeting/media/meeting-media.ts'
import { Onlookers } from '../src/meeting/roster/onlookers.ts'
import { Participant } from '../src/meeting/roster/participant.ts'
import { locateWorker } from '../scripts/media-worker/locate.mjs'
import { readFileSync } from 'node:fs'
import { printTable } from './table.ts'

const MEETINGS = 100
const PEOPLE = 10
const ROUNDS = 10
const INTERVAL_SECONDS = 10
/** The unit in which Linux counts processor time. */
const TICKS_PER_SECOND = 100

let isOver = false
const worker = locateWorker()
if (!worker) throw new Error('There is no media worker: npm rebuild')
const sfu = await createSfu({
  workerBin: worker.bin,
  workers: 2,
  firstPort: 46_000,
  listenAddress: '127.0.0.1',
  announcedAddresses: undefined,
})
const link = {
  connectionId: 'none',
  isOwnClient: true,
  baseUrl: '',
  notify: () => undefined,
  answers: () => Promise.resolve(true),
  request: () => Promise.resolve(true),
  close: () => undefined,
  drop: () => undefined,
}

async function fill(): Promise<Participant[]> {
  const people: Participant[] = []
  const media = new MeetingMedia({
    sfu,
    maxProducers: 8,
    maxVideoStreams: 25,
    requiresEncryption: () => false,
    participants: () => people,
    find: (participantId) => people.find(({ id }) => id === participantId),
    tellAll: () => undefined,
    onlookers: new Onlookers(() => undefined),
    onStream: () => undefined,
    refusalToSend: () => undefined,
    onError: (error) => {
      // The workers that end take the media of all with them.
      if (!isOver) throw error
    },
    onLost: () => Promise.resolve(),
  })
  for (let at = 0; at < PEOPLE; at++) {
    const one = new Participant({
      participantId: `p${at}`,
      grant: { tokenId: 't', apiKey: 'key', projectId: 'project', entry: 'direct', permissions: [] },
      name: 'p',
      authority: { canAdmit: true, canModerate: false },
      link,
    })
    people.push(one)
    one.joined = true
    one.media.rtpCapabilities = await media.routerRtpCapabilities()
    const send = await media.createTransport(one, { producing: true, consuming: false })
    await media.createTransport(one, { producing: false, consuming: true })
    for (const kind of ['audio', 'video'] as const) {
      await media.streams.produce(one, {
        transportId: send.id,
        kind,
        rtpParameters: sampleRtpParameters(kind, { layers: kind === 'video' ? 3 : 1 }),
        appData: {},
      })
    }
    media.consumeAll(one)
  }
  while (people.some(({ media: { consumers } }) => consumers.size < 2 * (PEOPLE - 1)))
    await new Promise((next) => setTimeout(next, 20))
  return people
}

function workersCpuMs(): number {
  let ticks = 0
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  for (const pid of children) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return (ticks * 1000) / TICKS_PER_SECOND
}

const meetings = []
for (let made = 0; made < MEETINGS; made++) meetings.push(await fill())
const before = { own: process.cpuUsage(), workers: workersCpuMs(), at: performance.now() }
for (let round = 0; round < ROUNDS; round++) {
  for (const people of meetings)
    await Promise.all(
      people.map((one) => measure(one, { now: Date.now, eventLoopLagMs: 0, workerLosses: 0 })),
    )
}
const { user, system } = process.cpuUsage(before.own)
const ownMs = (user + system) / 1000 / ROUNDS
const workersMs = (workersCpuMs() - before.workers) / ROUNDS
const tookMs = (performance.now() - before.at) / ROUNDS
console.log(`${MEETINGS * PEOPLE} participants in ${MEETINGS} meetings, mean of ${ROUNDS} rounds`)
printTable(
  ['', 'ms of processor a round', '% of a core, every 10 s'],
  [
    ['the program', ownMs.toFixed(0), (ownMs / INTERVAL_SECONDS / 10).toFixed(1)],
    ['its media workers', workersMs.toFixed(0), (workersMs / INTERVAL_SECONDS / 10).toFixed(1)],
  ],
)
console.log(`a round takes ${tookMs.toFixed(0)} ms`)
isOver = true
await sfu.close()
