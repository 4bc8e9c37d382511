/**
 * An unavailable store: what cannot be saved is refused without effect, everything else continues, and the server
 * recovers by itself.
 */
import assert from 'node:assert/strict'
import { cp, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import Database from 'better-sqlite3'
import { limitFileSize, makeReadOnly, SmallDisk } from '../support/disk.ts'
import { RealServer } from '../support/real-server.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'
import { WireClient, WireError } from '../support/wire-client.ts'

const PATIENCE_MS = 90_000
const token = (...permissions: string[]): string => signAnything({ apikey: API_KEY, permissions })
const unsaved = (thrown: unknown): boolean =>
  thrown instanceof WireError && thrown.errorName === 'STORE_UNAVAILABLE'

async function begin(t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<RealServer> {
  const server = await RealServer.start({ LOG_LEVEL: 'fatal', SESSION_GRACE_SECONDS: '1', ...env })
  t.after(() => server.stop())
  return server
}

/** Repeats the check until it holds, up to a timeout. */
async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS
  while (!(await holds())) {
    if (Date.now() > giveUpAt) assert.fail(`never: ${what}`)
    await new Promise((next) => setTimeout(next, 100))
  }
}

const health = async (server: RealServer): Promise<{ status: number; reason: string | undefined }> => {
  const { status, body } = await server.rest('GET', '/health')
  return { status, reason: body.store.reason }
}

const available = async (server: RealServer): Promise<string> => {
  const admin = (await readFile(join(server.env.DATA_DIR!, 'admin-key'), 'utf8').catch(() => '')).trim()
  const { body } = await server.rest('GET', '/metrics', undefined, `Bearer ${admin}`)
  return (
    /^anteroom_store_available (\d)$/m.exec(body as string)?.[1] ?? `none in ${String(body).slice(0, 200)}`
  )
}

/** A meeting with a moderator, a participant to be removed, and a guest who asks, on a server with a working store. */
async function meeting(server: RealServer, t: TestContext) {
  const meetingId = await server.createMeeting()
  const people: WireClient[] = []
  const person = (participantId: string, ...permissions: string[]): WireClient => {
    const one = new WireClient({ url: server.url, token: token(...permissions), meetingId, participantId })
    people.push(one)
    return one
  }
  t.after(() => people.forEach((one) => one.close()))
  const [ann, bob, guest] = [
    person('ann', 'allow_join', 'allow_mod'),
    person('bob', 'allow_join'),
    person('guest', 'ask_join'),
  ]
  const { self } = await ann.join()
  await bob.join()
  await guest.enter()
  await ann.hears('entryRequested')
  return { meetingId, sessionId: self.sessionId as string, person, ann, bob, guest }
}

/** Everything that must be saved is refused without effect. */
async function cannotSave(
  t: TestContext,
  server: RealServer,
  breakIt: () => void,
  mend: () => void,
  reason: RegExp,
) {
  const { meetingId, sessionId, person, ann, bob, guest } = await meeting(server, t)
  const leaver = person('leaver', 'allow_join')
  await leaver.join()
  breakIt()

  for (const [method, path, body] of [
    ['POST', '/v2/rooms', {}],
    ['POST', '/v2/rooms/deactivate', { roomId: meetingId }],
    ['POST', '/v2/invites', { roomId: meetingId, entry: 'direct' }],
    [
      'POST',
      `/v2/rooms/${meetingId}/messages`,
      { topic: 'CHAT', message: 'kept', persist: true, senderName: 'x' },
    ],
    ['POST', '/v2/sessions/end', { roomId: meetingId }],
    ['POST', '/v2/sessions/participants/remove', { roomId: meetingId, participantId: 'bob' }],
    [
      'POST',
      `/v2/rooms/${meetingId}/entry-requests/respond`,
      { participantId: 'guest', decision: 'allowed' },
    ],
  ] as const) {
    const answer = await server.rest(method, path, body)
    assert.equal(answer.body.code, 'STORE_UNAVAILABLE', `${path}: ${JSON.stringify(answer.body)}`)
    assert.equal(answer.status, 503, path)
  }
  await assert.rejects(ann.request('removePeer', { peerId: 'bob' }), unsaved)
  await assert.rejects(ann.request('respondEntry', { id: 'guest', decision: 'allowed' }), unsaved)
  await assert.rejects(ann.request('closeRoom'), unsaved)
  await assert.rejects(person('late', 'allow_join').join(), unsaved)

  // Participants inside continue to receive each other, and refused calls had no effect.
  await ann.request('changeDisplayName', { displayName: 'Ann on a full disk' })
  await bob.hears('peerDisplayNameChanged')
  const said = { topic: 'CHAT', message: 'not kept', persist: false, senderName: 'x' }
  assert.equal((await server.rest('POST', `/v2/rooms/${meetingId}/messages`, said)).status, 200)
  leaver.close()
  await ann.hears('peerClosed', ({ peerId }) => peerId === 'leaver')
  const { body: live } = await server.rest('GET', `/v2/rooms/${meetingId}/live`)
  const ids = (list: { participantId: string }[]): string[] =>
    list.map(({ participantId }) => participantId).sort()
  assert.deepEqual(ids(live.participants), ['ann', 'bob'])
  assert.deepEqual(ids(live.entryRequests), ['guest'])
  assert.deepEqual((await server.rest('GET', `/v2/rooms/${meetingId}/removals`)).body.data, [])
  assert.equal(bob.closed, undefined)
  assert.equal(guest.closed, undefined)
  const told = await health(server)
  assert.equal(told.status, 503)
  assert.match(told.reason ?? '', reason)
  assert.equal(await available(server), '0')

  mend()
  await until(async () => (await health(server)).status === 200, 'healthy again')
  assert.equal(await available(server), '1')
  await server.createMeeting()
  await ann.request('respondEntry', { id: 'guest', decision: 'allowed' })
  await guest.hears('entryResponded')
  await guest.finishJoin()
  await ann.request('removePeer', { peerId: 'bob' })
  await bob.gone()
  // Events from the outage are recorded by now.
  await until(async () => {
    const { body } = await server.rest('GET', `/v2/sessions/${sessionId}`)
    const stay = body.participants.find((one: { participantId: string }) => one.participantId === 'leaver')
    return stay?.timelog[0].end !== null
  }, 'the leave of one who left meanwhile is recorded')
}

test('a full disk: writes are refused without effect, and work again when there is room', async (t) => {
  const disk = SmallDisk.mount(64)
  if (!disk) return t.skip('this user may not mount a small disk')
  const server = await begin(t, { DATA_DIR: join(disk.folder, 'data') })
  t.after(() => disk.unmount())
  await cannotSave(
    t,
    server,
    () => disk.fill(),
    () => disk.free(),
    /disk is full/,
  )
})

test('a limit on the size of files: the same', async (t) => {
  const server = await begin(t)
  if (!limitFileSize(server.pid)) return t.skip('the limit of a running program cannot be set here')
  await cannotSave(
    t,
    server,
    () => void limitFileSize(server.pid, 4096),
    () => void limitFileSize(server.pid),
    /disk does not answer|disk is full/,
  )
})

test('a database locked by another program: reads and meetings continue, a write waits and is refused after a while', async (t) => {
  const server = await begin(t)
  const { meetingId, ann, bob } = await meeting(server, t)
  const other = new Database(join(server.env.DATA_DIR!, 'anteroom.db'))
  t.after(() => other.close())
  const answered: string[] = []
  const note = (what: string) => (): void => void answered.push(what)

  other.exec('begin immediate')
  const write = server.createMeeting().then(note('write'))
  await server.rest('GET', `/v2/rooms/${meetingId}`).then(note('read'))
  await ann.request('changeDisplayName', { displayName: 'Ann' }).then(note('message'))
  await bob.hears('peerDisplayNameChanged')
  await until(async () => (await health(server)).status === 503, 'told of')
  assert.equal(await available(server), '0')
  assert.deepEqual(answered, ['read', 'message'])
  other.exec('rollback')
  await write

  other.exec('begin immediate')
  const refused = await server.rest('POST', '/v2/rooms', {})
  assert.deepEqual([refused.status, refused.body.code], [503, 'STORE_UNAVAILABLE'])
  other.exec('rollback')
  await until(async () => (await health(server)).status === 200, 'healthy again')
  assert.equal(await available(server), '1')
})

test('a read-only folder: files are refused, and the start fails openly', async (t) => {
  const server = await begin(t)
  const folder = server.env.DATA_DIR!
  const { meetingId } = await meeting(server, t)
  const inside = token('allow_join')
  const one = new WireClient({ url: server.url, token: inside, meetingId, participantId: 'filer' })
  t.after(() => one.close())
  await one.join()
  const file = { fileName: 'a.txt', base64Data: Buffer.from('hello').toString('base64') }
  const upload = (): Promise<{ status: number; body: any }> =>
    server.rest('POST', `/base64-upload?roomId=${meetingId}`, file, inside)
  const writable = makeReadOnly(folder)
  if (!writable) return t.skip('this user may not make a folder read-only')
  try {
    const { status, body } = await upload()
    assert.deepEqual([status, body.code], [503, 'STORE_UNAVAILABLE'])
  } finally {
    writable()
  }
  assert.equal((await upload()).status, 200)

  await server.end()
  const again = makeReadOnly(folder)
  try {
    await assert.rejects(server.run(), /cannot be written/)
    assert.equal(server.output.trim().split('\n').length, 1, server.output)
  } finally {
    again?.()
  }
})

test('a truncated database stops the start with a sentence; a truncated log loses only its incomplete end', async (t) => {
  const server = await begin(t)
  const made: string[] = []
  for (let at = 0; at < 30; at++) made.push(await server.createMeeting())
  await server.end('SIGKILL')
  const [folder, copy] = [server.env.DATA_DIR!, await mkdtemp(join(tmpdir(), 'anteroom-cut-'))]
  t.after(() => rm(copy, { recursive: true, force: true }))
  await cp(folder, copy, { recursive: true })
  const asBefore = async (): Promise<void> => {
    await rm(folder, { recursive: true })
    await cp(copy, folder, { recursive: true })
  }

  const log = join(folder, 'anteroom.db-wal')
  await truncate(log, Math.floor((await stat(log)).size * 0.7))
  await server.run()
  const { body } = await server.rest('GET', '/v2/rooms?perPage=100')
  const there = new Set(body.data.map(({ roomId }: { roomId: string }) => roomId))
  const lost = made.map((id) => !there.has(id))
  // Only the end may be missing, never something in between.
  assert.ok(there.size > 0)
  assert.equal(lost.lastIndexOf(false) + 1, lost.filter((one) => !one).length)
  await server.createMeeting()
  await server.end()

  await asBefore()
  await server.run()
  await server.end()
  const file = join(folder, 'anteroom.db')
  for (const part of [0.9, 0.01]) {
    const size = (await stat(file)).size
    const whole = await readFile(file)
    await truncate(file, Math.floor(size * part))
    await assert.rejects(server.run(), /is damaged: restore a backup/)
    await writeFile(file, whole)
  }
  const key = join(folder, 'master.key')
  await truncate(key, 10)
  await assert.rejects(server.run(), /master key|master\.key/)
  await asBefore()

  // With a running server: it invents nothing, and participants inside continue.
  await server.run()
  const { ann, bob } = await meeting(server, t)
  const handle = await open(file, 'r+')
  await handle.truncate(4096)
  await handle.close()
  const answer = await server.rest('GET', `/v2/rooms/${made[3]!}`)
  assert.ok([200, 503].includes(answer.status), JSON.stringify(answer))
  await ann.request('changeDisplayName', { displayName: 'Ann' })
  await bob.hears('peerDisplayNameChanged')
})
