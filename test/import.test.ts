/** `anteroom import` from one of our servers to another, as an operator moves. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openStore } from '../src/store/open.ts'
import type { ImportReport } from '../src/project/import/import.ts'
import { TestServer } from './support/test-server.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
let source: TestServer
let token: string
let folder: string
before(async () => {
  source = await TestServer.start({ sessionGraceSeconds: 0 })
  token = source.token(['allow_join'], { roles: ['crawler'] })
  folder = await mkdtemp(join(tmpdir(), 'anteroom-import-'))
  await anteroom(['init'])
})
after(async () => {
  await source.stop()
  await rm(folder, { recursive: true, force: true })
})

async function anteroom(args: string[]) {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env: { ...process.env, DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  child.stderr.on('data', (chunk) => (err += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

async function importFrom(from: string, ...more: string[]) {
  const ran = await anteroom(['import', '--from', from, '--token', token, '--json', ...more])
  assert.equal(ran.err, '')
  return { code: ran.code, report: JSON.parse(ran.out) as ImportReport & { written: boolean } }
}

async function takenOver() {
  const store = await openStore({ folder: join(folder, 'data') })
  try {
    const { projectId } = (await store.projects.list())[0]!
    const everything = { page: 1, perPage: 100 }
    const sessions = await store.sessions.list(projectId, everything)
    return {
      rooms: (await store.meetings.list(projectId, everything)).items,
      sessions,
      stays: await store.sessions.staysOf(sessions.items.map(({ sessionId }) => sessionId)),
      named: await store.meetings.withCustomId(projectId, 'team-weekly'),
    }
  } finally {
    await store.close()
  }
}

test('an impossible import fails with one sentence, without the token, and writes nothing', async () => {
  for (const [args, code, pattern] of [
    [['--from', source.url], 2, /needs --from and --token/],
    [['--from', 'not an address', '--token', 'secret-token'], 2, /--from takes an address/],
    [['--from', 'http://ann:pw@127.0.0.1', '--token', 'secret-token'], 2, /--from takes an address/],
    [['--from', source.url, '--token', 'secret-token'], 1, /refused the token \(401\)/],
    [['--from', source.url, '--token', source.token(['ask_join'])], 1, /refused the token \(403\)/],
    [['--from', `${source.url}/nowhere`, '--token', 'secret-token'], 1, /answered 404/],
    [['--from', source.url, '--token', token, '--project', 'nowhere'], 3, /no project nowhere/],
  ] as const) {
    const ran = await anteroom(['import', ...args, '--write'])
    assert.equal(ran.code, code, ran.err)
    assert.equal(ran.out, '')
    assert.equal(ran.err.trim().split('\n').length, 1, ran.err)
    assert.match(ran.err, pattern)
    assert.doesNotMatch(ran.err, /secret-token/)
  }
  assert.equal((await takenOver()).rooms.length, 0)
})

test('imports rooms and past sessions once, however often it runs; a dry run writes nothing', async () => {
  const room = (
    await source.rest(
      'POST',
      '/v2/rooms',
      {
        customRoomId: 'team-weekly',
        autoCloseConfig: { type: 'session-ends', duration: 60 },
        geoFence: 'eu',
      },
      token,
    )
  ).body
  const closed = (await source.rest('POST', '/v2/rooms', {}, token)).body
  await source.rest('POST', '/v2/rooms/deactivate', { roomId: closed.roomId }, token)
  // More than one page of rooms.
  for (let made = 0; made < 101; made++) await source.createMeeting()
  const ann = source.connect({
    meetingId: room.roomId,
    token: source.token(['allow_join']),
    participantId: 'ann',
    name: 'Ann',
  })
  await ann.join()
  const live = await importFrom(source.url)
  assert.match(live.report.sessions.notTaken[0]!.why, /not ended/)
  assert.equal(live.code, 1)
  const moderator = source.token(['allow_join', 'allow_mod'])
  await source.rest('POST', '/v2/sessions/end', { roomId: room.roomId }, moderator)

  const dry = await importFrom(source.url)
  assert.deepEqual([dry.report.written, dry.report.rooms.taken, dry.report.sessions.taken], [false, 103, 1])
  assert.equal((await takenOver()).rooms.length, 0)

  const { code, report } = await importFrom(source.url, '--write')
  assert.deepEqual([code, report.rooms.taken, report.sessions.taken], [0, 103, 1])
  const here = await takenOver()
  assert.equal(here.named?.meetingId, room.roomId)
  assert.deepEqual(here.named?.settings, {
    autoCloseConfig: { type: 'session-ends', duration: 60 },
    geoFence: 'eu',
  })
  assert.equal(here.sessions.total, 1)
  assert.deepEqual(
    here.stays.map(({ participantId, name, leaveReason }) => [participantId, name, leaveReason]),
    [['ann', 'Ann', 'MEETING_END_API']],
  )

  const again = await importFrom(source.url, '--write')
  assert.deepEqual(
    [
      again.code,
      again.report.rooms.taken,
      again.report.rooms.alreadyThere,
      again.report.sessions.alreadyThere,
    ],
    [0, 0, 103, 1],
  )
  assert.equal((await takenOver()).sessions.total, 1)
})

test('continues an interrupted import', async () => {
  const other = await mkdtemp(join(tmpdir(), 'anteroom-import-'))
  const [home, first] = [folder, source.url]
  folder = other
  let answers = 0
  // Answers the first page, and fails in the middle of the second.
  const flaky: Server = createServer((request, response) => {
    if (++answers === 2) {
      request.socket.destroy()
      flaky.close()
      return
    }
    void fetch(first + request.url!, { headers: { authorization: request.headers.authorization! } }).then(
      async (answer) => {
        response.writeHead(answer.status, { 'content-type': 'application/json' })
        response.end(await answer.text())
      },
    )
  })
  await new Promise<void>((resolve) => flaky.listen(0, '127.0.0.1', resolve))
  try {
    await anteroom(['init'])
    const { port } = flaky.address() as AddressInfo
    const cut = await anteroom(['import', '--from', `http://127.0.0.1:${port}`, '--token', token, '--write'])
    assert.equal(cut.code, 1)
    assert.match(cut.err, /cannot be read/)
    assert.equal((await takenOver()).rooms.length, 100)
    const { report } = await importFrom(first, '--write')
    assert.deepEqual([report.rooms.taken, report.rooms.alreadyThere, report.sessions.taken], [3, 100, 1])
  } finally {
    folder = home
    await rm(other, { recursive: true, force: true })
  }
})
