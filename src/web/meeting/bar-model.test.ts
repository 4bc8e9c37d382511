import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { barOf, barView, headerOf, type BarFacts } from './bar-model.ts'
import { ChatModel } from './chat-model.ts'

const quiet: BarFacts = {
  mic: 'off',
  camera: 'off',
  share: 'off',
  waiting: 0,
  unread: 0,
  unanswered: 0,
  handUp: false,
}
const buttonOf = (name: string, facts: Partial<BarFacts>, panel?: 'people' | 'chat') => {
  const { label, icon, isOff, isActive, isBusy, count } = barOf({ ...quiet, ...facts }, panel).find(
    (button) => button.name === name,
  )!
  return {
    label,
    icon,
    marks: Object.entries({ isOff, isActive, isBusy }).flatMap(([mark, on]) => (on ? [mark] : [])),
    count,
  }
}

test('a device button shows what a press does and what is under way', () => {
  for (const [name, status, label, icon, marks] of [
    ['mic', 'off', 'Unmute', 'micOff', ['isOff']],
    ['mic', 'turningOn', 'Mute', 'mic', ['isBusy']],
    ['mic', 'on', 'Mute', 'mic', []],
    ['mic', 'turningOff', 'Unmute', 'micOff', ['isOff', 'isBusy']],
    ['camera', 'off', 'Start camera', 'cameraOff', ['isOff']],
    ['camera', 'turningOn', 'Stop camera', 'camera', ['isBusy']],
    ['camera', 'on', 'Stop camera', 'camera', []],
    ['camera', 'turningOff', 'Start camera', 'cameraOff', ['isOff', 'isBusy']],
    ['share', 'off', 'Share screen', 'share', []],
    ['share', 'turningOn', 'Share screen', 'share', ['isBusy']],
    ['share', 'on', 'Stop sharing', 'share', ['isActive']],
    ['share', 'turningOff', 'Share screen', 'share', ['isBusy']],
  ] as const)
    assert.deepEqual(
      buttonOf(name, { [name]: status }),
      { label, icon, marks, count: 0 },
      `${name} ${status}`,
    )
})

test('the other buttons count what waits, and show what is open', () => {
  assert.deepEqual(buttonOf('people', { waiting: 2 }, 'people'), {
    label: 'Participants, 2 waiting',
    icon: 'people',
    marks: ['isActive'],
    count: 2,
  })
  assert.deepEqual(buttonOf('chat', { unread: 3 }, 'people'), {
    label: 'Chat, 3 unread',
    icon: 'chat',
    marks: [],
    count: 3,
  })
  assert.equal(buttonOf('chat', {}).label, 'Chat')
  assert.deepEqual(buttonOf('hand', { handUp: true }).marks, ['isActive'])
  assert.equal(buttonOf('hand', { handUp: true }).label, 'Lower hand')
})

test('the bar is told only of our devices, the lobby and the chat', () => {
  const meeting = new FakeMeeting().join('ann')
  const chat = new ChatModel(meeting.asMeeting)
  chat.listen()
  const view = barView(meeting.asMeeting, chat)
  let told = 0
  view.subscribe(() => told++)
  meeting.change('ann', { micOn: true })
  meeting.speak('ann')
  meeting.hear('RAISE_HAND', 'ann', 'Raise hand', { raised: true })
  assert.equal(told, 0)
  meeting.switchDevice('mic', 'turningOn')
  meeting.ask('bob')
  meeting.hear('CHAT', 'ann', 'hello')
  meeting.hear('RAISE_HAND', 'me', 'Raise hand', { raised: true })
  assert.equal(told, 4)
  assert.deepEqual(view.get(), {
    ...quiet,
    mic: 'turningOn',
    waiting: 1,
    unread: 1,
    unanswered: 0,
    handUp: true,
  })
})

test('the header says why the meeting is interrupted, and offers invites to admitters', () => {
  const meeting = new FakeMeeting()
  const nothing = { interruption: undefined, canInvite: false, signs: [], controls: [] }
  assert.deepEqual(headerOf(meeting.asMeeting), nothing)
  meeting.self.canAdmit = true
  meeting.state = 'reconnecting'
  const { interruption, canInvite } = headerOf(meeting.asMeeting)
  assert.deepEqual([interruption, canInvite], ['Reconnecting…', true])
  meeting.serverRestarts = true
  assert.equal(headerOf(meeting.asMeeting).interruption, 'The server is restarting…')
  meeting.mediaPreparing = 'Media is being prepared.'
  assert.equal(headerOf(meeting.asMeeting).interruption, 'Media is being prepared.')
  meeting.state = 'joined'
  assert.equal(headerOf(meeting.asMeeting).interruption, undefined)
})

test('everybody sees what leaves the meeting, and a moderator may start and stop it', () => {
  const meeting = new FakeMeeting()
  meeting.outputs.heard('recording', 'RECORDING_STARTING')
  const { signs, controls } = headerOf(meeting.asMeeting)
  assert.deepEqual(signs, [{ output: 'recording', text: 'Recording' }])
  assert.deepEqual(controls, [])
  meeting.self.canModerate = true
  assert.deepEqual(headerOf(meeting.asMeeting).controls, [
    { output: 'recording', label: 'Stop recording', isOn: true, isBusy: true },
    { output: 'transcription', label: 'Captions', isOn: false, isBusy: false },
  ])
})
