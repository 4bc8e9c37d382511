import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { ChatModel } from './chat-model.ts'
import { handsHere, hostView, isHost } from './host-model.ts'
import { hereView } from './people-model.ts'

test('hands are in the order of raising, without those who left', () => {
  const meeting = new FakeMeeting().join('ann', 'bob', 'eve')
  assert.deepEqual(handsHere(meeting, new Set(['eve', 'gone', 'me', 'ann'])), ['eve', 'me', 'ann'])
})

test('people with a raised hand come first, in the order of raising', () => {
  const meeting = new FakeMeeting().join('ann', 'bob', 'eve')
  const chat = new ChatModel(meeting)
  chat.listen()
  const here = hereView(meeting.asMeeting, chat)
  assert.deepEqual(here.get(), ['me', 'ann', 'bob', 'eve'])
  meeting.hear('RAISE_HAND', 'eve', 'Raise hand', { raised: true })
  meeting.hear('RAISE_HAND', 'bob', 'Raise hand', { raised: true })
  assert.deepEqual(here.get(), ['eve', 'bob', 'me', 'ann'])
  meeting.hear('RAISE_HAND', 'eve', 'Lower hand', { raised: false })
  assert.deepEqual(here.get(), ['bob', 'me', 'ann', 'eve'])
})

test('a host moderates by its own token, and a co-host is none', () => {
  const meeting = new FakeMeeting()
  assert.equal(isHost(meeting), false)
  meeting.self.canModerate = true
  assert.equal(isHost(meeting), true)
  meeting.rule({ coHosts: ['me'] })
  assert.equal(isHost(meeting), false)
})

test('the controls follow the rules', () => {
  const meeting = new FakeMeeting()
  const view = hostView(meeting.asMeeting, new ChatModel(meeting))
  let told = 0
  view.subscribe(() => told++)
  meeting.rule({ locked: true })
  assert.equal(view.get().rules.locked, true)
  assert.equal(told, 1)
})
