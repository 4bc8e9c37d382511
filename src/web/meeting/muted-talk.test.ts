import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeMeeting } from '../../../test/support/fake-meeting.ts'
import { hearMutedTalk } from './muted-talk.ts'
import { ViewSettings } from './view-settings.ts'

function setUp() {
  const meeting = new FakeMeeting()
  const settings = new ViewSettings()
  const log: string[] = []
  let speak = (): void => undefined
  const stop = hearMutedTalk(
    meeting.asMeeting,
    settings,
    () => log.push('hint'),
    (deviceId, onSpeech) => {
      log.push(`listens to ${deviceId}`)
      speak = onSpeech
      return { stop: () => log.push('stops') }
    },
  )
  const mic = { getSettings: () => ({ deviceId: 'headset' }) } as MediaStreamTrack
  const turn = (status: 'on' | 'off' | 'turningOn' | 'turningOff'): void => {
    meeting.devices.mic = status === 'on' ? mic : undefined
    meeting.statuses.mic = status
    meeting.tell('devicesChanged')
  }
  return { settings, log, stop, turn, speak: () => speak() }
}

test('a microphone that was never on is not listened to', () => {
  const { log, turn, stop } = setUp()
  turn('turningOn')
  turn('off')
  stop()
  assert.deepEqual(log, [])
})

test('the microphone that was on is listened to while it is off, and let go when it is on or the meeting ends', () => {
  const { log, turn, speak, stop } = setUp()
  turn('on')
  turn('turningOff')
  assert.deepEqual(log, [], 'the others may still hear it')
  turn('off')
  turn('off')
  speak()
  turn('turningOn')
  turn('on')
  turn('off')
  stop()
  assert.deepEqual(log, ['listens to headset', 'hint', 'stops', 'listens to headset', 'stops'])
})

test('it is let go at once when the hint is switched off in the settings', () => {
  const { log, turn, settings } = setUp()
  turn('on')
  turn('off')
  settings.change({ mutedHint: false })
  assert.deepEqual(log, ['listens to headset', 'stops'])
  settings.change({ mutedHint: true })
  assert.deepEqual(log, ['listens to headset', 'stops', 'listens to headset'])
})
