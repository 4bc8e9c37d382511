import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatMessage } from '../../client/client.ts'
import { answeredBy, asReply, asText, replyPayload, search } from './chat-log.ts'

function message(text: string, changed: Partial<ChatMessage> = {}): ChatMessage {
  const common = { id: 'm1', topic: 'CHAT', from: 'ann', fromName: 'Ann', payload: undefined, at: 0, to: [] }
  return { ...common, text, ...changed }
}

test('a reply names the message that it answers, whatever others send as data', () => {
  assert.equal(answeredBy({ payload: replyPayload('m1') }), 'm1')
  for (const payload of [
    undefined,
    null,
    'm1',
    1,
    [],
    {},
    { replyTo: 1 },
    { replyTo: '' },
    { replyTo: { id: 'm1' } },
  ])
    assert.equal(answeredBy({ payload }), undefined, JSON.stringify(payload))
})

test('a private message is answered in private', () => {
  const nameOf = (id: string): string => id.toUpperCase()
  const draft = { text: 'yes', to: { id: 'eve', name: 'Eve' } }
  assert.deepEqual(asReply(draft, message('hi'), 'me', nameOf), { ...draft, replyTo: 'm1' })
  assert.deepEqual(asReply({ text: '' }, message('hi', { to: ['me'] }), 'me', nameOf), {
    text: '',
    replyTo: 'm1',
    to: { id: 'ann', name: 'Ann' },
  })
  assert.deepEqual(asReply(draft, message('hi', { from: 'me', to: ['bob'] }), 'me', nameOf).to, {
    id: 'bob',
    name: 'BOB',
  })
})

test('a search finds the messages with all of the words', () => {
  const all = [message('Lunch at noon'), message('noon', { fromName: 'Bob' }), message('a.b(c')]
  const cases: [wanted: string, found: number[]][] = [
    ['', [0, 1, 2]],
    ['  ', [0, 1, 2]],
    ['NOON', [0, 1]],
    ['noon bob', [1]],
    ['.b(', [2]],
    ['.*', []],
  ]
  for (const [wanted, found] of cases)
    assert.deepEqual(
      search(all, wanted),
      found.map((at) => all[at]),
      wanted,
    )
})

test('the saved text has a line for each message, and none that only looks like one', () => {
  const all = [
    message('hello\r\n1970-01-01T00:00:00.000Z Bob: I am Bob'),
    message('for you', { fromName: 'Eve\nBob', to: ['me'] }),
  ]
  assert.equal(
    asText([], () => ''),
    '',
  )
  assert.equal(
    asText(all, ({ to }) => (to.length > 0 ? 'to you only' : '')),
    '1970-01-01T00:00:00.000Z Ann: hello\n    1970-01-01T00:00:00.000Z Bob: I am Bob\n' +
      '1970-01-01T00:00:00.000Z Eve Bob (to you only): for you\n',
  )
})
