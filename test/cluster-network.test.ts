/**
 * Two nodes on hosts of their own, whose lines are cut one by one: to the database, to each other, and both; and a node that stands
 * still. What each row of "What fails, and what happens" (docs/scaling.md) promises. Needs root and iproute2.
 */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './support/ports.ts'
import { Network, withoutNamespaces } from './support/network.ts'
import { OwnPostgres, runSql, withoutOwnPostgres } from './support/postgres.ts'
import { RealServer } from './support/real-server.ts'
import { ADMIN_KEY, API_KEY, signAnything } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

const skip = withoutNamespaces || withoutOwnPostgres
const PATIENCE_MS = 90_000
/** A lease, and as long again. */
const LONGER_THAN_A_LEASE_MS = 8000
const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })

/** Notes each write about a meeting that does not come from its home; each host has its own address. */
const WATCH = `
  create table strays (at_table text, host text, home text);
  create function watch() returns trigger language plpgsql as $$
  declare home text; declare its_meeting text;
  begin
    -- Any node may count what was used.
    if tg_op = 'UPDATE' and to_jsonb(new) - 'counted_at' = to_jsonb(old) - 'counted_at' then return new; end if;
    if tg_table_name = 'sessions' then its_meeting := new.meeting_id;
    else select meeting_id into its_meeting from sessions where session_id = new.session_id; end if;
    select node_id into home from homes where meeting_id = its_meeting;
    if home is not null and split_part(home, '.', 4) <> split_part(host(inet_client_addr()), '.', 4) then
      insert into strays values (tg_table_name, host(inet_client_addr()), home);
    end if;
    return new;
  end $$;
  create trigger watch before insert or update on stays for each row execute function watch();
  create trigger watch before insert or update on sessions for each row execute function watch();
  create trigger watch before insert or update on intervals for each row execute function watch();
  create trigger watch before insert or update on chat_messages for each row execute function watch();`

class Stage {
  readonly network: Network
  readonly databaseUrl: string
  readonly nodes: RealServer[]
  meetingId = ''
  sessionId = ''
  /** Of the home, and the other one: 1 or 2. */
  home = 0
  other = 0
  readonly #t: TestContext

  private constructor(t: TestContext, network: Network, databaseUrl: string, nodes: RealServer[]) {
    this.#t = t
    this.network = network
    this.databaseUrl = databaseUrl
    this.nodes = nodes
  }

  static async open(t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<Stage> {
    const network = new Network(2)
    const undo: (() => unknown)[] = [() => network.remove()]
    t.after(async () => {
      for (const one of undo.reverse()) await one()
    })
    const postgres = await OwnPostgres.start([`listen_addresses=127.0.0.1,${network.addressOf(0, 'store')}`])
    undo.push(() => postgres.stop())
    const subnet = network.addressOf(0, 'store').replace(/\d+$/, '0/24')
    appendFileSync(join(postgres.data, 'pg_hba.conf'), `host all all ${subnet} scram-sha-256\n`)
    await runSql(postgres.admin, 'select pg_reload_conf()')
    await runSql(postgres.admin, 'create database anteroom')
    const databaseUrl = postgres.urlOf('anteroom')
    const clusterPort = String(await freePorts(1))
    const nodes: RealServer[] = []
    for (const host of [1, 2]) {
      const node = await RealServer.start(
        {
          DATABASE_URL: databaseUrl.replace('127.0.0.1', network.addressOf(0, 'store')),
          MASTER_KEY: '07'.repeat(32),
          ADMIN_KEY,
          CLUSTER_PORT: clusterPort,
          NODE_ADDRESS: network.addressOf(host, 'nodes'),
          HOST: '0.0.0.0',
          ANNOUNCED_ADDRESS: network.addressOf(host, 'people'),
          MEDIA_WORKERS: '1',
          SESSION_GRACE_SECONDS: '60',
          ...env,
        },
        network.within(host),
        network.addressOf(host, 'people'),
      )
      undo.push(() => node.stop())
      nodes.push(node)
    }
    await runSql(databaseUrl, WATCH)
    const stage = new Stage(t, network, databaseUrl, nodes)
    stage.meetingId = await nodes[0]!.createMeeting()
    return stage
  }

  /** Ann through the home, and Bob through the other node. */
  async meet(): Promise<[ann: WireClient, bob: WireClient]> {
    const ann = this.connect(1, 'ann')
    await ann.join()
    this.home = await this.homeNow()
    this.other = 3 - this.home
    if (this.home !== 1) throw new Error('Ann was carried')
    const bob = this.connect(this.other, 'bob')
    await bob.join()
    this.sessionId = (await this.ongoing(this.home))[0].id
    return [ann, bob]
  }

  node(host: number): RealServer {
    return this.nodes[host - 1]!
  }

  connect(host: number, participantId: string): WireClient {
    const client = new WireClient({
      url: this.node(host).url,
      token,
      meetingId: this.meetingId,
      participantId,
    })
    this.#t.after(() => client.close())
    return client
  }

  async homeNow(): Promise<number> {
    const [row] = await runSql(this.databaseUrl, 'select node_id from homes where meeting_id = $1', [
      this.meetingId,
    ])
    return row ? Number((row.node_id as string).split('.')[3]) - 1 : 0
  }

  async ongoing(host: number): Promise<any[]> {
    return (await this.node(host).rest('GET', `/v2/sessions?roomId=${this.meetingId}&status=ongoing`)).body
      .data
  }

  /** Comes back through a node, trying again as clients do. */
  async comesBack(host: number, participantId: string): Promise<WireClient> {
    const startedAt = performance.now()
    for (;;) {
      const client = this.connect(host, participantId)
      const cut = Promise.race([client.gone(), delay(15_000)]).then(() => false)
      if (await Promise.race([client.join().then(() => true), cut]).catch(() => false)) {
        this.#t.diagnostic(`${participantId} is back after ${Math.round(performance.now() - startedAt)} ms`)
        return client
      }
      client.close()
      assert.ok(performance.now() - startedAt < PATIENCE_MS, `${participantId} did not come back`)
      await delay(200)
    }
  }

  /** All is at the other node: the same session, and no write of the former home. */
  async hasMoved(): Promise<void> {
    assert.equal(await this.homeNow(), this.other)
    assert.deepEqual(
      (await this.ongoing(this.other)).map(({ id }) => id),
      [this.sessionId],
    )
    assert.deepEqual(await runSql(this.databaseUrl, 'select * from strays'), [])
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS
    while (!(await holds())) {
      assert.ok(performance.now() < giveUpAt, `never: ${what}`)
      await delay(100)
    }
  }

  /** The node serves again, and is the home of nothing. */
  async recovers(host: number): Promise<void> {
    await this.until(`node ${host} serves again`, async () => {
      const { status } = await this.node(host).rest('GET', '/health/ready')
      const metrics = String(
        (await this.node(host).rest('GET', '/metrics', undefined, `Bearer ${ADMIN_KEY}`)).body,
      )
      return status === 200 && /^anteroom_cluster_homes 0$/m.test(metrics)
    })
  }
}

test(
  'a home that stands still loses its meeting, and writes nothing when it goes on',
  { skip },
  async (t) => {
    const stage = await Stage.open(t)
    const [ann] = await stage.meet()
    const home = stage.node(stage.home)
    process.kill(home.pid, 'SIGSTOP')
    try {
      await stage.comesBack(stage.other, 'ann')
      await stage.comesBack(stage.other, 'bob')
      await stage.hasMoved()
    } finally {
      process.kill(home.pid, 'SIGCONT')
    }
    // Those that it had are cut off.
    await ann.gone()
    await stage.recovers(stage.home)
    await stage.hasMoved()
  },
)

test(
  'a home that is cut off from the database, and reaches its peer, lets its meeting go',
  { skip },
  async (t) => {
    const stage = await Stage.open(t)
    const [ann, bob] = await stage.meet()
    const cutAt = performance.now()
    stage.network.cut(stage.home, 'store')
    await Promise.all([ann.gone(), bob.gone()])
    t.diagnostic(`both were cut off after ${Math.round(performance.now() - cutAt)} ms`)
    await stage.comesBack(stage.other, 'ann')
    await stage.comesBack(stage.other, 'bob')
    await stage.hasMoved()
    stage.network.mend(stage.home, 'store')
    await stage.recovers(stage.home)
    await stage.hasMoved()
  },
)

test('a home that is cut off from the database and its peer lets its meeting go', { skip }, async (t) => {
  const stage = await Stage.open(t)
  const [ann] = await stage.meet()
  stage.network.cut(stage.home, 'store', 'nodes')
  await ann.gone()
  await stage.comesBack(stage.other, 'ann')
  await stage.comesBack(stage.other, 'bob')
  await stage.hasMoved()
  stage.network.mend(stage.home, 'store', 'nodes')
  await stage.recovers(stage.home)
  await stage.hasMoved()
})

test(
  'with CLUSTER_ALONE=stay, a home that reaches nobody keeps its meeting until its network is repaired',
  { skip },
  async (t) => {
    const stage = await Stage.open(t, { CLUSTER_ALONE: 'stay' })
    const [ann, bob] = await stage.meet()
    // No node reaches the database or the other one: the meeting goes on where it is.
    stage.network.cut(1, 'store', 'nodes')
    stage.network.cut(2, 'store', 'nodes')
    // The connection that the other node carried is cut; that at the home is not.
    await bob.gone()
    await delay(LONGER_THAN_A_LEASE_MS)
    assert.equal(ann.socket.connected, true)
    await stage.comesBack(stage.home, 'bob')
    stage.network.mend(1, 'store', 'nodes')
    stage.network.mend(2, 'store', 'nodes')
    await stage.until('both have their leases', async () => {
      const rows = await runSql(
        stage.databaseUrl,
        'select 1 from nodes where lease_until > extract(epoch from clock_timestamp()) * 1000',
      )
      return rows.length === 2
    })
    assert.equal(await stage.homeNow(), stage.home)
    assert.equal(ann.socket.connected, true)

    // The home alone is cut off: its people stay, and others meet elsewhere, in the same session.
    stage.network.cut(stage.home, 'store', 'nodes')
    await stage.comesBack(stage.other, 'eve')
    await stage.hasMoved()
    assert.equal(ann.socket.connected, true)
    stage.network.mend(stage.home, 'store', 'nodes')
    await ann.gone()
    await stage.comesBack(stage.other, 'ann')
    const { body } = await stage.node(stage.other).rest('GET', `/v2/rooms/${stage.meetingId}/live`)
    const present = body.participants.map(({ participantId }: { participantId: string }) => participantId)
    assert.ok(present.includes('ann') && present.includes('eve'), present.join())
    await stage.recovers(stage.home)
    await stage.hasMoved()
  },
)

test(
  'while all nodes are cut off from the database no meeting moves, and those inside come back',
  { skip },
  async (t) => {
    const stage = await Stage.open(t)
    const [ann, bob] = await stage.meet()
    stage.network.cut(1, 'store')
    stage.network.cut(2, 'store')
    await delay(LONGER_THAN_A_LEASE_MS)
    assert.equal(ann.socket.connected, true)
    assert.equal(bob.socket.connected, true)
    // What is said reaches the other.
    await ann.request('changeDisplayName', { displayName: 'Anna' })
    await bob.hears('peerDisplayNameChanged')
    bob.close()
    await stage.comesBack(stage.home, 'bob')
    await stage.connect(stage.home, 'eve').hears('error', ({ name }) => name === 'STORE_UNAVAILABLE')
    stage.network.mend(1, 'store')
    stage.network.mend(2, 'store')
    await stage.comesBack(stage.other, 'eve')
    assert.equal(await stage.homeNow(), stage.home)
    assert.deepEqual(
      (await stage.ongoing(stage.other)).map(({ id }) => id),
      [stage.sessionId],
    )
    assert.deepEqual(await runSql(stage.databaseUrl, 'select * from strays'), [])
  },
)

test(
  'nodes that are cut off from each other keep their meetings, refuse what needs the other, and heal',
  { skip },
  async (t) => {
    const stage = await Stage.open(t)
    const [ann, bob] = await stage.meet()
    stage.network.cut(stage.home, 'nodes')
    // The connection that the other node carried is cut; that at the home is not.
    await bob.gone()
    const act = (): Promise<{ status: number; body: any }> =>
      stage.node(stage.other).rest('POST', '/v2/sessions/participants/remove', {
        roomId: stage.meetingId,
        participantId: 'nobody',
      })
    await stage.until('HOME_UNREACHABLE', async () => (await act()).body.code === 'HOME_UNREACHABLE')
    assert.equal((await act()).status, 503)
    assert.equal(ann.socket.connected, true)
    assert.equal(await stage.homeNow(), stage.home)
    // Through the home he is back at once.
    await stage.comesBack(stage.home, 'bob')
    stage.network.mend(stage.home, 'nodes')
    await stage.comesBack(stage.other, 'eve')
    await ann.hears('newPeer', ({ id }) => id === 'eve')
    assert.equal(await stage.homeNow(), stage.home)
    assert.equal(ann.socket.connected, true)
  },
)
