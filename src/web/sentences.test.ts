import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sentenceFor } from './sentences.ts'
import { text } from './texts/texts.ts'

test('a refusal is worded by its reason, an end by its code, anything else in general', () => {
  assert.equal(text(sentenceFor('INVALID_TOKEN').title), 'This link has expired')
  assert.equal(sentenceFor('ENTRY_DENIED', 1007).again, true)
  assert.equal(text(sentenceFor(undefined, 1008).title), 'The meeting has ended')
  assert.equal(text(sentenceFor('SOMETHING_NEW', 9999).title), 'That did not work')
})
