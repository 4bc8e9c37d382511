import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { Notice } from './notice.ts'

test('announces joins and leaves for a while, each for its full time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const notice = new Notice()
  const meeting = new FakeMeeting()
  const stop = notice.listen(meeting.asMeeting)
  let told = 0
  notice.subscribe(() => told++)
  meeting.join('ann')
  assert.equal(notice.get(), '\u2068Name of ann\u2069 joined')
  t.mock.timers.tick(3000)
  meeting.leave('ann')
  t.mock.timers.tick(3000)
  assert.equal(notice.get(), '\u2068Name of ann\u2069 left')
  t.mock.timers.tick(2000)
  assert.equal(notice.get(), '')
  assert.equal(told, 3)
  stop()
  meeting.join('bob')
  assert.equal(notice.get(), '')
})
