import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatModel } from './chat-model.ts'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { hereView, othersView, waitingView } from './people-model.ts'

test('shows admitters who waits, in the order of the requests', () => {
  const meeting = new FakeMeeting()
  const view = waitingView(meeting.asMeeting)
  let told = 0
  view.subscribe(() => told++)
  meeting.ask('ann')
  meeting.ask('bob')
  assert.deepEqual(view.get(), [])
  meeting.self.canAdmit = true
  meeting.tell('stateChanged', 'joined')
  assert.deepEqual(
    view.get().map(({ id }) => id),
    ['ann', 'bob'],
  )
  meeting.lobby.requests.delete('ann')
  meeting.tell('entrySettled', 'ann')
  assert.deepEqual(
    view.get().map(({ id }) => id),
    ['bob'],
  )
  assert.equal(told, 2)
})

test('the list of participants follows joins, leaves and changes of name', () => {
  const meeting = new FakeMeeting().join('ann')
  const here = hereView(meeting.asMeeting, new ChatModel(meeting))
  const others = othersView(meeting.asMeeting)
  const told = { here: 0, others: 0 }
  here.subscribe(() => told.here++)
  others.subscribe(() => told.others++)
  meeting.change('ann', { micOn: true })
  assert.deepEqual(told, { here: 0, others: 0 })
  meeting.change('ann', { name: 'Ann' })
  assert.deepEqual(told, { here: 0, others: 1 })
  meeting.join('bob')
  assert.deepEqual(told, { here: 1, others: 2 })
  assert.deepEqual(here.get(), ['me', 'ann', 'bob'])
  assert.deepEqual(others.get()[0], { id: 'ann', name: 'Ann' })
})
