/** The gauges of one node among several. */
import { Gauge, type Registry } from 'prom-client'

export interface ClusterReading {
  /** Meetings whose home is this node. */
  homes: number
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
}
