import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { fakeTrack } from '../../../test/support/fake-track.ts'
import { ChatModel } from './chat-model.ts'
import { hueOf, initials, menuOf, tileOf, tileView } from './tile-model.ts'
import { ViewSettings } from './view-settings.ts'

const nobody: ReadonlySet<string> = new Set()

test('a tile shows its participant, and the video unless it is paused', () => {
  const meeting = new FakeMeeting().join('ann', 'bob')
  const tile = () => tileOf(meeting.asMeeting, nobody, [], 'ann')!
  assert.deepEqual(tile(), {
    id: 'ann',
    name: 'Name of ann',
    isSelf: false,
    micOn: false,
    cameraOn: false,
    shareOn: false,
    picture: undefined,
    stream: undefined,
    isLocked: false,
    isSpeaking: false,
    isPinned: false,
    isPinnedByMe: false,
    handUp: false,
    isCoHost: false,
    canModerate: false,
    canAppoint: false,
  })
  meeting.send('ann', 'audio')
  meeting.send('ann', 'share')
  assert.equal(tile().picture, undefined, 'a shared screen is no picture of a person')
  const track = fakeTrack('video')
  const stream = meeting.send('ann', 'video', track)
  assert.equal(tile().picture, track)
  assert.equal(tile().stream, stream)
  stream.locked = true
  assert.deepEqual([tile().picture, tile().isLocked], [undefined, true])
  stream.locked = false
  stream.paused = true
  assert.equal(tile().picture, undefined)
  assert.equal(tile().stream, stream, 'it has its place all the same')
  meeting.speak('ann')
  meeting.pin('ann')
  meeting.change('ann', { name: 'Ann', micOn: true })
  const { isSpeaking, isPinned, name, micOn } = tile()
  assert.deepEqual([isSpeaking, isPinned, name, micOn], [true, true, 'Ann', true])
  assert.equal(tileOf(meeting.asMeeting, new Set(['ann']), [], 'ann')!.handUp, true)
  assert.equal(tileOf(meeting.asMeeting, nobody, [], 'gone'), undefined)
})

const plain = { isSelf: false, isCoHost: false, handUp: false, canAppoint: false }

test('who does not moderate can pin for themselves alone', () => {
  const all = { micOn: true, cameraOn: true, shareOn: true, isPinned: true, isPinnedByMe: false, ...plain }
  assert.deepEqual(menuOf({ ...all, canModerate: false }), [{ label: 'Pin for me', action: 'pinForMe' }])
  assert.deepEqual(
    menuOf({ ...all, canModerate: false, isSelf: true }).map(({ action }) => action),
    ['pinForMe', 'rename'],
  )
})

test('our own tile shows what is sent, not what is wanted, and offers no moderation', () => {
  const meeting = new FakeMeeting().join('ann')
  meeting.self.canModerate = true
  const own = () => tileOf(meeting.asMeeting, nobody, [], 'me')!
  meeting.switchDevice('mic', 'turningOn')
  assert.equal(own().micOn, false)
  meeting.switchDevice('mic', 'on')
  assert.equal(own().micOn, true)
  assert.equal(own().isSelf, true)
  assert.equal(own().canModerate, false)
  assert.equal(tileOf(meeting.asMeeting, nobody, [], 'ann')!.canModerate, true)
})

test('the menu offers what is possible with the streams that are on', () => {
  const labels = (on: boolean) =>
    menuOf({
      micOn: on,
      cameraOn: on,
      shareOn: on,
      isPinned: on,
      isPinnedByMe: on,
      canModerate: true,
      canAppoint: true,
      isSelf: false,
      handUp: on,
      isCoHost: on,
    }).map(({ label, action }) => [label, action])
  assert.deepEqual(labels(true), [
    ['Unpin for me', 'pinForMe'],
    ['Mute', 'disableMic'],
    ['Stop camera', 'disableCamera'],
    ['Stop sharing', 'disableShare'],
    ['Unpin for all', 'unpin'],
    ['Lower hand', 'lowerHand'],
    ['Rename…', 'rename'],
    ['End being co-host', 'endCoHost'],
    ['Remove…', 'remove'],
  ])
  assert.deepEqual(labels(false), [
    ['Pin for me', 'pinForMe'],
    ['Ask to unmute', 'askMic'],
    ['Ask to turn on camera', 'askCamera'],
    ['Pin for all', 'pin'],
    ['Rename…', 'rename'],
    ['Make co-host', 'makeCoHost'],
    ['Remove…', 'remove'],
  ])
})

test('a co-host moderates, but makes nobody a co-host', () => {
  const meeting = new FakeMeeting().join('ann')
  meeting.self.canModerate = true
  const offers = () => menuOf(tileOf(meeting.asMeeting, nobody, [], 'ann')!).map(({ action }) => action)
  assert.deepEqual([offers().includes('remove'), offers().includes('makeCoHost')], [true, true])
  meeting.rule({ coHosts: ['me'] })
  assert.deepEqual([offers().includes('remove'), offers().includes('makeCoHost')], [true, false])
})

test('among 25 people, only the tiles that show a change are told of it', () => {
  const ids = Array.from({ length: 24 }, (_, at) => `p${at}`)
  const meeting = new FakeMeeting().join(...ids)
  const chat = new ChatModel(meeting.asMeeting)
  chat.listen()
  const settings = new ViewSettings()
  const told: string[] = []
  for (const id of ['me', ...ids])
    tileView(meeting.asMeeting, chat, settings, id).subscribe(() => told.push(id))
  const tells = (act: () => void, expected: string[], what: string): void => {
    told.length = 0
    act()
    assert.deepEqual(told, expected, what)
  }
  tells(() => meeting.change('p7', { micOn: true }), ['p7'], 'a microphone')
  tells(() => meeting.change('p7', { micOn: true }), [], 'nothing new')
  tells(() => meeting.speak('p3'), ['p3'], 'a speaker')
  tells(() => meeting.speak('p9'), ['p3', 'p9'], 'another speaker')
  const stream = meeting.send('p2', 'video')
  tells(() => meeting.send('p2', 'audio'), [], 'a sound')
  tells(
    () => {
      stream.paused = true
      meeting.tell('streamChanged', stream, meeting.participants.get('p2')!)
    },
    ['p2'],
    'a paused picture',
  )
  tells(() => meeting.pin('p4'), ['p4'], 'a pin for all')
  tells(() => settings.togglePin('p6'), ['p6'], 'a pin for us')
  tells(() => settings.change({ layout: 'speaker' }), [], 'a layout')
  tells(() => meeting.hear('RAISE_HAND', 'p5', 'Raise hand', { raised: true }), ['p5'], 'a hand')
  tells(() => meeting.hear('CHAT', 'p5', 'hello'), [], 'a message')
  tells(() => meeting.switchDevice('mic', 'on'), ['me'], 'our microphone')
  tells(() => meeting.leave('p1'), ['p1'], 'somebody who leaves')
  tells(() => meeting.join('late'), [], 'somebody who joins')
})

test('a person without video has initials and a colour of their own', () => {
  for (const [name, letters] of [
    ['Ann', 'A'],
    ['ann b. cole', 'AC'],
    ['  ', ''],
    ['👩‍🚀 Zoe', '👩Z'],
  ] as const)
    assert.equal(initials(name), letters, name)
  assert.equal(hueOf('ann'), hueOf('ann'))
  assert.notEqual(hueOf('ann'), hueOf('bob'))
})
