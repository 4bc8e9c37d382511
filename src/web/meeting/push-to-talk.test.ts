import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PushToTalk } from './push-to-talk.ts'

function open(isOn = false) {
  const done: string[] = []
  const talk = new PushToTalk({
    isOn: () => isOn,
    turnOn: () => done.push('on'),
    turnOff: () => done.push('off'),
  })
  return { talk, done }
}

test('the microphone is on while the key is held, once for all repeats', () => {
  const { talk, done } = open()
  talk.press()
  talk.press()
  talk.press()
  assert.deepEqual(done, ['on'])
  talk.release()
  talk.release()
  assert.deepEqual(done, ['on', 'off'])
  talk.press()
  assert.deepEqual(done, ['on', 'off', 'on'])
})

test('a microphone that is on stays on', () => {
  const { talk, done } = open(true)
  talk.press()
  talk.release()
  assert.deepEqual(done, [])
})

test('a microphone that was switched off while the key is held stays off', () => {
  let isOn = false
  const done: string[] = []
  const talk = new PushToTalk({
    isOn: () => isOn,
    turnOn: () => done.push('on'),
    turnOff: () => done.push('off'),
  })
  talk.press()
  isOn = true
  assert.equal(talk.isHeld, true)
  isOn = false
  talk.press()
  assert.deepEqual(done, ['on'])
  talk.release()
  assert.equal(talk.isHeld, false)
  assert.deepEqual(done, ['on', 'off'])
})
