/** A removal from the parent meeting that happens while somebody is on the way from the door of a room to a seat in it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createFakeSfu } from '../../media/fake/sfu.ts'
import { jtiOfBreakout } from '../../token/token.ts'
import {
  comes,
  grantOf,
  joins,
  LiveMeetingBench,
  newId,
  PROJECT,
} from '../../../test/support/live-meetings.ts'
import { meetingRecord } from '../../../test/support/records.ts'
import { noDecisions } from '../session/decisions.ts'
import type { Plan } from './plan.ts'

let bench: LiveMeetingBench
before(async () => (bench = await LiveMeetingBench.open()))
after(() => bench.close())

for (const removed of [true, false])
  test(`whoever passed the door of a room ${removed ? 'and was removed before it had a seat is not in it' : 'has a seat'}`, async () => {
    const { sessions, meetings } = bench.store
    const parent = await bench.createMeeting()
    const parentLive = (await bench.openMeeting(parent, createFakeSfu())).live
    await joins(parentLive, 'host')
    const sessionId = parentLive.sessionId!
    const breakoutOf = { meetingId: parent.meetingId, sessionId, name: 'Red' }
    const room = meetingRecord(
      { id: newId(), meetingId: newId(), projectId: PROJECT },
      { settings: { breakoutOf } },
    )
    await meetings.create(room)
    const ann = { participantId: 'ann', tokenId: 'jti:ann', name: 'Ann' }
    const plan: Plan = {
      rooms: [{ roomId: room.meetingId, name: 'Red' }],
      assigned: [{ ...ann, apiKey: 'key', entry: 'direct', roomId: room.meetingId }],
      visitors: [],
      endsAt: null,
      closesAt: null,
    }
    await sessions.decide(sessionId, JSON.stringify({ ...noDecisions, breakouts: plan }))
    if (removed)
      await sessions.remove({
        sessionId,
        ...ann,
        at: 2,
        by: null,
        byName: null,
        byModerator: true,
        tokenShared: false,
      })
    const { live } = await bench.openMeeting(room, createFakeSfu())
    const entry = comes(live, 'ann', grantOf('direct', `jti:${jtiOfBreakout('jti:ann', newId())}`))
    await entry.state
    assert.equal(entry.link.closed, removed ? 'REMOVED_FROM_SESSION' : undefined)
    assert.equal(live.roster.size, removed ? 0 : 1)
    for (const one of [live, parentLive]) await one.suspend()
    assert.deepEqual(bench.errors, [])
  })
