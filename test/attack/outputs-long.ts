/** `npm run attack:outputs`: outputs started and stopped over and over, in turn; says what the server keeps of them. */
import { launchBrowser, Person } from '../support/browser.ts'
import { heldBy, type Held } from '../support/leftovers.ts'
import { RealServer } from '../support/real-server.ts'

const STARTS = Number(process.argv[2] ?? 50)
const EVERY = 10
/** Sockets of calls that this program keeps open. */
const SPARE_DESCRIPTORS = 10

const pause = (ms: number): Promise<void> => new Promise((next) => setTimeout(next, ms))
const browser = await launchBrowser()
const server = await RealServer.start({ OUTPUTS_ALLOW_PRIVATE: 'true', RATE_LIMIT: '0' })
try {
  const ann = await Person.at(browser, 'Ann')
  await ann.start(server.url)
  const roomId = await ann.page.evaluate<string>('globalThis.anteroom.meeting.meetingId')
  const outputs = [{ url: 'rtmp://127.0.0.1:1/live', streamKey: 'key' }]
  const kinds = [
    ['recordings', {}],
    ['hls', {}],
    ['livestreams', { outputs }],
    ['recordings', { fileFormat: 'webm', config: { quality: 'low' } }],
  ] as const

  async function once(count: number): Promise<void> {
    const [kind, more] = kinds[count % kinds.length]!
    const start = await server.rest('POST', `/v2/${kind}/start`, { roomId, ...more })
    if (start.status !== 200) throw new Error(`${kind}: ${JSON.stringify(start.body)}`)
    // Some are stopped while the browser starts.
    await pause((count % 5) * 1000)
    await server.rest('POST', `/v2/${kind}/end`, { roomId })
    for (;;) {
      const { body } = await server.rest('GET', `/v2/${kind}?roomId=${roomId}`)
      if (body.data[0].end !== null) return
      await pause(100)
    }
  }

  await once(0)
  await pause(5000)
  const before = heldBy(server)
  // Folders of others may be there already.
  const newFolders = ({ folders }: Held): number =>
    folders.filter((name) => !before.folders.includes(name)).length
  const say = (count: number, held: Held): void =>
    console.log(
      `${count} starts: ${held.processes} processes, ${held.descriptors} descriptors, ${newFolders(held)} new folders`,
    )
  say(0, before)
  for (let count = 1; count <= STARTS; count++) {
    await once(count)
    if (count % EVERY === 0 && count < STARTS) say(count, heldBy(server))
  }
  await pause(5000)
  const after = heldBy(server)
  say(STARTS, after)
  const seats = await ann.page.evaluate<number>('globalThis.anteroom.meeting.participants.size')
  const isClean =
    after.processes === before.processes &&
    after.descriptors <= before.descriptors + SPARE_DESCRIPTORS &&
    newFolders(after) === 0 &&
    seats === 0
  console.log(isClean ? 'nothing is left' : 'something is left')
  if (!isClean) process.exitCode = 1
} finally {
  await browser.close()
  await server.stop()
}
