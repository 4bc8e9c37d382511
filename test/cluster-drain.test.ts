/** A node that is drained, between two real nodes behind a balancer: nobody leaves a meeting, and the program ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Guest } from './support/guest.ts'
import { runCommand, startNodes } from './support/nodes.ts'
import { withoutPostgres } from './support/postgres.ts'
import type { RealServer } from './support/real-server.ts'
import { ADMIN_KEY } from './support/test-server.ts'

const PATIENCE_MS = 60_000

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, `never: ${what}`)
    await new Promise((next) => setTimeout(next, 50))
  }
}

const admin = (node: RealServer, method: string, path: string, body?: unknown) =>
  node.rest(method, path, body, `Bearer ${ADMIN_KEY}`)

test(
  'a drained node takes no meeting, hands over those it has, and ends',
  { skip: withoutPostgres },
  async (t) => {
    const stage = await startNodes(t, 2)
    const [one] = stage.nodes as [RealServer, RealServer]
    const meetingId = await one.createMeeting()
    const people: Guest[] = []
    for (const id of ['ann', 'bob', 'cem'])
      people.push(await new Guest(t, stage.balancer, meetingId, id).joined())
    const homeId = (await stage.homeOf(meetingId))!
    const otherId = homeId === '127.0.0.2' ? '127.0.0.3' : '127.0.0.2'
    const [home, other] = [stage.at(homeId), stage.at(otherId)]
    const ongoing = `/v2/sessions?roomId=${meetingId}&status=ongoing`
    const sessionId = (await other.rest('GET', ongoing)).body.data[0].id
    const drainPath = `/v2/admin/nodes/${homeId}/drain`

    // Refusals change nothing.
    const unknown = await admin(other, 'POST', '/v2/admin/nodes/nobody/drain', {})
    assert.deepEqual([unknown.status, unknown.body.message], [404, 'No node with this id runs.'])
    assert.equal((await admin(other, 'POST', drainPath, { withinSeconds: -1 })).status, 400)
    assert.equal((await other.rest('POST', drainPath, {})).status, 401)
    assert.equal((await home.rest('GET', '/health/ready')).status, 200)

    // There is time: those inside stay, and what begins begins elsewhere.
    const drained = await admin(other, 'POST', drainPath, { withinSeconds: 3600 })
    assert.deepEqual(drained, {
      status: 200,
      body: { nodeId: homeId, state: 'draining', meetings: 1, participants: 3 },
    })
    const ready = await home.rest('GET', '/health/ready')
    assert.equal(ready.status, 503)
    assert.deepEqual(ready.body.missing, [
      {
        part: 'server',
        reason: 'The node is being drained: it takes no new meetings, and its meetings move to other nodes.',
      },
    ])
    assert.equal((await home.rest('GET', '/health/live')).status, 200)
    assert.equal((await admin(home, 'GET', '/v2/admin/status')).body.state, 'draining')
    assert.equal((await admin(other, 'GET', '/v2/admin/status')).body.state, 'serving')
    const begun = await home.createMeeting()
    const dan = new Guest(t, home, begun, 'dan')
    await dan.joined()
    assert.equal(await stage.homeOf(begun), otherId)
    assert.equal(await stage.homeOf(meetingId), homeId)

    // The other one cannot be drained too: nobody could take its meetings.
    const both = await runCommand(other, 'drain', '--now')
    assert.equal(both.code, 3)
    assert.match(both.output, /^There is no other node that could take its meetings\.$/m)

    // Cancelled, it takes meetings again.
    const cancelled = await runCommand(other, 'drain', '--node', homeId, '--cancel')
    assert.deepEqual(cancelled, { code: 0, output: `${homeId} takes meetings again\n` })
    await until(async () => (await home.rest('GET', '/health/ready')).status === 200, 'ready again')

    // Drained at once, by its own command line.
    const exited = home.exited
    const movedAt = performance.now()
    const done = await runCommand(home, 'drain', '--now')
    assert.equal(done.code, 0, done.output)
    assert.equal(
      done.output,
      `draining ${homeId}: 1 meetings with 3 people\n${homeId} is empty and has ended\n`,
    )
    assert.equal(await exited, 0)
    for (const guest of people) await guest.isBackAmong(3)
    t.diagnostic(`all were back ${Math.round(performance.now() - movedAt)} ms after the order`)
    assert.equal(await stage.homeOf(meetingId), otherId)
    const { data } = (await other.rest('GET', ongoing)).body
    assert.deepEqual([data.length, data[0].id], [1, sessionId])
    assert.deepEqual(
      people.map(({ states }) => states.at(-1)),
      ['joined', 'joined', 'joined'],
    )
  },
)

test(
  'SIGTERM gives meetings DRAIN_SECONDS to end, then moves them, and the program ends with 0',
  { skip: withoutPostgres },
  async (t) => {
    const stage = await startNodes(t, 2, { DRAIN_SECONDS: '8' })
    const [one] = stage.nodes as [RealServer, RealServer]
    const meetingId = await one.createMeeting()
    const people = [
      await new Guest(t, stage.balancer, meetingId, 'ann').joined(),
      await new Guest(t, stage.balancer, meetingId, 'bob').joined(),
    ]
    const homeId = (await stage.homeOf(meetingId))!
    const home = stage.at(homeId)
    const exited = home.end('SIGTERM')
    await until(async () => (await home.rest('GET', '/health/ready')).status === 503, 'not ready')
    assert.equal(await stage.homeOf(meetingId), homeId)
    assert.deepEqual(
      people.map(({ client }) => client.meeting.state),
      ['joined', 'joined'],
    )
    for (const guest of people) await guest.isBackAmong(2)
    assert.notEqual(await stage.homeOf(meetingId), homeId)
    assert.equal(await exited, 0)
  },
)
