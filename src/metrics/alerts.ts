/** What needs the operator's attention, each alert with its cure. Pure functions. */

import { alertNames } from '../protocol/rest/watching.ts'

export type AlertName = (typeof alertNames)[number]

export interface Alert {
  name: AlertName
  /** `urgent`: people notice it, or will soon. */
  level: 'warning' | 'urgent'
  /** What is wrong, in one sentence. */
  text: string
  /** What to do about it. */
  cure: string
}

/** The state of the server that alerts follow from. Instants in ms since the epoch. */
export interface Condition {
  now: number
  store: { available: boolean }
  /** `reason`: why media is off, with the cure. `isComing`: it switches on by itself. */
  media: { available: true } | { available: false; reason: string; isComing: boolean }
  workersWanted: number
  workers: readonly { deaths?: number | undefined; diedAgoMs?: number | undefined }[]
  /** The disk of the data folder; undefined if the system does not report it. */
  disk: { freeBytes: number; totalBytes: number; reserveBytes: number } | undefined
  certificate: { source: 'given' | 'self-signed' | 'acme'; expiresAt: number; problem?: string } | undefined
  /** How far the system's clock was set since the server started. */
  clockJumpMs: number
  eventLoopLagMs: number
  nodes: readonly { nodeId: string; state: 'serving' | 'draining' | 'away' }[]
  webhooks: { waiting: number; parked: number; oldestAt: number | null }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The share of free space below which the disk is almost full. */
const LOW_SHARE = 0.05
const CERTIFICATE_WARNING_MS = 14 * DAY_MS
const CERTIFICATE_URGENT_MS = 3 * DAY_MS
/** Tokens allow a minute between the clocks of those who sign and verify them. */
const CLOCK_JUMP_MS = 30_000
const LATE_MS = 1000
/** Ordinary retries take less. */
const WEBHOOK_LATE_MS = 10 * 60_000

const rules: Record<AlertName, (condition: Condition) => Omit<Alert, 'name'> | undefined> = {
  store: ({ store }) =>
    store.available
      ? undefined
      : {
          level: 'urgent',
          text: 'The store does not answer, so nothing can be written and nobody can join.',
          cure: 'Look at the database and at the log, which has the cause.',
        },
  media: ({ media }) =>
    media.available
      ? undefined
      : {
          level: media.isComing ? 'warning' : 'urgent',
          text: media.reason,
          cure: 'Read /health for details.',
        },
  workers: ({ media, workersWanted, workers }) => {
    const missing = workersWanted - workers.length
    if (media.available && missing > 0)
      return {
        level: 'urgent',
        text: `${missing} of ${workersWanted} media workers do not run.`,
        cure: 'Look for “media worker” in the log; MEDIA_LOG shows what workers say before they die.',
      }
    const deaths = workers.reduce(
      (sum, one) => sum + ((one.diedAgoMs ?? HOUR_MS) < HOUR_MS ? (one.deaths ?? 0) : 0),
      0,
    )
    return deaths === 0
      ? undefined
      : {
          level: 'warning',
          text: `Media workers died and were replaced, the last time within an hour (${deaths} since the start). Media stopped for a moment.`,
          cure: 'Look for “restarting a media worker” in the log. If the system killed it for want of memory, give the machine more.',
        }
  },
  disk: ({ disk }) => {
    if (!disk) return undefined
    const { freeBytes, totalBytes, reserveBytes } = disk
    const free = `${megabytes(freeBytes)} of ${megabytes(totalBytes)} are free where DATA_DIR is`
    const cure = 'Delete recordings that nobody needs, shorten their retention, or enlarge the disk.'
    if (freeBytes < reserveBytes)
      return { level: 'urgent', text: `The disk is full: ${free}, so recordings are refused.`, cure }
    return freeBytes < 2 * reserveBytes || freeBytes < LOW_SHARE * totalBytes
      ? { level: 'warning', text: `The disk is nearly full: ${free}.`, cure }
      : undefined
  },
  certificate: ({ certificate, now }) => {
    if (!certificate) return undefined
    const { source, expiresAt, problem } = certificate
    if (problem !== undefined)
      return {
        level: expiresAt - now < CERTIFICATE_URGENT_MS || source !== 'acme' ? 'urgent' : 'warning',
        text: `The certificate cannot be obtained or renewed: ${problem}`,
        cure:
          source === 'acme'
            ? `The present one expires ${away(expiresAt - now)}; it is tried again by itself.`
            : 'Until then browsers warn of a self-signed certificate.',
      }
    // A self-signed one is renewed at a start, and one by ACME a month ahead.
    if (source !== 'given' || expiresAt - now > CERTIFICATE_WARNING_MS) return undefined
    return {
      level: expiresAt - now < CERTIFICATE_URGENT_MS ? 'urgent' : 'warning',
      text:
        expiresAt <= now
          ? 'The certificate has expired, and browsers refuse to connect.'
          : `The certificate expires ${away(expiresAt - now)}.`,
      cure: 'Put a new one where TLS_CERT and TLS_KEY point to.',
    }
  },
  clock: ({ clockJumpMs }) =>
    Math.abs(clockJumpMs) < CLOCK_JUMP_MS
      ? undefined
      : {
          level: 'warning',
          text: `The clock of the machine was set ${clockJumpMs > 0 ? 'forward' : 'back'} by ${Math.round(Math.abs(clockJumpMs) / 1000)} s since the server started. Tokens expire by the clock.`,
          cure: 'Keep it right with NTP (`timedatectl` shows the state), then restart the server.',
        },
  overload: ({ eventLoopLagMs }) =>
    eventLoopLagMs < LATE_MS
      ? undefined
      : {
          level: 'urgent',
          text: `The server is overloaded: its event loop was ${Math.round(eventLoopLagMs / 100) / 10} s late in the last minute.`,
          cure: 'See “Sizing” in docs/operating.md: more cores, or further nodes.',
        },
  node: ({ nodes }) => {
    const gone = nodes.filter(({ state }) => state === 'away').map(({ nodeId }) => nodeId)
    if (gone.length === 0) return undefined
    return {
      level: 'urgent',
      text: `${gone.length === 1 ? 'A node is' : `${gone.length} nodes are`} away: ${gone.join(', ')}. Others have taken over the meetings.`,
      cure: 'Look at the machine and at its way to the database. A node that is gone for good is forgotten after a day.',
    }
  },
  webhooks: ({ webhooks, now }) => {
    const { parked, waiting, oldestAt } = webhooks
    const cure =
      'Open Webhooks to see what the endpoint answered; when it works again, replay what is parked.'
    if (parked > 0)
      return {
        level: 'warning',
        text: `${parked} ${parked === 1 ? 'event was' : 'events were'} given up, because the webhook endpoint failed each time.`,
        cure,
      }
    return waiting > 0 && oldestAt !== null && now - oldestAt > WEBHOOK_LATE_MS
      ? {
          level: 'warning',
          text: `A webhook endpoint fails: ${waiting} ${waiting === 1 ? 'event waits' : 'events wait'}, the oldest since ${Math.round((now - oldestAt) / 60_000)} minutes.`,
          cure,
        }
      : undefined
  },
}

/** The most urgent ones first. */
export function alertsOf(condition: Condition): Alert[] {
  const all = alertNames.flatMap((name): Alert[] => {
    const alert = rules[name](condition)
    return alert ? [{ name, ...alert }] : []
  })
  return all.toSorted((one, other) => Number(other.level === 'urgent') - Number(one.level === 'urgent'))
}

const megabytes = (bytes: number): string =>
  bytes < 10e9 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e9)} GB`

function away(ms: number): string {
  const days = Math.floor(ms / DAY_MS)
  if (days >= 1) return days === 1 ? 'in a day' : `in ${days} days`
  return ms <= 0 ? 'now' : `in ${Math.max(1, Math.floor(ms / HOUR_MS))} h`
}
