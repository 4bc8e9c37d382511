/** What makes the page one's own: hints, cameras and captions as a person likes them. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { RealServer } from './support/real-server.ts'
import { noSpeech, speak } from './support/speech.ts'

let folder: string
let browser: Browser
let talking: Browser | undefined
let server: RealServer
const people: Person[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-own-page-'))
  ;[browser, server] = await Promise.all([launchBrowser(), RealServer.start()])
  if (noSpeech !== false) return
  const voice = join(folder, 'voice.wav')
  const words = 'monday wednesday thursday saturday january september november seven elephant banana'
  await speak(words, voice, { silenceMs: 0, afterMs: 0 })
  talking = await launchBrowser([`--use-file-for-fake-audio-capture=${voice}`])
})
after(async () => {
  await Promise.all([browser.close(), talking?.close(), server.stop()])
  await rm(folder, { recursive: true, force: true })
})
afterEach(async () => {
  for (const person of people) assert.deepEqual(person.errors, [], `errors in ${person.name}'s page`)
  await Promise.all(people.splice(0).map((person) => person.close()))
})

async function person(at: Browser, name: string): Promise<Person> {
  const one = await Person.at(at, name)
  people.push(one)
  return one
}

test('whoever talks while muted is told so, and nobody hears it', { skip: noSpeech }, async () => {
  const ann = await person(talking!, 'Ann')
  await ann.page.addInitScript(() => {
    const opened: MediaStreamTrack[] = ((globalThis as any).opened = [])
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
    navigator.mediaDevices.getUserMedia = async (wish) => {
      const stream = await open(wish)
      opened.push(...stream.getAudioTracks())
      return stream
    }
  })
  await ann.start(server.url)
  const bob = await person(browser, 'Bob')
  await bob.open(await ann.invite('direct'))
  await bob.seesAndHears(1)
  const { page } = ann
  const microphones = (count: number): Promise<unknown> =>
    page.waitForFunction(
      (wanted) =>
        (globalThis as any).opened.filter(({ readyState }: any) => readyState === 'live').length === wanted,
      count,
    )
  await page.getByTestId('bar-mic').click()
  await page.getByText('You are talking, but your microphone is off.').waitFor()
  await bob.knows((meeting) => {
    const [one] = [...meeting.participants.values()]
    return !one.micOn && [...one.streams.values()].every(({ kind }: any) => kind !== 'audio')
  })
  assert.equal(await page.evaluate('anteroom.meeting.devices.mic'), undefined)

  await page.locator('body').press(',')
  await page.getByTestId('muted-hint').uncheck()
  await microphones(0)
  await page.getByTestId('muted-hint').check()
  await microphones(1)
  await page.keyboard.press('Escape')
  await page.getByTestId('bar-mic').click()
  await ann.knows((meeting) => meeting.devices.status('mic') === 'on')
  await microphones(1)
})

test('on a phone, a button changes between the front and the back camera, and only the front is mirrored', async () => {
  const context = await browser.newContext({
    permissions: ['camera', 'microphone'],
    viewport: { width: 390, height: 800 },
    hasTouch: true,
    isMobile: true,
  })
  const page = await context.newPage()
  try {
    await page.addInitScript(() => {
      const { mediaDevices } = navigator
      const open = mediaDevices.getUserMedia.bind(mediaDevices)
      let current: MediaStreamTrack | undefined
      const ofPhone = (deviceId: string, facing: string) => ({
        kind: 'videoinput',
        deviceId,
        groupId: '',
        label: '',
        getCapabilities: () => ({ facingMode: [facing] }),
      })
      mediaDevices.enumerateDevices = async () =>
        [ofPhone('front', 'user'), ofPhone('back', 'environment')] as unknown as MediaDeviceInfo[]
      mediaDevices.getUserMedia = async (wish) => {
        if (!wish?.video) return open(wish)
        // It opens one camera at a time.
        if (current?.readyState === 'live') throw new DOMException('', 'NotReadableError')
        const back = JSON.stringify(wish).includes('"exact":"back"')
        const stream = await open({ video: { width: 320, height: 180 } })
        const track = stream.getVideoTracks()[0]!
        current = track
        const settings = track.getSettings()
        track.getSettings = () => ({
          ...settings,
          deviceId: back ? 'back' : 'front',
          facingMode: back ? 'environment' : 'user',
        })
        return stream
      }
    })
    await page.goto(server.url)
    await page.getByTestId('start').tap()
    const picture = page.locator('video')
    const isMirrored = async (): Promise<boolean> =>
      (await picture.getAttribute('class'))!.includes('mirrored')
    const flip = page.getByRole('button', { name: 'Switch between front and back camera' })
    await flip.waitFor()
    assert.equal(await isMirrored(), true)
    await flip.tap()
    await page.locator('video:not(.mirrored)').waitFor()
    await page.getByTestId('name').fill('Ann')
    await page.getByTestId('join').tap()
    await page.getByTestId('meeting').waitFor()
    await page.locator('video:not(.mirrored)').waitFor()
    await flip.tap()
    await page.locator('video.mirrored').waitFor()
    assert.equal(await page.evaluate('anteroom.meeting.devices.camera.getSettings().deviceId'), 'front')
    assert.equal(await page.evaluate('localStorage["anteroom:devices"]'), '{"camera":"front"}')
  } finally {
    await context.close()
  }
})

test('captions are as large as chosen, and start in the language that is spoken', async () => {
  const ann = await person(browser, 'Ann')
  await ann.start(server.url)
  const { page } = ann
  await page.locator('body').press(',')
  await page.getByRole('tab', { name: 'View' }).click()
  const sizes: number[] = []
  for (const size of ['Small', 'Normal', 'Large', 'Very large']) {
    await page.getByLabel(size, { exact: true }).check()
    sizes.push(
      await page.getByTestId('captions').evaluate((box) => parseFloat(getComputedStyle(box).fontSize)),
    )
  }
  assert.deepEqual(
    sizes,
    sizes.toSorted((one, other) => one - other),
  )
  assert.ok(sizes[3]! > 1.5 * sizes[1]!, sizes.join())
  await page.getByLabel('Language of the captions').selectOption({ label: 'Japanese' })
  await page.keyboard.press('Escape')
  const sent = page.evaluate(`new Promise((heard) => {
    anteroom.meeting.outputs.start = async (...what) => heard(what)
  })`)
  await page.getByTestId('output-transcription').click()
  assert.deepEqual(await sent, ['transcription', { config: { language: 'ja' } }])
})
