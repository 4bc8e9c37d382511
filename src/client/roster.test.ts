import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stream } from './participant.ts'
import { Roster } from './roster.ts'

const peer = (id: string, displayName = id) =>
  ({ id, displayName, mode: 'SEND_AND_RECV', metaData: {} }) as const
const stream = (participantId: string): Stream =>
  ({ id: `stream of ${participantId}`, participantId, kind: 'video' }) as Stream

function aRoster(...ids: string[]): { roster: Roster<Stream>; told: string[]; dropped: string[] } {
  const told: string[] = []
  const dropped: string[] = []
  const roster = new Roster<Stream>(
    (event, ..._values) => void told.push(event),
    (id) => dropped.push(id),
  )
  for (const id of ids) roster.meet(peer(id))
  told.length = 0
  return { roster, told, dropped }
}

test('after a reconnect, participants who left are gone, and nobody is the speaker until the server says so', () => {
  const { roster, told, dropped } = aRoster('ann', 'bob')
  roster.speak('ann')
  roster.addStream(stream('bob'))
  told.length = 0
  roster.replace([peer('bob', 'Robert'), peer('cat')])
  assert.deepEqual(told, ['participantLeft', 'participantChanged', 'participantJoined'])
  assert.deepEqual(dropped, ['ann'])
  assert.equal(roster.activeSpeakerId, null)
  assert.equal(roster.participants.get('bob')!.name, 'Robert')
  assert.equal(roster.participants.get('bob')!.streams.size, 1, 'what is received of them stays')
})

test('a pin moves to the participant pinned last, and ends with them', () => {
  const { roster, told } = aRoster('ann', 'bob')
  const pin = (peerId: string, cam: boolean): string | null => {
    roster.pin({ peerId, state: { cam }, pinnedBy: 'me' })
    return roster.pinnedId
  }
  assert.equal(pin('ann', true), 'ann')
  assert.equal(pin('bob', true), 'bob')
  assert.equal(pin('ann', false), 'bob', 'no longer pinned anyway')
  assert.equal(pin('bob', false), null)
  pin('ann', true)
  told.length = 0
  roster.leave('ann', { code: 1101, message: 'MANUAL_LEAVE_CALLED' })
  assert.equal(roster.pinnedId, null)
  assert.deepEqual(told, ['pinChanged', 'participantLeft'])
})

test('ignores messages about participants who are not present', () => {
  const { roster, told, dropped } = aRoster()
  roster.leave('ann', { code: 1101, message: 'MANUAL_LEAVE_CALLED' })
  roster.change('ann', () => assert.fail())
  roster.addStream(stream('ann'))
  roster.changeStream(stream('ann'))
  roster.removeStream(stream('ann'))
  assert.deepEqual([...told, ...dropped], [])
})
