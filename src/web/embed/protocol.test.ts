import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandOf } from './protocol.ts'

const base = { type: 'anteroom:command', version: 1 }

test('what is no command of this version is none', () => {
  for (const wrong of [
    null,
    7,
    'leave',
    {},
    { ...base },
    { ...base, command: 'endForAll' },
    { ...base, command: 'toString', on: true },
    { ...base, command: 'mic' },
    { ...base, command: 'mic', on: 'yes' },
    { ...base, version: 2, command: 'leave' },
    { ...base, version: '1', command: 'leave' },
    { ...base, type: 'anteroom:token', command: 'leave' },
  ])
    assert.equal(commandOf(wrong), undefined, JSON.stringify(wrong))
})

test('a command is read, without what else came with it', () => {
  assert.deepEqual(commandOf({ ...base, command: 'leave', extra: 1 }), { command: 'leave' })
  assert.deepEqual(commandOf({ ...base, command: 'mic', on: false }), { command: 'mic', on: false })
})
