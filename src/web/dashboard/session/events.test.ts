import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changesOf, eventsOf } from './events.ts'
import type { MediaSample } from '../../../protocol/rest/quality.ts'
import type { SessionParticipantInFull } from '../../../protocol/rest/sessions.ts'

const at = (second: number): string => new Date(second * 1000).toISOString()
const none = { mic: [], webcam: [], screenShare: [], screenShareAudio: [] }

test('lists joins, returns, leaves, switches and outputs in the order of time', () => {
  const ann = {
    participantId: 'ann',
    name: 'Ann',
    timelog: [
      { start: at(1), end: at(20), leaveReason: 'WEBSOCKET_DISCONNECTED' },
      { start: at(25), end: null, leaveReason: null },
    ],
    events: { ...none, mic: [{ start: at(2), end: at(5) }], webcam: [{ start: at(3), end: at(20) }] },
  } as unknown as SessionParticipantInFull
  const events = eventsOf([ann], [{ one: 'recording', start: at(4), end: null }])
  assert.deepEqual(
    events.map((one) => `${one.at / 1000} ${one.who}: ${one.text}`),
    [
      '1 Ann: Joined',
      '2 Ann: Switched the microphone on',
      '3 Ann: Switched the camera on',
      '4 Server: A recording began',
      '5 Ann: Switched the microphone off',
      '20 Ann: Left: Connection lost',
      '25 Ann: Came back',
    ],
  )
})

type Part<T> = { [K in keyof T]?: T[K] extends object | null ? Part<T[K]> : T[K] }

/** One measurement per second. */
function sampled(...samples: Part<MediaSample>[]): string[] {
  const whole = samples.map(
    ({ send, receive, worker, ...rest }, index) =>
      ({
        time: at(index),
        pathChanges: 0,
        eventLoopLagMs: 0,
        ...rest,
        send: { ice: 'completed', protocol: 'udp', ...send, video: { height: null, ...send?.video } },
        receive: {
          ice: 'completed',
          protocol: 'udp',
          availableBitrate: null,
          ...receive,
          video: { held: 0, wanted: 5, layer: null, ...receive?.video },
        },
        worker: { index: 0, losses: 0, answerMs: 1, ...worker },
      }) as unknown as MediaSample,
  )
  return changesOf(whole, { participantId: 'ann', who: 'Ann' }).map((one) => `${one.at / 1000} ${one.text}`)
}

test('tells what changed between two measurements', () => {
  assert.deepEqual(sampled({}, {}, {}), [])
  assert.deepEqual(
    sampled(
      {},
      { receive: { availableBitrate: 130_000, video: { held: 3 } } },
      { receive: { video: { held: 2 } } },
      {},
    ),
    ['1 3 of 5 pictures held back (the line takes 130 kb/s)', '3 All pictures are sent again'],
  )
  assert.deepEqual(sampled({}, { send: { ice: 'disconnected' } }, {}), [
    '1 Sending was interrupted',
    '2 Sending went on after an interruption',
  ])
  assert.deepEqual(sampled({}, { receive: { protocol: 'tcp' } }), ['1 Receiving changed to TCP'])
  assert.deepEqual(sampled({}, { worker: { index: 1, losses: 1 } }), [
    '1 A media worker died and was replaced',
    '1 Moved to media worker 1',
  ])
  assert.deepEqual(sampled({ pathChanges: 1 }), ['0 Media came from another address than before'])
  assert.deepEqual(
    sampled(
      { send: { video: { height: 720 } }, receive: { video: { layer: 2 } } },
      {
        send: { video: { height: 180 } },
        receive: { video: { layer: 0 } },
      },
    ),
    ['1 Sends a picture of 180 lines, before 720', '1 Receives smaller pictures'],
  )
})
