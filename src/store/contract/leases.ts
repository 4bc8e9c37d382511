/** Leases on work that one of several nodes does at a time. A server that is alone gets each of them, and writes nothing. */
export interface LeaseStore {
  /** Returns false while another node holds it. By the clock of the database. The holder may take it again before it ends. */
  take(name: string, forMs: number): Promise<boolean>
  release(name: string): Promise<void>
}
