/** Everybody receives what a person's own buttons show, however quickly they are pressed: slow devices, a slow line. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { agree, type Side } from './support/agreement.ts'
import type { Person } from './support/browser.ts'
import { openTracks } from './support/slow-devices.ts'
import { AGREE_MS, ThreeClients } from './support/three-clients.ts'

const DEVICE_MS = 600
const LINE_MS = 100
/** Only Linux gives a machine all addresses of 127.0.0.0/8. */
const skip = process.platform !== 'linux'

let three: ThreeClients | undefined
let bob: Person
let sides: readonly Side[]

before(async () => {
  if (skip) return
  three = await ThreeClients.start(DEVICE_MS)
  ;({ bob, sides } = three)
  three.line.quality.delayMs = LINE_MS
})
after(() => three?.close())

const press = (button: string): Promise<void> => bob.page.getByTestId(`bar-${button}`).click()
const wait = (ms: number): Promise<void> => bob.page.waitForTimeout(ms)

/** Brings the buttons into a known state, one click at a time. */
async function set(on: boolean, ...buttons: ('mic' | 'camera' | 'share')[]): Promise<void> {
  await agree(sides, AGREE_MS)
  const says = (await sides[1]!.says())!
  for (const button of buttons) if (says[button] !== on) await press(button)
  await agree(sides, AGREE_MS)
}

test('a double click on the muted microphone, then one click: the button is right', { skip }, async () => {
  await set(false, 'mic')
  await bob.page.getByTestId('bar-mic').dblclick()
  await wait(2500)
  await press('mic')
  await agree(sides, AGREE_MS)
  await set(false, 'mic')
  await bob.page.keyboard.press('m')
  await bob.page.keyboard.press('m')
  await wait(2500)
  await bob.page.keyboard.press('m')
  await agree(sides, AGREE_MS)
})

test('a double click on Share, then Stop: no second screen', { skip }, async () => {
  await set(false, 'share')
  await bob.page.getByTestId('bar-share').dblclick()
  await wait(2500)
  if ((await sides[1]!.says())?.share) await press('share')
  await agree(sides, AGREE_MS)
  assert.equal((await sides[1]!.says())!.share, false)
  const wanted = (await sides[1]!.says())!
  assert.deepEqual(
    await openTracks(bob.page),
    [...(wanted.mic ? ['audio'] : []), ...(wanted.camera ? ['video'] : [])],
    'nothing is left open',
  )
})

test('off, two quick clicks, later on again: one live stream of each device', { skip }, async () => {
  const buttons = ['camera', 'mic', 'share'] as const
  for (const apart of [0, 20, 80, 160, 240]) {
    await set(false, ...buttons)
    // Devices open at once, so that only the line is slow.
    await bob.page.evaluate(`{
      globalThis.deviceDelayMs = 0
      for (const name of ${JSON.stringify(buttons)}) {
        const button = document.querySelector('[data-testid="bar-' + name + '"]')
        button.click()
        setTimeout(() => button.click(), ${apart})
      }
    }`)
    await wait(1500)
    await set(true, ...buttons)
  }
})
