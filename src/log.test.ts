import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, forPeople } from './log.ts'

test('a line for people shows time, level, message and fields', () => {
  let text = ''
  const log = createLog(
    'debug',
    forPeople((line) => (text += line)),
  )
  log.info({ status: 200, route: '/v2/rooms', ms: 1.5 }, 'answered')
  log.warn({ told: 'two words' }, 'resumed writing to the store')
  log.debug({ list: ['a'] }, 'seen')
  const lines = text.split('\n')
  assert.match(
    lines[0]!,
    /^\d\d:\d\d:\d\d {2}info {3}answered {2}status=200 {2}route=\/v2\/rooms {2}ms=1\.5$/,
  )
  assert.match(lines[1]!, /^\d\d:\d\d:\d\d {2}warn {3}resumed writing to the store {2}told="two words"$/)
  assert.match(lines[2]!, /^\d\d:\d\d:\d\d {2}debug {2}seen {2}list=\["a"\]$/)
})

test('an error is printed below its line, and nothing in it moves the cursor or starts a line of its own', () => {
  let text = ''
  const log = createLog(
    'info',
    forPeople((line) => (text += line)),
  )
  log.error({ err: new Error('no\x1b[2J room') }, 'writing')
  assert.match(text, /^\d\d:\d\d:\d\d {2}error {2}writing\n {4}Error: no\ufffd\[2J room\n {8}at /)
  text = ''
  log.info({ name: 'a\n10:00:00  error  forged\u009b2J' }, 'heard')
  assert.equal(text.split('\n').length, 2, text)
  // eslint-disable-next-line no-control-regex -- these are what it is about
  assert.doesNotMatch(text.trimEnd(), /[\x00-\x1f\x7f-\x9f]/)
})
