import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeviceError, type Devices } from '../client/client.ts'
import { flipTo, isMirrored, otherCamera, type Camera, type Facing } from './camera-flip.ts'

const camera = (deviceId: string, facing?: Facing, label = ''): Camera => ({ deviceId, label, facing })

const cases: [what: string, cameras: Camera[], current: string | undefined, other: string | undefined][] = [
  ['no camera', [], undefined, undefined],
  ['one camera', [camera('a', 'user')], 'a', undefined],
  ['a camera that is not listed', [camera('a', 'user'), camera('b', 'environment')], 'c', undefined],
  ['front to back', [camera('a', 'user'), camera('b', 'environment')], 'a', 'b'],
  ['back to front', [camera('a', 'user'), camera('b', 'environment')], 'b', 'a'],
  [
    'front to the main one of three at the back',
    [camera('a', 'user'), camera('b', 'environment'), camera('c', 'environment')],
    'a',
    'b',
  ],
  [
    'by the names of Chrome',
    [camera('a', undefined, 'camera 1, facing front'), camera('b', undefined, 'camera 0, facing back')],
    'a',
    'b',
  ],
  [
    'by the names of Safari',
    [camera('a', undefined, 'Front Camera'), camera('b', undefined, 'Back Dual Wide Camera')],
    'b',
    'a',
  ],
  ['two that say nothing', [camera('a'), camera('b')], 'b', 'a'],
  ['three that say nothing', [camera('a'), camera('b'), camera('c')], 'b', undefined],
  ['a webcam beside a front camera', [camera('a', 'user'), camera('b')], 'a', undefined],
  ['from a webcam', [camera('a', 'user'), camera('b')], 'b', undefined],
]
for (const [what, cameras, current, other] of cases)
  test(`the other camera: ${what}`, () => {
    assert.equal(otherCamera(cameras, current), other)
  })

test('what the back camera sees is not mirrored', () => {
  const track = (facingMode?: string) => ({ getSettings: () => ({ ...(facingMode && { facingMode }) }) })
  assert.deepEqual([track(), track('user'), track('environment')].map(isMirrored), [true, true, false])
})

/** Devices that open a camera only while none is open, as many phones do. */
function phone(broken: boolean) {
  const log: string[] = []
  let isOpen = true
  const devices = {
    switchCamera: (id: string): Promise<void> => {
      log.push(`switch to ${id}`)
      return isOpen || broken
        ? Promise.reject(new DeviceError('camera', 'busy', undefined))
        : Promise.resolve()
    },
    disableCamera: (): Promise<void> => {
      isOpen = false
      log.push('off')
      return Promise.resolve()
    },
    enableCamera: (): Promise<void> => {
      log.push('on')
      return Promise.resolve()
    },
    prefer: (_own: string, id: string) => log.push(`prefer ${id}`),
  } as unknown as Devices
  return { devices, log }
}

test('a phone that opens one camera at a time closes the first', async (context) => {
  const kept = new Map<string, string>()
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: kept.set.bind(kept) }
  Object.assign(globalThis, { localStorage: storage })
  context.after(() => Reflect.deleteProperty(globalThis, 'localStorage'))
  const { devices, log } = phone(false)
  await flipTo(devices, 'back')
  assert.deepEqual(log, ['switch to back', 'off', 'switch to back', 'prefer back'])
  assert.equal(kept.get('anteroom:devices'), '{"camera":"back"}')
})

test('where the other camera does not open at all, the first comes back', async () => {
  const { devices, log } = phone(true)
  await assert.rejects(flipTo(devices, 'back'), { problem: 'busy' })
  assert.deepEqual(log, ['switch to back', 'off', 'switch to back', 'on'])
})
