/** What the check found, in sentences: one for each thing that was tried, and the cure where it failed. */
import type { DeviceProblem, LineResult, TurnReach } from '../../client/client.ts'
import type { RelayCheck } from '../../protocol/check.ts'
import { adviceFor, problemOf, type BrowserKind, type Device } from '../device-advice.ts'
import { decimal, text } from './texts.ts'

export type State = 'waiting' | 'running' | 'good' | 'warning' | 'bad'

export const steps = ['browser', 'camera', 'microphone', 'speaker', 'socket', 'udp', 'tcp', 'turn'] as const
export type StepName = (typeof steps)[number]

export interface Finding {
  state: State
  sentence: string
  cure?: string
}
export type Findings = Record<StepName, Finding>

export const waiting: Finding = { state: 'waiting', sentence: '' }
export const running = (): Finding => ({ state: 'running', sentence: text('check.trying') })
const good = (sentence: string): Finding => ({ state: 'good', sentence })

export function browserFinding(isSecure: boolean, hasWebRtc: boolean): Finding {
  if (!isSecure)
    return {
      state: 'bad',
      sentence: text('check.browser.insecure'),
      cure: text('check.browser.insecure.cure'),
    }
  if (!hasWebRtc)
    return { state: 'bad', sentence: text('check.browser.old'), cure: text('check.browser.old.cure') }
  return good(text('check.browser.good'))
}

/** Browsers that hide what a device is called give it no label. */
const labelOf = (label: string): string => (label === '' ? 'none' : label)

export function deviceFinding(
  device: Device,
  found: { label: string } | { problem: DeviceProblem },
  browser: BrowserKind,
): Finding {
  if ('label' in found) return good(text('check.device.good', { label: labelOf(found.label) }))
  const { problem } = found
  return { state: 'bad', sentence: problemOf(problem, device), cure: adviceFor(problem, device, browser) }
}

/** `heard`: the loudest moment, 0 to 1. */
export function microphoneFinding(label: string, heard: number): Finding {
  if (heard > 0.01) return good(text('check.mic.good', { label: labelOf(label) }))
  return { state: 'warning', sentence: text('check.mic.silent'), cure: text('check.mic.silent.cure') }
}

export function speakerFinding(heard: boolean): Finding {
  if (heard) return good(text('check.speaker.heard'))
  return {
    state: 'bad',
    sentence: text('check.speaker.notHeard'),
    cure: text('check.speaker.notHeard.cure'),
  }
}

/** What came of the socket: the time of an answer, that it was not opened, or that the server answers nobody now. */
export type SocketOutcome = { ms: number } | 'closed' | 'turnedAway'

export function socketFinding(outcome: SocketOutcome): Finding {
  if (outcome === 'turnedAway') return { state: 'warning', sentence: text('check.socket.later') }
  if (outcome === 'closed')
    return { state: 'bad', sentence: text('check.socket.bad'), cure: text('check.socket.bad.cure') }
  return good(text('check.socket.good', { ms: Math.round(outcome.ms) }))
}

export type LineOutcome = LineResult | 'failed'

/** Less than this, and the picture is small or stands still. */
const LEAST_KBPS = 300
const MOST_LOSS = 0.05
const SLOW_MS = 300

export function udpFinding(udp: LineOutcome, tcp: LineOutcome): Finding {
  if (udp !== 'failed') return lineFinding(udp)
  if (tcp !== 'failed')
    return { state: 'warning', sentence: text('check.udp.overTcp'), cure: text('check.udp.overTcp.cure') }
  return { state: 'bad', sentence: text('check.udp.bad'), cure: text('check.noMedia.cure') }
}

export function tcpFinding(udp: LineOutcome, tcp: LineOutcome): Finding {
  if (tcp !== 'failed') return lineFinding(tcp)
  if (udp !== 'failed')
    return { state: 'warning', sentence: text('check.tcp.overUdp'), cure: text('check.tcp.overUdp.cure') }
  return { state: 'bad', sentence: text('check.tcp.bad'), cure: text('check.noMedia.cure') }
}

/** Of the server's TURN servers: what it found itself, and which of them this browser reaches. */
export interface TurnOutcome {
  relays: RelayCheck[]
  reached: ReadonlyMap<string, TurnReach>
}

/** @param direct whether sound and picture need no relay from here */
export function turnFinding(outcome: TurnOutcome | 'failed', direct: boolean): Finding {
  if (outcome === 'failed') return { state: 'warning', sentence: text('check.turn.failed') }
  const { relays, reached } = outcome
  if (relays.length === 0)
    return direct
      ? good(text('check.turn.noneNeeded'))
      : { state: 'warning', sentence: text('check.turn.none'), cure: text('check.turn.none.cure') }
  // One fault of the server's own concerns everybody, wherever they are.
  for (const one of relays)
    if (one.relay !== 'works')
      return {
        state: 'warning',
        sentence: text(`check.relay.${one.relay}`, { url: one.url, says: one.says }),
        cure: text('check.turn.forOperator', { cure: text(`check.relay.${one.relay}.cure`) }),
      }
  const all = relays.map(({ url }) => url)
  const ways = all.filter((url) => reached.get(url) === 'reached')
  if (ways.length > 0) return good(text('check.turn.good', { urls: ways.join(', ') }))
  if (all.some((url) => reached.get(url) === 'unknown')) return good(text('check.turn.unknown'))
  return {
    state: direct ? 'warning' : 'bad',
    sentence: text('check.turn.bad', { urls: all.join(', ') }),
    cure: text('check.turn.bad.cure'),
  }
}

function lineFinding({ connectMs, upKbps, downKbps, loss, roundTripMs }: LineResult): Finding {
  const sentence = text('check.line.good', {
    connectMs: Math.round(connectMs),
    upKbps: Math.round(upKbps),
    downKbps: Math.round(downKbps),
    loss: decimal(loss * 100),
    roundTripMs: roundTripMs === undefined ? 'none' : Math.round(roundTripMs),
  })
  const cure =
    loss > MOST_LOSS
      ? text('check.line.lossy')
      : Math.min(upKbps, downKbps) < LEAST_KBPS
        ? text('check.line.narrow')
        : (roundTripMs ?? 0) > SLOW_MS
          ? text('check.line.long')
          : undefined
  return cure === undefined ? good(sentence) : { state: 'warning', sentence, cure }
}

/** Everything in one sentence. */
export function summaryOf(findings: Findings): Finding {
  const all = Object.values(findings)
  if (all.some(({ state }) => state === 'waiting' || state === 'running')) return running()
  if (all.some(({ state }) => state === 'bad')) return { state: 'bad', sentence: text('check.summary.bad') }
  return all.some(({ state }) => state === 'warning')
    ? { state: 'warning', sentence: text('check.summary.warning') }
    : good(text('check.summary.good'))
}

export const wordOf = (state: State): string => (state === 'waiting' ? '' : text(`check.state.${state}`))

/** For whoever runs the server. */
export function reportOf(findings: Findings, facts: { server: string; at: string; agent: string }): string {
  const { server, at, agent } = facts
  const lines = steps.map((step) => {
    const { state, sentence } = findings[step]
    const found = [wordOf(state), sentence].filter((part) => part !== '').join(' – ')
    return `${text(`check.step.${step}`)}: ${found}`
  })
  return [text('check.report.of', { server, at }), ...lines, agent].join('\n')
}
