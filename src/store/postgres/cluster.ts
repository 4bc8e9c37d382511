/** The tables of nodes and homes in PostgreSQL. */
import type { Claimed, ClusterTables, HomeRecord, NodeRecord } from '../cluster.ts'
import { nameOf, problem } from './errors.ts'
import { connectionsOf, openPool, type Connection } from './pool.ts'

/** How long a lease lasts after its last renewal. */
const LEASE_MS = 4000
/** A node takes over meetings only after its own lease has been valid for this long, so that after an outage every node first gets its own meetings back. */
const SETTLE_MS = 6000
/** A renewal that takes longer has failed. */
const RENEW_MS = 900
const STATEMENT_MS = 3000
const CONNECTIONS = 2

const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint'
const LIVE = `exists (select 1 from nodes n where n.node_id = homes.node_id
  and n.incarnation = homes.incarnation and n.lease_until > ${NOW})`
const ME = `exists (select 1 from nodes me where me.node_id = $1 and me.incarnation = $2
  and me.lease_until > ${NOW}`

const REGISTER = `
  insert into nodes (node_id, incarnation, address, port, fingerprint, version, wire_min, wire_max, state, meetings,
    participants, started_at, good_since, lease_until, seen_at)
  values ($1, $2, $3, $4, $5, $6, $8, $9, 'serving', 0, 0, ${NOW}, ${NOW}, ${NOW} + ${LEASE_MS}, ${NOW})
  on conflict (node_id) do update set incarnation = excluded.incarnation, address = excluded.address,
    port = excluded.port, fingerprint = excluded.fingerprint, version = excluded.version,
    wire_min = excluded.wire_min, wire_max = excluded.wire_max, state = excluded.state,
    started_at = case when nodes.incarnation = $7 then nodes.started_at else excluded.started_at end,
    good_since = excluded.good_since, lease_until = excluded.lease_until
  where nodes.incarnation = $7 or nodes.lease_until <= ${NOW}
    -- Whoever can listen at the address of a node is its next run.
    or (nodes.address = excluded.address and nodes.port = excluded.port)
  returning node_id`

const CLAIM = `
  with former as (
    select h.incarnation, n.seen_at from homes h
    left join nodes n on n.node_id = h.node_id and n.incarnation = h.incarnation where h.meeting_id = $3
  )
  insert into homes (meeting_id, node_id, incarnation, epoch, since)
  select $3, $1, $2, ${NOW}, ${NOW} where ${ME})
  on conflict (meeting_id) do update set node_id = excluded.node_id, incarnation = excluded.incarnation,
    epoch = greatest(homes.epoch + 1, excluded.epoch), since = excluded.since
  where (homes.node_id = $1 and homes.incarnation <> $2)
    or (not ${LIVE} and ${ME} and me.good_since <= ${NOW} - ${SETTLE_MS}))
  returning epoch, (select seen_at from former) as "seenAt"`

const NODES = `
  select node_id as "nodeId", incarnation, address, port, fingerprint, version, wire_min as "wireMin",
    wire_max as "wireMax", started_at as "startedAt", state, meetings, participants,
    entry_requests as "entryRequests", processor_percent as "processorPercent", media_workers as "mediaWorkers",
    lease_until > ${NOW} as "isLive", seen_at as "seenAt", greatest(0, ${NOW} - seen_at) as "leaseAgeMs"
  from nodes order by node_id`
/** SQLSTATEs of missing tables and columns. */
const OF_NO_NODES = new Set(['42P01', '42703'])

const toNode = (row: Record<string, unknown>): NodeRecord =>
  ({ ...row, isLive: row.isLive === true }) as unknown as NodeRecord

/**
 * Reads the database's clock, and the nodes in it. Needs no store, and changes nothing.
 * @throws {StartError}
 */
export async function lookForNodes(url: string): Promise<{ clock: number; nodes: NodeRecord[] }> {
  const tables = openClusterTables(url)
  try {
    const nodes = await tables.nodes().catch((error: unknown) => {
      if (OF_NO_NODES.has((error as { code?: string }).code ?? '')) return []
      throw error
    })
    // Last, so that it is fresh when it is compared.
    return { nodes, clock: await tables.clock() }
  } catch (error) {
    throw problem(nameOf(url), error)
  } finally {
    await tables.close()
  }
}

/** Opens the tables of nodes and homes. */
export function openClusterTables(url: string): ClusterTables {
  const open = (connections: number, statementMs: number) =>
    connectionsOf(openPool({ url, connections, statementMs }, () => undefined))
  // The lease has a connection of its own, so that no queue of statements delays its renewal.
  const lease = open(1, RENEW_MS)
  const others = open(CONNECTIONS, STATEMENT_MS)
  const run = async (
    from: typeof lease,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Record<string, unknown>[]> => {
    const connection: Connection = await from.connect()
    try {
      return (await connection.query(text, values)).rows as Record<string, unknown>[]
    } finally {
      connection.release()
    }
  }
  return {
    clock: async () => Number((await run(others, `select ${NOW} as now`))[0]!.now),
    register: async ({ nodeId, incarnation, ...node }, former) => {
      const { address, port, fingerprint, version, wireMin, wireMax } = node
      const values = [
        nodeId,
        incarnation,
        address,
        port,
        fingerprint,
        version,
        former ?? '',
        wireMin,
        wireMax,
      ]
      if ((await run(lease, REGISTER, values)).length === 0) return false
      // Homes of the former incarnation that nobody took over stay here, under the same epoch.
      if (former !== undefined)
        await run(lease, 'update homes set incarnation = $2 where node_id = $1 and incarnation = $3', [
          nodeId,
          incarnation,
          former,
        ])
      return true
    },
    renew: async ({ nodeId, incarnation }, load) => {
      const { state, meetings, participants, entryRequests, processorPercent, mediaWorkers } = load
      const rows = await run(
        lease,
        `update nodes set lease_until = ${NOW} + ${LEASE_MS}, seen_at = ${NOW}, state = $3, meetings = $4,
           participants = $5, entry_requests = $6, processor_percent = $7, media_workers = $8
         where node_id = $1 and incarnation = $2 and lease_until > ${NOW} returning node_id`,
        [nodeId, incarnation, state, meetings, participants, entryRequests, processorPercent, mediaWorkers],
      )
      return rows.length > 0
    },
    leave: async ({ nodeId, incarnation }) => {
      const mine = [nodeId, incarnation]
      await run(others, 'delete from homes where node_id = $1 and incarnation = $2', mine)
      await run(others, 'delete from nodes where node_id = $1 and incarnation = $2', mine)
    },
    nodes: async () => (await run(others, NODES)).map(toNode),
    claim: async ({ nodeId, incarnation }, meetingId) => {
      const [row] = await run(others, CLAIM, [nodeId, incarnation, meetingId])
      return row && ({ epoch: row.epoch, seenAt: row.seenAt ?? undefined } as Claimed)
    },
    locate: async (meetingId) => {
      const [row] = await run(
        others,
        `select meeting_id as "meetingId", node_id as "nodeId", incarnation, epoch, ${LIVE} as "isLive"
         from homes where meeting_id = $1`,
        [meetingId],
      )
      return row as HomeRecord | undefined
    },
    release: async ({ nodeId, incarnation }, meetingId, epoch) => {
      await run(
        others,
        'delete from homes where meeting_id = $3 and node_id = $1 and incarnation = $2 and epoch = $4',
        [nodeId, incarnation, meetingId, epoch],
      )
    },
    homesOf: async ({ nodeId, incarnation }) => {
      const rows = await run(
        others,
        'select meeting_id, epoch from homes where node_id = $1 and incarnation = $2',
        [nodeId, incarnation],
      )
      return new Map(rows.map((row) => [row.meeting_id as string, row.epoch as number]))
    },
    orphans: async (limit) => {
      const rows = await run(
        others,
        `select s.meeting_id from sessions s left join homes on homes.meeting_id = s.meeting_id
         where s.ended_at is null and (homes.meeting_id is null or not ${LIVE}) limit $1`,
        [limit],
      )
      return rows.map((row) => row.meeting_id as string)
    },
    close: async () => {
      await Promise.all([lease.end(), others.end()])
    },
  }
}
