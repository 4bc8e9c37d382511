import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withCaption } from './captions-model.ts'

const caption = (id: string, text: string, participantId = 'ann') => ({
  id,
  participantId,
  participantName: participantId,
  text,
  timestamp: 1,
  type: 'final' as const,
})
const textsOf = (...captions: ReturnType<typeof caption>[]): string[] =>
  captions.reduce<ReturnType<typeof withCaption>>(withCaption, []).map(({ text }) => text)

test('the final text replaces the partial one, of the same person only', () => {
  assert.deepEqual(textsOf(caption('1', 'he'), caption('1', 'hello')), ['hello'])
  assert.deepEqual(textsOf(caption('1', 'he'), caption('1', 'hi', 'bob')), ['he', 'hi'])
})

test('the last three lines stay', () => {
  const many = ['1', '2', '3', '4'].map((id) => caption(id, id))
  assert.deepEqual(textsOf(...many), ['2', '3', '4'])
})
