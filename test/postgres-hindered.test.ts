/**
 * A PostgreSQL with problems: read-only, full, silent, slow or restarted. What continues, what is refused, and the
 * recovery.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { SmallDisk } from './support/disk.ts'
import { OwnPostgres, runSql, withoutOwnPostgres } from './support/postgres.ts'
import { TestServer } from './support/test-server.ts'
import { WireError } from './support/wire-client.ts'

const PATIENCE_MS = 120_000
const SLOW_MS = 150
const onPostgres = { skip: withoutOwnPostgres, timeout: 600_000 }
let database: OwnPostgres
before(async () => {
  if (withoutOwnPostgres === false) database = await OwnPostgres.start()
})
after(async () => {
  if (withoutOwnPostgres === false) await database.stop()
})

const unsaved = (thrown: unknown): boolean =>
  thrown instanceof WireError && thrown.errorName === 'STORE_UNAVAILABLE'

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > giveUpAt) assert.fail(`never: ${what}`)
    await delay(50)
  }
}

interface Place {
  url?: string
  /** Called when the server has stopped. */
  cleanUp?: () => unknown
}

/** A meeting of two on a server with its own database. */
async function meeting(t: TestContext, name: string, { url, cleanUp }: Place = {}) {
  const server = await TestServer.start({ databaseUrl: url ?? database.urlOf(name), logLevel: 'silent' })
  t.after(async () => {
    await server.stop()
    await cleanUp?.()
  })
  const roomId = await server.createMeeting()
  const token = server.token(['allow_join', 'allow_mod'])
  const [ann, bob] = ['ann', 'bob'].map((participantId) =>
    server.connect({ token, meetingId: roomId, participantId }),
  )
  await ann!.join()
  await bob!.join()
  return { server, roomId, ann: ann!, bob: bob! }
}

async function hindered(
  { server, roomId, ann, bob }: Awaited<ReturnType<typeof meeting>>,
  hindrance: { begin: () => unknown; end: () => unknown; reads: boolean; refusesAll: boolean },
): Promise<void> {
  await hindrance.begin()
  await until(async () => (await server.rest('POST', '/v2/rooms', {})).status === 503, 'a write is refused')
  if (hindrance.refusesAll) {
    await until(async () => (await fetch(`${server.url}/health`)).status === 503, 'the trouble shows')
    await assert.rejects(ann.request('removePeer', { peerId: 'bob' }), unsaved)
  }
  await ann.request('changeDisplayName', { displayName: 'Ann, with a database that serves badly' })
  await bob.hears('peerDisplayNameChanged')
  assert.equal((await server.rest('GET', `/v2/rooms/${roomId}`)).status, hindrance.reads ? 200 : 503)
  assert.equal(bob.closed, undefined)

  await hindrance.end()
  await until(async () => (await fetch(`${server.url}/health`)).status === 200, 'it works again')
  await server.createMeeting()
  await ann.request('removePeer', { peerId: 'bob' })
  await bob.gone()
}

/** Closes the connections, because open ones keep their settings. */
const disconnect = (name: string): Promise<unknown> =>
  runSql(database.admin, 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])

test('a database that can only be read', onPostgres, async (t) => {
  await runSql(database.admin, 'create database read_only')
  await hindered(await meeting(t, 'read_only'), {
    begin: async () => {
      await runSql(database.admin, 'alter database read_only set default_transaction_read_only = on')
      await disconnect('read_only')
    },
    end: async () => {
      await runSql(database.admin, 'alter database read_only reset default_transaction_read_only')
      await disconnect('read_only')
    },
    reads: true,
    refusesAll: true,
  })
})

test('a database on a full disk', onPostgres, async (t) => {
  const disk = SmallDisk.mount(64)
  if (!disk) return t.skip('this user may not mount a small disk')
  const folder = join(disk.folder, 'space')
  database.makeFolder(folder)
  await runSql(database.admin, `create tablespace small location '${folder}'`)
  await runSql(database.admin, 'create database full_disk tablespace small')
  const people = await meeting(t, 'full_disk', {
    cleanUp: async () => {
      await runSql(database.admin, 'drop database full_disk with (force)')
      await runSql(database.admin, 'drop tablespace small')
      disk.unmount()
    },
  })
  await hindered(people, {
    // The attempted writes use up the space in the last pages.
    begin: () => disk.fill(),
    end: () => disk.free(),
    reads: true,
    // A row can be changed if its page has free space.
    refusesAll: false,
  })
})

test('a database that is silent', onPostgres, async (t) => {
  await runSql(database.admin, 'create database silent')
  const people = await meeting(t, 'silent')
  let stopped: number[] = []
  await hindered(people, {
    begin: async () => {
      const rows = await runSql(database.admin, `select pid from pg_stat_activity where datname = 'silent'`)
      stopped = [database.pid, ...rows.map(({ pid }) => Number(pid))]
      for (const pid of stopped) process.kill(pid, 'SIGSTOP')
    },
    end: () => stopped.forEach((pid) => process.kill(pid, 'SIGCONT')),
    reads: false,
    refusesAll: true,
  })
})

test('a database that is started anew is missed by nobody', onPostgres, async (t) => {
  await runSql(database.admin, 'create database restarted')
  const { server, ann, bob } = await meeting(t, 'restarted')
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    await database.end(signal)
    await database.run()
    await server.createMeeting()
  }
  await ann.request('removePeer', { peerId: 'bob' })
  await bob.gone()
})

test(
  'a database that answers slowly holds up what it is asked for, and nothing else',
  onPostgres,
  async (t) => {
    await runSql(database.admin, 'create database slow')
    const line = await slowLine(database.port)
    const url = database.urlOf('slow', line.port)
    const { server, ann, bob } = await meeting(t, 'slow', { url, cleanUp: () => line.close() })
    line.delayMs = SLOW_MS
    const order: string[] = []
    const created = server.createMeeting().then(() => order.push('created'))
    await ann.request('changeDisplayName', { displayName: 'Ann' })
    await bob.hears('peerDisplayNameChanged')
    order.push('heard')
    await created
    assert.deepEqual(order, ['heard', 'created'])
    const made = await Promise.all(Array.from({ length: 40 }, () => server.createMeeting()))
    assert.equal(new Set(made).size, 40)
    await ann.request('removePeer', { peerId: 'bob' })
    await bob.gone()
  },
)

/** Delays each piece in both directions by `delayMs`. */
async function slowLine(port: number): Promise<{ port: number; delayMs: number; close: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => void setTimeout(() => to.write(chunk), line.delayMs))
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const line = {
    port: (server.address() as { port: number }).port,
    delayMs: 0,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  return line
}
