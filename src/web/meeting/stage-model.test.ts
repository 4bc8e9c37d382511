import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { soundsOf, soundsView, stageOf, stageView, tilePage } from './stage-model.ts'
import { ViewSettings, type ViewState } from './view-settings.ts'

/** In one line: the arrangement, the shared screen, who is in front, and whose tiles stand beside. */
function stage(meeting: FakeMeeting, settings: Partial<ViewState> = {}, lastSpeaker?: string): string {
  const plain = new ViewSettings().get()
  const { arrangement, shared, front, tiles, floating } = stageOf(
    meeting.asMeeting,
    { ...plain, ...settings },
    lastSpeaker,
  )
  const parts = [
    arrangement,
    shared?.stream.id ?? '',
    front.join(' '),
    tiles.join(' '),
    floating ? 'floats' : '',
  ]
  return parts.join('|')
}

test('the front shows a shared screen, else who is pinned, else nobody', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  assert.equal(stage(meeting), 'grid|||me ann bob|')
  meeting.pin('bob')
  assert.equal(stage(meeting), 'column||bob|me ann|')
  meeting.pin('me')
  assert.equal(stage(meeting), 'column||me|ann bob|')
  meeting.send('ann', 'share')
  assert.equal(stage(meeting), 'column|share of ann||me ann bob|')
  meeting.leave('ann')
  meeting.pin('gone')
  assert.equal(stage(meeting), 'grid|||me bob|')
})

test('our own pins come before those for all, and at most four are in front', () => {
  const meeting = new FakeMeeting().join('a', 'b', 'c', 'd', 'e')
  meeting.pin('a')
  assert.equal(stage(meeting, { pinned: ['c', 'b'] }), 'column||b c|me a d e|')
  assert.equal(stage(meeting, { pinned: ['gone'] }), 'column||a|me b c d e|')
  assert.equal(stage(meeting, { pinned: ['a', 'b', 'c', 'd', 'e'] }), 'column||a b c d|me e|')
})

test('the layouts with a speaker show who spoke last, or whoever is there', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  assert.equal(stage(meeting, { layout: 'speaker' }), 'strip||ann|me bob|')
  assert.equal(stage(meeting, { layout: 'speaker' }, 'bob'), 'strip||bob|me ann|')
  assert.equal(stage(meeting, { layout: 'sidebar' }, 'gone'), 'column||ann|me bob|')
  assert.equal(stage(new FakeMeeting(), { layout: 'speaker' }), 'grid|||me|', 'alone')
  meeting.send('ann', 'share')
  assert.equal(stage(meeting, { layout: 'speaker' }, 'bob'), 'strip|share of ann||me ann bob|')
})

test('our own picture floats or is hidden, but not while we are alone or in front', () => {
  const meeting = new FakeMeeting().join('ann')
  assert.equal(stage(meeting, { selfView: 'floating' }), 'grid|||ann|floats')
  assert.equal(stage(meeting, { selfView: 'hidden' }), 'grid|||ann|')
  assert.equal(stage(meeting, { selfView: 'floating', pinned: ['me'] }), 'column||me|ann|')
  for (const selfView of ['floating', 'hidden'] as const)
    assert.equal(stage(new FakeMeeting(), { selfView }), 'grid|||me|', selfView)
})

test('of several shared screens the newest is shown, or the one that was chosen', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  meeting.send('ann', 'share')
  meeting.send('bob', 'share')
  assert.equal(stage(meeting).split('|')[1], 'share of bob')
  assert.equal(stage(meeting, { share: 'share of ann' }).split('|')[1], 'share of ann')
  assert.equal(stage(meeting, { share: 'gone' }).split('|')[1], 'share of bob')
  assert.deepEqual(
    stageOf(meeting.asMeeting, new ViewSettings().get()).screens.map(({ name }) => name),
    ['Name of ann', 'Name of bob'],
  )
})

test('the stage is told of joins and leaves, and not of what each participant does', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  const settings = new ViewSettings()
  let told = 0
  stageView(meeting.asMeeting, settings).subscribe(() => told++)
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

test('the last speaker stays in front while nobody or only we speak', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  const settings = new ViewSettings()
  settings.change({ layout: 'speaker' })
  const view = stageView(meeting.asMeeting, settings)
  let told = 0
  view.subscribe(() => told++)
  meeting.speak('bob')
  assert.deepEqual(view.get().front, ['bob'])
  meeting.speak(null)
  meeting.speak('me')
  assert.deepEqual(view.get().front, ['bob'])
  assert.equal(told, 1)
})

test('a page shows as many tiles as it is told, and a page that no longer exists leads to the last', () => {
  const ids = Array.from({ length: 51 }, (_, at) => String(at))
  assert.deepEqual(tilePage([], 0, 25), { current: 0, pages: 1, shown: [] })
  assert.equal(tilePage(ids.slice(0, 25), 0, 25).pages, 1)
  assert.deepEqual(tilePage(ids, 2, 25), { current: 2, pages: 3, shown: ['50'] })
  assert.deepEqual(tilePage(ids.slice(0, 30), 2, 25).shown, ids.slice(25, 30))
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
