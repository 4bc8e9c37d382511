import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeviceError, type DeviceStatus } from '../../client/client.ts'
import { createActions } from './actions.ts'

function given(statuses: Partial<Record<'mic' | 'camera' | 'share', DeviceStatus>>, failure?: Error) {
  const done: string[] = []
  const told: string[] = []
  const act = (name: string) => () => {
    done.push(name)
    return failure ? Promise.reject(failure) : Promise.resolve()
  }
  const devices = {
    status: (device: 'mic' | 'camera' | 'share') => statuses[device] ?? 'off',
    enableMic: act('enableMic'),
    disableMic: act('disableMic'),
    enableCamera: act('enableCamera'),
    disableCamera: act('disableCamera'),
    startShare: act('startShare'),
    stopShare: act('stopShare'),
  }
  const hands = new Set<string>()
  const chat = {
    state: { hands } as never,
    raiseHand: (up: boolean) => act(up ? 'raise' : 'lower')(),
    react: (text: string) => act(text)(),
  }
  const actions = createActions({ self: { id: 'me' }, devices }, chat, (problem) => told.push(problem))
  return { actions, done, told, hands }
}

test('a press reverses the wish, also while the change is under way', () => {
  for (const [status, mic, camera, share] of [
    ['off', 'enableMic', 'enableCamera', 'startShare'],
    ['turningOn', 'disableMic', 'disableCamera', undefined],
    ['on', 'disableMic', 'disableCamera', 'stopShare'],
    ['turningOff', 'enableMic', 'enableCamera', 'startShare'],
  ] as const) {
    const { actions, done } = given({ mic: status, camera: status, share: status })
    actions.mic()
    actions.camera()
    // The button does nothing while the browser's sharing dialog is open.
    actions.share()
    assert.deepEqual(done, [mic, camera, ...(share ? [share] : [])], status)
  }
})

test('a press raises the hand, and another lowers it', () => {
  const { actions, done, hands } = given({})
  actions.hand()
  hands.add('me')
  actions.hand()
  actions.react('🎉')
  assert.deepEqual(done, ['raise', 'lower', '🎉'])
})

test('reports what failed, except a screen that the person did not choose to share', async () => {
  const screenInUse = new DeviceError('screen', 'busy', undefined)
  for (const [error, expected] of [
    [
      new DeviceError('mic', 'denied', undefined),
      [
        'This page may not use the microphone. Allow the microphone for this page in the settings of the browser, and reload the page.',
      ],
    ],
    [screenInUse, [screenInUse.message]],
    [new DeviceError('screen', 'denied', undefined), []],
  ] as const) {
    const { actions, told } = given({}, error)
    actions.share()
    await new Promise((done) => setImmediate(done))
    assert.deepEqual(told, expected)
  }
})
