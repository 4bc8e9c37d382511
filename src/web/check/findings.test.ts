import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  browserFinding,
  deviceFinding,
  microphoneFinding,
  reportOf,
  socketFinding,
  speakerFinding,
  steps,
  summaryOf,
  tcpFinding,
  turnFinding,
  udpFinding,
  type Finding,
  type Findings,
  type LineOutcome,
  type State,
  type TurnOutcome,
} from './findings.ts'
import type { RelayCheck } from '../../protocol/check.ts'

const line = (changes: object = {}): LineOutcome => ({
  ...{ connectMs: 120, upKbps: 1500, downKbps: 1480, loss: 0, roundTripMs: 12 },
  ...changes,
})
const failed: LineOutcome = 'failed'
const [UDP, TLS] = ['turn:turn.example', 'turns:turn.example:443']
/** Of two TURN servers. `reached`: those that the browser reaches. */
const turn = (reached: string[] | 'unknown', ...relays: RelayCheck[]): TurnOutcome => ({
  relays: relays.length > 0 ? relays : [UDP, TLS].map((url) => ({ url, relay: 'works' })),
  reached: new Map(
    [UDP, TLS].map((url) => [
      url,
      reached === 'unknown' ? 'unknown' : reached.includes(url) ? 'reached' : 'silent',
    ]),
  ),
})
const broken = (relay: 'unreachable' | 'refused' | 'forbidden' | 'silent', says: string): TurnOutcome =>
  turn([UDP], { url: UDP, relay, says })

test('each outcome has one sentence, and each failure its cure', () => {
  const cases: [what: string, found: Finding, state: State, says: RegExp, cure?: RegExp][] = [
    ['no encryption', browserFinding(false, true), 'bad', /without encryption/, /https/],
    ['no WebRTC', browserFinding(true, false), 'bad', /cannot send/, /Firefox/],
    ['a browser', browserFinding(true, true), 'good', /can send/],
    ['a camera', deviceFinding('camera', { label: 'C920' }, 'chrome'), 'good', /C920 works/],
    [
      'a camera in use',
      deviceFinding('camera', { problem: 'busy' }, 'chrome'),
      'bad',
      /in use/,
      /Close other programs/,
    ],
    ['a silent microphone', microphoneFinding('Mic', 0), 'warning', /nothing was heard/, /unmute/],
    ['a microphone', microphoneFinding('Mic', 0.2), 'good', /Mic hears you/],
    ['no tone', speakerFinding(false), 'bad', /did not hear/, /volume/],
    ['a tone', speakerFinding(true), 'good', /heard/],
    ['no socket', socketFinding('closed'), 'bad', /WebSocket/, /proxy/],
    ['turned away', socketFinding('turnedAway'), 'warning', /cannot check now/],
    ['a camera without a name', deviceFinding('camera', { label: '' }, 'chrome'), 'good', /^It works\.$/],
    ['a socket', socketFinding({ ms: 41.6 }), 'good', /42 ms/],
    [
      'UDP',
      udpFinding(line(), failed),
      'good',
      /120 ms, 1500 kbit\/s up, 1480 kbit\/s down, 0\.0 % lost, 12 ms/,
    ],
    ['UDP alone', tcpFinding(line(), failed), 'warning', /need no TCP/, /open its media ports/],
    ['TCP alone', udpFinding(failed, line()), 'warning', /go over TCP/, /allow UDP/],
    ['neither, UDP', udpFinding(failed, failed), 'bad', /Nothing comes through/, /ANNOUNCED_ADDRESS/],
    ['neither, TCP', tcpFinding(failed, failed), 'bad', /see and hear nobody/, /ANNOUNCED_ADDRESS/],
    ['no TURN', turnFinding({ relays: [], reached: new Map() }, true), 'good', /none is needed/],
    [
      'no TURN, needed',
      turnFinding({ relays: [], reached: new Map() }, false),
      'warning',
      /none/,
      /port 443/,
    ],
    ['TURN', turnFinding(turn([TLS]), false), 'good', /^turns:turn\.example:443 can be reached/],
    ['TURN not reached', turnFinding(turn([]), true), 'warning', /cannot be reached from here/, /port 443/],
    ['TURN not reached, needed', turnFinding(turn([]), false), 'bad', /cannot be reached/, /allow it/],
    ['TURN, who knows', turnFinding(turn('unknown'), true), 'good', /does not tell/],
    [
      'TURN down',
      turnFinding(broken('unreachable', 'nothing answers'), true),
      'warning',
      /does not reach turn:turn\.example: nothing answers/,
      /TURN_URLS/,
    ],
    ['TURN refuses', turnFinding(broken('refused', '401'), true), 'warning', /refuses.*401/, /TURN_SECRET/],
    ['TURN forbids', turnFinding(broken('forbidden', '403'), true), 'warning', /403/, /allowed-peer-ip/],
    [
      'TURN and silence',
      turnFinding(broken('silent', 'x'), true),
      'warning',
      /nothing comes back/,
      /media ports/,
    ],
    ['TURN not tried', turnFinding('failed', true), 'warning', /could not be tried/],
    ['a lossy line', udpFinding(line({ loss: 0.06 }), line()), 'warning', /6\.0 % lost/, /cable/],
    ['a narrow line', udpFinding(line({ upKbps: 200 }), line()), 'warning', /200 kbit/, /narrow/],
    ['a long way', tcpFinding(line(), line({ roundTripMs: 301 })), 'warning', /301 ms/, /VPN/],
    ['a way of unknown length', udpFinding(line({ roundTripMs: undefined }), line()), 'good', /lost\.$/],
  ]
  for (const [what, found, state, says, cure] of cases) {
    assert.equal(found.state, state, what)
    assert.match(found.sentence, says, what)
    if (cure) assert.match(found.cure ?? '', cure, what)
    else assert.equal(found.cure, undefined, what)
  }
})

const all = (changes: Partial<Findings> = {}): Findings => ({
  ...(Object.fromEntries(steps.map((one) => [one, { state: 'good', sentence: 'Well.' }])) as Findings),
  ...changes,
})

test('the worst finding makes the summary, and the text for the operator has them all', () => {
  assert.equal(summaryOf(all()).state, 'good')
  assert.equal(summaryOf(all({ tcp: { state: 'warning', sentence: '' } })).state, 'warning')
  assert.equal(
    summaryOf(all({ tcp: { state: 'warning', sentence: '' }, udp: { state: 'bad', sentence: '' } })).state,
    'bad',
  )
  assert.equal(
    summaryOf(all({ udp: { state: 'bad', sentence: '' }, tcp: { state: 'running', sentence: '' } })).state,
    'running',
  )
  const text = reportOf(all(), { server: 'https://meet.example', at: '2026-01-01', agent: 'A browser' })
  assert.equal(text.split('\n').length, 10)
  assert.match(text, /^Check of https:\/\/meet\.example, 2026-01-01\nBrowser: Good – Well\.\n/)
})
