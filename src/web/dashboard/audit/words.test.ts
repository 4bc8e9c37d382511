import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayAt, inWords } from './words.ts'

test('actions and facts are shown in words', () => {
  assert.equal(inWords('track-recording.delete'), 'track recording: delete')
  assert.equal(inWords('inviteId'), 'invite id')
})

test('a day begins at the reader’s midnight; anything else is no day', () => {
  assert.equal(dayAt('2026-01-31'), new Date(2026, 0, 31).getTime())
  assert.equal(dayAt('2026-01-31', 1), new Date(2026, 0, 31).getTime() + 1)
  for (const text of ['', 'today', '2026-13-01']) assert.equal(dayAt(text), undefined)
})
