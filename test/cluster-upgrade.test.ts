/**
 * A rolling upgrade: the nodes of a cluster become a later version one after the other, with people inside, who never leave;
 * nodes of both versions work on one database and carry to each other. The later version is made of this one, with the
 * changes that a release may bring (`support/later-version.ts`). With TEST_OLDER=/path/to/an/older/checkout the nodes
 * begin as that one instead, and become this version.
 */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Guest } from './support/guest.ts'
import { LATER, makeLaterVersion } from './support/later-version.ts'
import { runCommand, startNodes } from './support/nodes.ts'
import { runSql, withoutPostgres } from './support/postgres.ts'
import type { RealServer } from './support/real-server.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
const older = process.env.TEST_OLDER

test('a cluster is upgraded node by node: nobody leaves a meeting', { skip: withoutPostgres }, async (t) => {
  const later = older === undefined ? await makeLaterVersion() : undefined
  if (later) t.after(() => rm(later.folder, { recursive: true, force: true }))
  const [before, after] = older === undefined ? [cli, later!.cli] : [join(older, 'src/cli.ts'), cli]
  const stage = await startNodes(t, 2, { DRAIN_SECONDS: '1' }, before)
  const [one, two] = stage.nodes as [RealServer, RealServer]
  const meetingId = await one.createMeeting()
  const people = [
    await new Guest(t, stage.balancer, meetingId, 'ann').joined(),
    await new Guest(t, stage.balancer, meetingId, 'bob').joined(),
  ]
  const sessions = async (node: RealServer) =>
    (await node.rest('GET', `/v2/sessions?roomId=${meetingId}&status=ongoing`)).body.data
  const [{ id: sessionId }] = await sessions(one)
  const say = async (node: RealServer, message: string): Promise<void> => {
    const { status } = await node.rest('POST', `/v2/rooms/${meetingId}/messages`, {
      topic: 'CHAT',
      message,
      senderName: 'test',
      persist: true,
    })
    assert.equal(status, 200)
  }

  /** Ends a node in order, and starts it as another version. */
  const become = async (node: RealServer, program: string): Promise<void> => {
    const wasHome = node === stage.at((await stage.homeOf(meetingId))!)
    const joins = people.map((guest) => guest.joins)
    assert.equal(await node.end('SIGTERM'), 0)
    for (const [at, guest] of people.entries())
      await guest.isBackAmong(people.length, wasHome ? joins[at]! + 1 : 1)
    node.program = program
    await node.run()
  }
  /** Both nodes work for the meeting, whichever has it. */
  const worksAtBoth = async (message: string): Promise<void> => {
    for (const node of stage.nodes) {
      await say(node, `${message} by ${stage.nodes.indexOf(node)}`)
      const { body } = await node.rest('GET', `/v2/rooms/${meetingId}/live`)
      assert.deepEqual(
        body.participants.map(({ participantId }: { participantId: string }) => participantId).sort(),
        ['ann', 'bob'],
      )
      const [session, ...others] = await sessions(node)
      assert.deepEqual([session.id, others.length], [sessionId, 0])
    }
  }
  const versions = async (): Promise<string[]> =>
    (await runSql(stage.databaseUrl, 'select version from nodes order by node_id')).map(({ version }) =>
      String(version),
    )

  await worksAtBoth('before')
  await become(one, after)
  if (later) {
    assert.equal((await versions())[0], LATER)
    assert.match((await runCommand(two, 'nodes', 'list')).output, /99\.0\.0/)
    const [row] = await runSql(stage.databaseUrl, 'select of_a_later_version from meetings limit 1')
    assert.equal(row!.of_a_later_version, 'later')
  }
  await worksAtBoth('during')
  // A meeting that begins at one is reached by the other.
  for (const [at, by] of [
    [one, two],
    [two, one],
  ] as const) {
    const begun = await at.createMeeting()
    const dan = await new Guest(t, at, begun, 'dan').joined()
    const eve = await new Guest(t, by, begun, 'eve').joined()
    await eve.client.until(() => eve.client.meeting.participants.has('dan'), 'sees dan', 30_000)
    await Promise.all([dan.client.meeting.leave(), eve.client.meeting.leave()])
  }
  await become(two, after)
  await worksAtBoth('after')
  if (later) assert.deepEqual(await versions(), [LATER, LATER])
  for (const { states } of people) assert.ok(!states.includes('left'), states.join())
  const { body } = await two.rest('GET', `/v2/rooms/${meetingId}/messages?perPage=100`)
  assert.deepEqual(
    body.data.map(({ message }: { message: string }) => message).sort(),
    ['after', 'before', 'during'].flatMap((when) => [`${when} by 0`, `${when} by 1`]),
  )
  const [{ participants }] = await sessions(two)
  assert.deepEqual(
    participants.map(
      ({ timelog }: { timelog: { end: string | null }[] }) =>
        timelog.filter(({ end }) => end === null).length,
    ),
    [1, 1],
  )
})
