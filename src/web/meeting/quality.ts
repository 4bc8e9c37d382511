/** Watches the quality of the connection, and keeps the figures for those who want to see them. */
import type { Meeting } from '../../client/client.ts'
import {
  dropped,
  faultOf,
  faultsOf,
  isShown,
  lastingOf,
  type Fault,
  type Lasting,
  type Received,
  type Sent,
} from './quality-rules.ts'
import { viewOf, type Subscribe, type View } from './view.ts'

const LOOK_MS = 3000
/** From this part on, the server is told. */
const MUCH_DROPPED = 0.1

export interface Figures {
  roundTripMs: number | undefined
  /** From 0 to 1. */
  lost: number
  sentKbps: number
  receivedKbps: number
  /** Of the largest picture that we send; undefined while none is sent. */
  picture: { width: number; height: number; fps: number } | undefined
}

type Report = Record<string, unknown>
const numberOf = (report: Report, name: string): number => {
  const value = report[name]
  return typeof value === 'number' ? value : 0
}

export class Quality {
  readonly #meeting: Meeting
  readonly #listeners = new Set<() => void>()
  #faults: Lasting = new Map()
  #received = new Map<string, Received>()
  /** The part of the frames of the worst picture that were not shown, since the last look. */
  #dropped = 0
  #bytes: { at: number; sent: number; received: number } | undefined
  #figures: Figures | undefined

  constructor(meeting: Meeting) {
    this.#meeting = meeting
  }

  readonly #subscribe: Subscribe = (onChange) => {
    this.#listeners.add(onChange)
    return () => this.#listeners.delete(onChange)
  }

  /** What is wrong with the connection of this participant. */
  faultView(id: string): View<Fault | undefined> {
    return viewOf(() => isShown(this.#faults, id, this.#meeting.self.id), this.#subscribe)
  }

  readonly figures: View<Figures | undefined> = viewOf(() => this.#figures, this.#subscribe)

  /** Returns a function that stops it. */
  listen(): () => void {
    const timer = setInterval(() => void this.#look(), LOOK_MS)
    return () => clearInterval(timer)
  }

  async #look(): Promise<void> {
    // While the media is set up anew there are no statistics.
    const stats = await this.#meeting.stats().catch(() => undefined)
    if (!stats) return
    const [sending, receiving] = [reportsOf(stats.send), reportsOf(stats.receive)]
    const { sent, figures } = this.#sent(sending, receiving)
    this.#figures = figures
    this.#faults = lastingOf(this.#faults, faultsOf(this.#meeting.self.id, sent, this.#streams(receiving)))
    const encodesTooSlowly = sent?.limitedBy === 'cpu'
    if (encodesTooSlowly || this.#dropped >= MUCH_DROPPED)
      this.#meeting.reportDevice({
        framesPercentDropped: Math.round(100 * this.#dropped),
        encodesTooSlowly,
      })
    for (const listener of [...this.#listeners]) listener()
  }

  #streams(receiving: Report[]): Map<string, ReturnType<typeof faultOf>[]> {
    const now = new Map<string, Received>()
    for (const report of receiving) {
      if (report.type !== 'inbound-rtp') continue
      const frames =
        report.kind === 'video'
          ? {
              received: numberOf(report, 'framesReceived'),
              decoded: numberOf(report, 'framesDecoded'),
              dropped: numberOf(report, 'framesDropped'),
            }
          : undefined
      now.set(String(report.trackIdentifier), {
        packets: numberOf(report, 'packetsReceived'),
        lost: numberOf(report, 'packetsLost'),
        ...(frames && { frames }),
      })
    }
    const faults = new Map<string, ReturnType<typeof faultOf>[]>()
    this.#dropped = 0
    for (const [id, { streams }] of this.#meeting.participants) {
      const those = [...streams.values()].flatMap(({ track, paused }) => {
        const counters = now.get(track.id)
        if (!counters || paused) return []
        const before = this.#received.get(track.id)
        this.#dropped = Math.max(this.#dropped, dropped(counters, before))
        return [faultOf(counters, before)]
      })
      if (those.length > 0) faults.set(id, those)
    }
    this.#received = now
    return faults
  }

  #sent(sending: Report[], receiving: Report[]): { sent: Sent | undefined; figures: Figures } {
    const out = sending.filter(({ type }) => type === 'outbound-rtp')
    const answers = sending.filter(({ type }) => type === 'remote-inbound-rtp')
    const lost = Math.max(0, ...answers.map((report) => numberOf(report, 'fractionLost')))
    const trips = answers.flatMap(({ roundTripTime }) =>
      typeof roundTripTime === 'number' ? [roundTripTime * 1000] : [],
    )
    const reasons = out.map(({ qualityLimitationReason }) => qualityLimitationReason)
    const limitedBy = reasons.includes('cpu') ? 'cpu' : reasons.includes('bandwidth') ? 'bandwidth' : 'none'
    const largest = out
      .filter((report) => report.kind === 'video' && numberOf(report, 'framesPerSecond') > 0)
      .sort((one, other) => numberOf(other, 'frameWidth') - numberOf(one, 'frameWidth'))[0]
    const bytes = {
      at: performance.now(),
      sent: out.reduce((sum, report) => sum + numberOf(report, 'bytesSent'), 0),
      received: receiving
        .filter(({ type }) => type === 'inbound-rtp')
        .reduce((sum, report) => sum + numberOf(report, 'bytesReceived'), 0),
    }
    const before = this.#bytes
    this.#bytes = bytes
    // Bits in a millisecond are kbit/s. Streams that ended take their bytes with them.
    const rate = (way: 'sent' | 'received'): number =>
      before ? Math.max(0, ((bytes[way] - before[way]) * 8) / (bytes.at - before.at)) : 0
    return {
      sent: out.length > 0 ? { lost, limitedBy } : undefined,
      figures: {
        roundTripMs: trips.length > 0 ? Math.round(Math.max(...trips)) : undefined,
        lost,
        sentKbps: Math.round(rate('sent')),
        receivedKbps: Math.round(rate('received')),
        picture: largest && {
          width: numberOf(largest, 'frameWidth'),
          height: numberOf(largest, 'frameHeight'),
          fps: Math.round(numberOf(largest, 'framesPerSecond')),
        },
      },
    }
  }
}

function reportsOf(report: RTCStatsReport | undefined): Report[] {
  const all: Report[] = []
  report?.forEach((one: Report) => all.push(one))
  return all
}
