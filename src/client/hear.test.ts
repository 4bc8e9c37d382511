import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notifications, serverRequests } from '../protocol/notifications.ts'
import type { Tell } from './events.ts'
import { hear, notificationHandlers, requestHandlers, type Listener } from './hear.ts'
import { Lobby } from './lobby.ts'
import { Outputs } from './outputs.ts'
import { Polls } from './polls.ts'
import type { Stream } from './participant.ts'
import { Roster } from './roster.ts'

function aListener(): { listener: Listener<Stream>; did: string[] } {
  const did: string[] = []
  const does =
    (what: string) =>
    (...values: unknown[]): void =>
      void did.push(
        [what, ...values.map((value) => (value instanceof Error ? value.message : value))].join(' '),
      )
  const tell: Tell = (event, ..._values) => void did.push(event)
  const listener: Listener<Stream> = {
    self: { id: 'me', name: 'Me', canAdmit: true, canModerate: false },
    lobby: new Lobby(
      () => Promise.resolve(),
      (id) => tell('entrySettled', id),
    ),
    roster: new Roster(tell, does('forget')),
    outputs: new Outputs(() => Promise.resolve(), tell),
    polls: new Polls(() => Promise.resolve(), does('poll')),
    own: {} as never,
    media: () => ({ drop: does('drop'), setPaused: does('paused') }) as never,
    tell,
    admitted: does('admitted'),
    queued: does('queued'),
    refused: does('refused'),
    restarting: does('restarting'),
    preparing: does('preparing'),
    toldOfUs: does('told of us'),
    ruled: does('ruled'),
    timed: does('timed'),
    breakouts: { heard: does('breakouts') } as never,
    mediaReset: does('reset'),
  }
  return { listener, did }
}

test('each notification and each server request has a row', () => {
  const { listener } = aListener()
  assert.deepEqual(Object.keys(notificationHandlers(listener)).sort(), Object.keys(notifications).sort())
  assert.deepEqual(Object.keys(requestHandlers(listener)).sort(), Object.keys(serverRequests).sort())
})

test('the effect of a notification depends on whom it is about', () => {
  const ann = { id: 'ann', displayName: 'Ann', mode: 'SEND_AND_RECV', metaData: {} } as const
  for (const [notification, expected] of [
    [{ method: 'entryQueued', before: 2 }, ['queued 2']],
    [{ method: 'newPeer', ...ann }, ['participantJoined']],
    [{ method: 'newPeer', ...ann, id: 'me' }, []],
    [
      { method: 'participantMediaStateChanged', peerId: 'me', kind: 'audio', newState: true },
      ['told of us audio true'],
    ],
    [{ method: 'participantMediaStateChanged', peerId: 'gone', kind: 'audio', newState: true }, []],
    [
      { method: 'peerDisplayNameChanged', peerId: 'me', displayName: 'I', oldDisplayName: 'Me' },
      ['selfChanged'],
    ],
    [{ method: 'entryRequested', id: 'eve', name: 'Eve' }, ['entryRequested']],
    [{ method: 'entryResponded', id: 'me', decision: 'allowed', sessionId: 's' }, ['admitted s']],
    [{ method: 'entryResponded', id: 'me', decision: 'denied' }, []],
    [{ method: 'entryResponded', id: 'eve', decision: 'allowed', sessionId: 's' }, []],
    [{ method: 'error', code: 5000, name: 'SERVER_STOPPING', message: 'x' }, ['restarting']],
    [{ method: 'error', code: 5000, name: 'MEDIA_PREPARING', message: 'half' }, ['preparing half']],
    [{ method: 'error', code: 5000, name: 'TOO_SLOW', message: 'x' }, []],
    [{ method: 'error', code: 4002, name: 'INVALID_TOKEN', message: 'No.' }, ['refused No.']],
    [{ method: 'consumerPaused', consumerId: 'c' }, ['paused c true']],
    [{ method: 'consumerClosed', consumerId: 'c' }, ['drop c']],
    [{ method: 'mediaReset' }, ['reset']],
    [{ method: 'of a newer server' }, []],
    [{ method: 'constructor' }, []],
  ] as const) {
    const { listener, did } = aListener()
    hear(notificationHandlers(listener), notification as never)
    assert.deepEqual(did, expected, JSON.stringify(notification))
  }
})
