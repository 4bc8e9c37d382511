/** What the check found, in sentences: one for each thing that was tried, and the cure where it failed. */
import { relayProblem, type DeviceProblem, type LineResult, type TurnReach } from '../../client/client.ts'
import type { RelayCheck } from '../../protocol/check.ts'
import { adviceFor, type BrowserKind, type Device } from '../device-advice.ts'

export type State = 'waiting' | 'running' | 'good' | 'warning' | 'bad'

export const steps = {
  browser: 'Browser',
  camera: 'Camera',
  microphone: 'Microphone',
  speaker: 'Speaker',
  socket: 'Server',
  udp: 'Sound and picture over UDP',
  tcp: 'Sound and picture over TCP',
  turn: 'Relay (TURN)',
} as const
export type StepName = keyof typeof steps

export interface Finding {
  state: State
  sentence: string
  cure?: string
}
export type Findings = Record<StepName, Finding>

export const waiting: Finding = { state: 'waiting', sentence: '' }
export const running: Finding = { state: 'running', sentence: 'Trying…' }
const good = (sentence: string): Finding => ({ state: 'good', sentence })

export function browserFinding(isSecure: boolean, hasWebRtc: boolean): Finding {
  if (!isSecure)
    return {
      state: 'bad',
      sentence:
        'This page was opened without encryption, so the browser gives it neither camera nor microphone.',
      cure: 'Open it with https:// in front of the address.',
    }
  if (!hasWebRtc)
    return {
      state: 'bad',
      sentence: 'This browser cannot send sound and picture.',
      cure: 'Use a current Chrome, Edge, Firefox or Safari, without an add-on that blocks WebRTC.',
    }
  return good('It can send and receive sound and picture.')
}

export function deviceFinding(
  device: Device,
  found: { label: string } | { problem: DeviceProblem; sentence: string },
  browser: BrowserKind,
): Finding {
  if ('label' in found) return good(found.label === '' ? 'It works.' : `${found.label} works.`)
  return { state: 'bad', sentence: found.sentence, cure: adviceFor(found.problem, device, browser) }
}

/** `heard`: the loudest moment, 0 to 1. */
export function microphoneFinding(label: string, heard: number): Finding {
  if (heard > 0.01) return good(label === '' ? 'It hears you.' : `${label} hears you.`)
  return {
    state: 'warning',
    sentence: 'It is open, and nothing was heard.',
    cure: 'Say something during the check. If you did, unmute it on the device or in the settings of the computer.',
  }
}

export function speakerFinding(heard: boolean): Finding {
  return heard
    ? good('You heard the tone.')
    : {
        state: 'bad',
        sentence: 'You did not hear the tone.',
        cure: 'Raise the volume, choose another speaker in the settings of the computer, and see whether this tab is muted.',
      }
}

/** What came of the socket: the time of an answer, or what went wrong. */
export type SocketOutcome = { ms: number } | { failed: string; turnedAway: boolean }

export function socketFinding(outcome: SocketOutcome): Finding {
  if ('ms' in outcome) return good(`It answers over a WebSocket in ${Math.round(outcome.ms)} ms.`)
  if (outcome.turnedAway) return { state: 'warning', sentence: outcome.failed }
  return {
    state: 'bad',
    sentence: 'The server cannot be reached over a WebSocket.',
    cure: 'A proxy, a firewall or an add-on of the browser stops it: try another network, and ask whoever runs the server to let its proxy pass WebSockets.',
  }
}

export type LineOutcome = LineResult | { failed: string }
const works = (outcome: LineOutcome): outcome is LineResult => 'connectMs' in outcome

/** Less than this, and the picture is small or stands still. */
const LEAST_KBPS = 300
const MOST_LOSS = 0.05
const SLOW_MS = 300

export function udpFinding(udp: LineOutcome, tcp: LineOutcome): Finding {
  if (works(udp)) return lineFinding(udp)
  if (works(tcp))
    return {
      state: 'warning',
      sentence: 'Nothing comes through over UDP. Meetings go over TCP, and stutter more.',
      cure: 'Ask whoever runs your network to allow UDP to the media ports of this server; if nobody gets through, those ports are closed at the server.',
    }
  return { state: 'bad', sentence: 'Nothing comes through over UDP.', cure: NO_MEDIA }
}

export function tcpFinding(udp: LineOutcome, tcp: LineOutcome): Finding {
  if (works(tcp)) return lineFinding(tcp)
  if (works(udp))
    return {
      state: 'warning',
      sentence: 'Nothing comes through over TCP. Meetings go over UDP, and need no TCP here.',
      cure: 'Whoever runs the server may open its media ports for TCP too, for people whose network blocks UDP.',
    }
  return {
    state: 'bad',
    sentence: 'Nothing comes through over TCP either: you will see and hear nobody.',
    cure: NO_MEDIA,
  }
}

/** Of the server's TURN servers: what it found itself, and which of them this browser reaches. */
export interface TurnOutcome {
  relays: RelayCheck[]
  reached: ReadonlyMap<string, TurnReach>
}

/** @param direct whether sound and picture need no relay from here */
export function turnFinding(outcome: TurnOutcome | { failed: string }, direct: boolean): Finding {
  if ('failed' in outcome) return { state: 'warning', sentence: outcome.failed }
  const { relays, reached } = outcome
  if (relays.length === 0)
    return direct
      ? good('The server has none, and none is needed here.')
      : {
          state: 'warning',
          sentence: 'The server has none.',
          cure: 'Whoever runs the server may offer TURN over TLS on port 443, which passes almost every network.',
        }
  // One fault of the server's own concerns everybody, wherever they are.
  const problem = relays.map(relayProblem).find((one) => one !== undefined)
  if (problem)
    return {
      state: 'warning',
      sentence: problem.sentence,
      cure: `For whoever runs the server: ${problem.cure}`,
    }
  const all = relays.map(({ url }) => url)
  const ways = all.filter((url) => reached.get(url) === 'reached')
  if (ways.length > 0) return good(`${ways.join(' and ')} can be reached, and it relays to the server.`)
  if (all.some((url) => reached.get(url) === 'unknown'))
    return good('It relays to the server; this browser does not tell whether it can be reached from here.')
  return {
    state: direct ? 'warning' : 'bad',
    sentence: `${all.join(' and ')} cannot be reached from here.`,
    cure: 'Ask whoever runs your network to allow it, and whoever runs the server to offer TURN over TLS on port 443.',
  }
}

const NO_MEDIA =
  'Try another network. If it fails there too, whoever runs the server must open its media ports (UDP and TCP) and set ANNOUNCED_ADDRESS to the address that others reach: send them the text below.'

function lineFinding({ connectMs, upKbps, downKbps, loss, roundTripMs }: LineResult): Finding {
  const facts = [
    `connected in ${Math.round(connectMs)} ms`,
    `${Math.round(upKbps)} kbit/s up`,
    `${Math.round(downKbps)} kbit/s down`,
    `${(loss * 100).toFixed(1)} % lost`,
    ...(roundTripMs === undefined ? [] : [`${Math.round(roundTripMs)} ms there and back`]),
  ]
  const sentence = `It comes through: ${facts.join(', ')}.`
  const cure =
    loss > MOST_LOSS
      ? 'Much is lost on the way: use a cable, or come closer to the Wi-Fi.'
      : Math.min(upKbps, downKbps) < LEAST_KBPS
        ? 'The line is narrow: pictures will be small. End downloads, or turn your camera off.'
        : (roundTripMs ?? 0) > SLOW_MS
          ? 'The way is long: people will talk over each other. Try another network, without a VPN.'
          : undefined
  return cure === undefined ? good(sentence) : { state: 'warning', sentence, cure }
}

/** Everything in one sentence. */
export function summaryOf(findings: Findings): Finding {
  const all = Object.values(findings)
  if (all.some(({ state }) => state === 'waiting' || state === 'running')) return running
  if (all.some(({ state }) => state === 'bad'))
    return { state: 'bad', sentence: 'Something will not work in a meeting. The cure is below.' }
  return all.some(({ state }) => state === 'warning')
    ? { state: 'warning', sentence: 'You can meet, and something could be better.' }
    : good('Everything works: you can meet.')
}

/** For whoever runs the server. */
export function reportOf(findings: Findings, facts: { server: string; at: string; agent: string }): string {
  const lines = Object.entries(steps).map(([step, title]) => {
    const { state, sentence } = findings[step as StepName]
    return `${title}: ${state}${sentence === '' ? '' : ` – ${sentence}`}`
  })
  return [`Check of ${facts.server}, ${facts.at}`, ...lines, `Browser: ${facts.agent}`].join('\n')
}
