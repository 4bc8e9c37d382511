import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { fakeTrack } from '../../../test/support/fake-track.ts'
import { soundsOf, soundsView, stageOf, stageView, tilePage } from './stage-model.ts'

test('the front shows a shared screen, else the pinned participant, else nobody', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  const stage = () => stageOf(meeting.asMeeting)
  assert.deepEqual(stage(), { shared: undefined, front: undefined, tiles: ['me', 'ann', 'bob'] })
  meeting.pin('bob')
  assert.deepEqual(stage(), { shared: undefined, front: 'bob', tiles: ['me', 'ann'] })
  meeting.pin('me')
  assert.deepEqual(stage(), { shared: undefined, front: 'me', tiles: ['ann', 'bob'] })
  const track = fakeTrack('video')
  const stream = meeting.send('ann', 'share', track)
  assert.deepEqual(stage(), {
    shared: { stream, name: 'Name of ann' },
    front: undefined,
    tiles: ['me', 'ann', 'bob'],
  })
  meeting.leave('ann')
  meeting.pin('gone')
  assert.deepEqual(stage(), { shared: undefined, front: undefined, tiles: ['me', 'bob'] })
})

test('the stage is told of joins and leaves, and not of what each participant does', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  let told = 0
  stageView(meeting.asMeeting).subscribe(() => told++)
  meeting.change('ann', { micOn: true, name: 'Ann' })
  meeting.send('ann', 'video')
  meeting.speak('ann')
  assert.equal(told, 0)
  meeting.send('ann', 'share')
  assert.equal(told, 1)
  meeting.change('ann', { name: 'Anna' })
  assert.equal(told, 2, 'the name under the shared screen')
  meeting.join('carl')
  assert.equal(told, 3)
})

test('a page shows 25 tiles, and a page that no longer exists leads to the last', () => {
  const ids = Array.from({ length: 51 }, (_, at) => String(at))
  assert.deepEqual(tilePage([], 0), { current: 0, pages: 1, shown: [] })
  assert.equal(tilePage(ids.slice(0, 25), 0).pages, 1)
  assert.deepEqual(tilePage(ids, 2), { current: 2, pages: 3, shown: ['50'] })
  assert.deepEqual(tilePage(ids.slice(0, 30), 2).shown, ids.slice(25, 30))
})

test('plays every sound, that of a shared screen too, and no video', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  let told = 0
  soundsView(meeting.asMeeting).subscribe(() => told++)
  meeting.send('ann', 'video')
  assert.equal(told, 0)
  meeting.send('ann', 'audio')
  meeting.send('bob', 'shareAudio')
  assert.deepEqual(
    soundsOf(meeting.asMeeting).map(({ id }) => id),
    ['audio of ann', 'shareAudio of bob'],
  )
  meeting.leave('ann')
  assert.equal(told, 3)
})
