/**
 * The home of a meeting is killed, and the next one drained, while published clients and ours are inside with their media:
 * all of them come back through a balancer, to the same session at another node.
 */
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './support/browser.ts'
import { mediaApp, MediaClients, mediaFlags } from './support/media-clients.ts'
import { runCommand, startNodes, type Nodes } from './support/nodes.ts'
import { withoutPostgres } from './support/postgres.ts'
import { Published, traits, type AppServer, type Version } from './support/published.ts'
import type { RealServer } from './support/real-server.ts'
import { API_KEY, signAnything } from './support/test-server.ts'
import { sampleOf } from './versions/sample.ts'

/** Windows with media that few cores carry at once. */
const AT_ONCE = 3
/** What a drain is tried with, besides those that share a meeting with it. */
const NEWEST: Version = '1.1.1'
const versions = sampleOf(Object.keys(traits) as Version[], '0.7.1')

let browser: Browser
let app: AppServer
let stage: Nodes
const cleanUps: (() => unknown)[] = []
before(async () => {
  if (withoutPostgres !== false) return
  browser = await launchBrowser([...mediaFlags])
  app = await mediaApp()
  stage = await startNodes({ after: (cleanUp) => void cleanUps.push(cleanUp as () => unknown) }, 2)
})
after(async () => {
  if (withoutPostgres !== false) return
  await browser.close()
  app.stop()
  for (const cleanUp of cleanUps) await cleanUp()
})

async function survive(t: TestContext, group: readonly Version[]): Promise<void> {
  const { url: secureUrl } = stage.secureBalancer
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
  const meetingId = await stage.nodes[0]!.createMeeting()
  const ours = new MediaClients(browser, app, { url: stage.balancer.url, secureUrl })
  t.after(() => ours.closeAll())
  const { tap } = await ours.join('our client', { meetingId, participantId: 'ours' })
  const idOf = ({ version }: Published): string => `with-${version}`
  const people = await Promise.all(
    group.map(async (version) => {
      const one = await Published.at(browser, app, version)
      t.after(() => one.close())
      return one.inside(secureUrl, { token, meetingId, participantId: idOf(one), name: version })
    }),
  )
  const everybody = ['ours', ...people.map(idOf)].sort()
  /** Ours and each published one see and hear each other; what each receives is decoded. */
  const mediaFlows = () =>
    Promise.all(
      people.flatMap((one) => [
        tap.flows(idOf(one), 'video'),
        tap.flows(idOf(one), 'audio'),
        one.sees('ours'),
        one.hears('ours'),
      ]),
    )
  await mediaFlows()
  await people[0]!.subscribe('CHAT')
  await people[0]!.publish('CHAT', 'before the kill', { persist: true })
  await people[0]!.heard('before the kill')
  const ongoing = async () =>
    (await stage.nodes[0]!.rest('GET', `/v2/sessions?roomId=${meetingId}&status=ongoing`)).body.data
  const [{ id: sessionId }] = await ongoing()
  let joins = 1

  /** Everybody comes back, with their media, after the home has ended. */
  const comeBack = async (how: string, end: (home: RealServer) => Promise<unknown>): Promise<void> => {
    const homeId = (await stage.homeOf(meetingId))!
    const home = stage.at(homeId)
    joins += 1
    const startedAt = performance.now()
    const tookMs = (): number => Math.round(performance.now() - startedAt)
    await tap.page.evaluate(
      `globalThis.cutOff = false; m.on('stateChanged', (state) => { if (state !== 'joined') globalThis.cutOff = true })`,
    )
    await end(home)
    try {
      await Promise.all([
        ...people.map(async (one) => {
          await one.until(`log.filter(([name]) => name === 'meeting-joined').length === ${joins}`)
          t.diagnostic(`${how}: js-sdk ${one.version} has joined again after ${tookMs()} ms`)
        }),
        tap.page
          .waitForFunction(
            `globalThis.cutOff && m.state === 'joined' && m.participants.size === ${people.length}`,
            undefined,
            { polling: 50 },
          )
          .then(() => t.diagnostic(`${how}: our client knows all again after ${tookMs()} ms`)),
      ])
      for (const one of people)
        if (!one.traits.restoresCamera) {
          // As a person does after coming back.
          const by = people.find((person) => person !== one)!
          await by.until(`m.participants.has('${idOf(one)}')`)
          await one.switchCamera(idOf(one), by)
        }
      await mediaFlows()
      t.diagnostic(`${how}: all media flow again after ${tookMs()} ms`)

      for (const one of people) {
        assert.deepEqual(
          await one.run(`return log.filter(([name]) => name === 'meeting-left')`),
          [],
          `js-sdk ${one.version} left`,
        )
        // Nobody is doubled, and nobody is missing.
        await one.until(`m.participants.size === ${people.length}`)
        assert.deepEqual(
          (await one.run<string[]>('return [...m.participants.keys(), m.localParticipant.id]')).sort(),
          everybody,
        )
      }
      assert.notEqual(await stage.homeOf(meetingId), homeId)
    } finally {
      // The other tests need both nodes.
      await home.run()
    }
    const sessions = await ongoing()
    assert.deepEqual(
      sessions.map(({ id }: { id: string }) => id),
      [sessionId],
    )
    const present = sessions[0].participants.filter(({ timelog }: { timelog: { end: string | null }[] }) =>
      timelog.some(({ end }) => end === null),
    )
    assert.deepEqual(
      present.map(({ participantId }: { participantId: string }) => participantId).sort(),
      everybody,
    )
    for (const { timelog } of present)
      assert.equal(timelog.filter(({ end }: { end: string | null }) => end === null).length, 1)
  }
  await comeBack('killed', (home) => home.end('SIGKILL'))
  if (group.includes(NEWEST))
    await comeBack('drained', async (home) => {
      const { exited } = home
      const { code, output } = await runCommand(home, 'drain', '--now')
      assert.equal(code, 0, output)
      assert.equal(await exited, 0)
    })
  const newcomer = await Published.at(browser, app)
  t.after(() => newcomer.close())
  await newcomer.inside(secureUrl, {
    token,
    meetingId,
    participantId: 'newcomer',
    micEnabled: false,
    webcamEnabled: false,
  })
  await newcomer.subscribe('CHAT')
  await newcomer.heard('before the kill', 'old')
}

for (let at = 0; at < versions.length; at += AT_ONCE) {
  const group = versions.slice(at, at + AT_ONCE)
  test(
    `js-sdk ${group.join(', ')} and our client come back after their home was killed${group.includes(NEWEST) ? ', and the next one drained' : ''}`,
    { skip: withoutPostgres },
    (t) => survive(t, group),
  )
}
