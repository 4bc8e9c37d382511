import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeetingError } from '../../client/client.ts'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { ChatModel } from './chat-model.ts'

function aChat(): { meeting: FakeMeeting; chat: ChatModel } {
  const meeting = new FakeMeeting().join('ann')
  const chat = new ChatModel(meeting.asMeeting)
  chat.listen()
  return { meeting, chat }
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

test('a message is unread until the chat is open, except kept ones and our own', () => {
  const { meeting, chat } = aChat()
  meeting.hear('CHAT', 'ann', 'kept', undefined, true)
  meeting.hear('CHAT', 'me', 'mine')
  assert.equal(chat.state.unread, 0)
  meeting.hear('CHAT', 'ann', 'one')
  meeting.hear('CHAT', 'ann', 'two')
  assert.equal(chat.state.unread, 2)
  chat.setRead(true)
  assert.equal(chat.state.unread, 0)
  meeting.hear('CHAT', 'ann', 'three')
  assert.equal(chat.state.unread, 0)
  chat.setRead(false)
  meeting.hear('CHAT', 'ann', 'four')
  assert.equal(chat.state.unread, 1)
  assert.deepEqual(
    chat.state.messages.map(({ text }) => text),
    ['kept', 'mine', 'one', 'two', 'three', 'four'],
  )
})

test('a mention calls those whose chat is closed, once, and not for kept or own messages', () => {
  const meeting = new FakeMeeting().join('ann')
  meeting.change('ann', { name: 'Me Too' })
  const calls: string[] = []
  const chat = new ChatModel(meeting.asMeeting, ({ text }) => calls.push(text))
  chat.listen()
  meeting.hear('CHAT', 'ann', '@me kept', undefined, true)
  meeting.hear('CHAT', 'me', '@Me, myself')
  meeting.hear('CHAT', 'ann', 'me')
  meeting.hear('CHAT', 'ann', '@Me Too')
  assert.deepEqual(calls, [])
  meeting.hear('CHAT', 'ann', 'hello @me')
  chat.setRead(true)
  meeting.hear('CHAT', 'ann', '@Me again')
  assert.deepEqual(calls, ['hello @me'])
})

test('a reply names the message that it answers, also when it is sent again', async () => {
  const { meeting, chat } = aChat()
  meeting.publishing = Promise.reject(new MeetingError(0, 'CONNECTION_FAILED', 'Chat cannot be reached.'))
  chat.say({ text: 'yes', replyTo: 'm1' })
  await settled()
  meeting.publishing = Promise.resolve()
  chat.say(chat.state.unsent[0]!)
  const said = { topic: 'CHAT', text: 'yes', options: { keep: true, payload: { replyTo: 'm1' } } }
  assert.deepEqual(meeting.published, [said, said])
})

test('hands go up and down; a message without data raises one, as older apps send it', () => {
  const { meeting, chat } = aChat()
  meeting.hear('RAISE_HAND', 'ann', 'Raise hand', { raised: true })
  meeting.hear('RAISE_HAND', 'bob', 'Raise hand')
  assert.deepEqual([...chat.state.hands], ['ann', 'bob'])
  meeting.hear('RAISE_HAND', 'ann', 'Lower hand', { raised: false })
  assert.deepEqual([...chat.state.hands], ['bob'])
})

test('a reaction is shown for a while, cut to a few characters, and not if it is old', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { meeting, chat } = aChat()
  meeting.hear('REACTION', 'ann', 'old', undefined, true)
  meeting.hear('REACTION', 'ann', '🎉'.repeat(20))
  assert.deepEqual(
    chat.state.reactions.map(({ text }) => text),
    ['🎉'.repeat(8)],
  )
  t.mock.timers.tick(4000)
  assert.deepEqual(chat.state.reactions, [])
})

test('a message that could not be sent can be sent again, and shows why', async () => {
  for (const [error, problem] of [
    [new MeetingError(0, 'CONNECTION_FAILED', 'x'), 'It is not certain that this was sent.'],
    [new MeetingError(5000, 'CHAT_REFUSED', 'Too long.'), 'This was not sent: Too long.'],
    [new Error('x'), 'This was not sent.'],
  ] as const) {
    const { meeting, chat } = aChat()
    meeting.publishing = Promise.reject(error)
    chat.say({ text: 'hello', to: { id: 'ann', name: 'Ann' } })
    assert.equal(chat.state.sending, 1)
    await settled()
    assert.equal(chat.state.sending, 0)
    assert.deepEqual(chat.state.unsent, [{ id: 1, text: 'hello', to: { id: 'ann', name: 'Ann' }, problem }])
    assert.deepEqual(meeting.published, [
      { topic: 'CHAT', text: 'hello', options: { keep: true, to: ['ann'] } },
    ])
    chat.takeBack(1)
    assert.deepEqual(chat.state.unsent, [])
  }
})

test('a new listener gets the kept messages, and none twice', () => {
  const { meeting, chat } = aChat()
  meeting.hear('CHAT', 'ann', 'one')
  chat.listen()
  assert.deepEqual(chat.state.messages, [])
})

test('files follow the text in the order in which they were chosen, each as a message with its name', async () => {
  const { meeting, chat } = aChat()
  const file = (name: string): File => new File(['x'], name)
  chat.say({
    text: 'look',
    replyTo: 'm1',
    to: { id: 'ann', name: 'Ann' },
    files: [file('a.png'), file('b.txt')],
  })
  assert.equal(chat.state.sending, 3)
  for (let at = 0; at < 4; at++) await settled()
  assert.deepEqual(
    meeting.published.map(({ text }) => text),
    ['look', 'a.png', 'b.txt'],
  )
  assert.deepEqual(meeting.published[1]!.options, {
    keep: true,
    to: ['ann'],
    payload: { file: { id: 'id-of-a-file', name: 'a.png', bytes: 1 } },
  })
  meeting.files.share = () => Promise.reject(new MeetingError(5000, 'PAYLOAD_TOO_LARGE', 'Too large.'))
  chat.say({ text: '', files: [file('c.bin')] })
  for (let at = 0; at < 4; at++) await settled()
  assert.deepEqual(
    chat.state.unsent.map(({ problem, files }) => [problem.includes('Too large.'), files![0]!.name]),
    [[true, 'c.bin']],
  )
  assert.equal(chat.state.sending, 0)
})
