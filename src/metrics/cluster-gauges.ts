/** The gauges of one node among several. */
import { Counter, Gauge, type Registry } from 'prom-client'

export interface ClusterReading {
  /** Meetings whose home is this node. */
  homes: number
  /** Nodes by their state, as this one knows them. */
  nodes: Readonly<Record<'serving' | 'draining' | 'away', number>>
  /** Connections that this node carries to homes. */
  carried: number
  /** Since the start of this process: meetings of dead nodes that it took, and writes that failed because another node is the home. */
  takeovers: number
  fenced: number
  leaseAgeMs: number
}

/** Reads at each scrape. @param read undefined where one server runs alone, which has no such values */
export function addClusterGauges(registers: Registry[], read: () => ClusterReading | undefined): void {
  new Gauge({
    registers,
    name: 'anteroom_cluster_homes',
    help: 'Meetings whose home is this node; absent where one server runs alone.',
    collect() {
      this.remove()
      const { homes } = read() ?? {}
      if (homes !== undefined) this.set(homes)
    },
  })
  new Gauge({
    registers,
    name: 'anteroom_cluster_lease_age_seconds',
    help: 'Since the lease of this node was last renewed, which happens each second; beyond 4 another node takes its meetings. Absent where one server runs alone.',
    collect() {
      this.remove()
      const { leaseAgeMs } = read() ?? {}
      if (leaseAgeMs !== undefined) this.set(leaseAgeMs / 1000)
    },
  })
  new Gauge({
    registers,
    name: 'anteroom_cluster_nodes',
    help: 'Nodes as this one knows them, by state; away: a node whose lease has lapsed within a day. Absent where one server runs alone.',
    labelNames: ['state'],
    collect() {
      this.reset()
      for (const [state, count] of Object.entries(read()?.nodes ?? {})) this.set({ state }, count)
    },
  })
  new Gauge({
    registers,
    name: 'anteroom_cluster_carried_sockets',
    help: 'Connections of clients that this node carries to the homes of their meetings; absent where one server runs alone.',
    collect() {
      this.remove()
      const { carried } = read() ?? {}
      if (carried !== undefined) this.set(carried)
    },
  })
  new Counter({
    registers,
    name: 'anteroom_cluster_takeovers_total',
    help: 'Meetings that this node took over from nodes that died; absent where one server runs alone.',
    collect() {
      setTotal(this, read()?.takeovers)
    },
  })
  new Counter({
    registers,
    name: 'anteroom_cluster_fenced_total',
    help: 'Writes of this node that failed because another node is the home of the meeting now; absent where one server runs alone.',
    collect() {
      setTotal(this, read()?.fenced)
    },
  })
}

function setTotal(counter: Counter, total: number | undefined): void {
  counter.reset()
  if (total === undefined) counter.remove()
  else counter.inc(total)
}
