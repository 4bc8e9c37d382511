/** A gauge for each alert, so that a scraper sees what the overview says. */
import { Gauge, type Registry } from 'prom-client'
import { alertNames } from '../protocol/rest/watching.ts'
import type { Alert } from './alerts.ts'

/** Reads at each scrape. */
export function addAlertGauges(registers: Registry[], read: () => Promise<readonly Alert[]>): void {
  new Gauge({
    registers,
    name: 'anteroom_alert',
    help: 'Whether the overview of the dashboard shows this alert: 0 no, 1 as a warning, 2 as urgent. GET /v2/admin/status has its text.',
    labelNames: ['name'],
    async collect() {
      const alerts = await read()
      for (const name of alertNames) {
        const level = alerts.find((one) => one.name === name)?.level
        this.set({ name }, level === undefined ? 0 : level === 'urgent' ? 2 : 1)
      }
    },
  })
}
