/** Gauges of webhook events that are not delivered. */
import { Gauge, type Registry } from 'prom-client'

export interface Backlog {
  waiting: number
  parked: number
  /** When the oldest waiting event happened. */
  oldestAt: number | null
}

/** The function that is returned sets them. */
export function addBacklogGauges(registers: Registry[], now: () => number): (counted: Backlog) => void {
  const backlog = new Gauge({
    registers,
    name: 'anteroom_webhook_backlog',
    help: 'Events that are not delivered: on their way, or given up until somebody replays them.',
    labelNames: ['state'],
  })
  const oldest = new Gauge({
    registers,
    name: 'anteroom_webhook_oldest_seconds',
    help: 'Age of the event that is on its way longest; 0 when none is.',
  })
  return ({ waiting, parked, oldestAt }) => {
    backlog.set({ state: 'waiting' }, waiting)
    backlog.set({ state: 'parked' }, parked)
    oldest.set(oldestAt === null ? 0 : Math.max(0, now() - oldestAt) / 1000)
  }
}
