/** Backgrounds and noise suppression: what the others receive, and what happens on a device that is too slow. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { complaints } from './support/accessibility.ts'
import { launchBrowser, Person } from './support/browser.ts'
import { slowDown } from './support/slow-processor.ts'
import { noSpeech, speak } from './support/speech.ts'
import { RealServer } from './support/real-server.ts'

/** A portrait by NASA, in the public domain. */
const PERSON = join(import.meta.dirname, 'fixtures', 'person.jpg')

function ffmpeg(...args: string[]): void {
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args])
  if (status !== 0) throw new Error(String(stderr))
}

let folder: string
let server: RealServer
let browser: Browser

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-effects-'))
  server = await RealServer.start()
  // A person between two chequered walls, and speech in a noisy room: two seconds of noise alone, then words.
  const [camera, speech, mic] = ['camera.mjpeg', 'speech.wav', 'mic.wav'].map((name) => join(folder, name))
  const wall = "geq=lum='255*mod(floor(X/16)+floor(Y/16),2)':cb=128:cr=128"
  ffmpeg(
    ...['-f', 'lavfi', '-i', `color=s=640x360:r=10:d=1,format=yuv420p,${wall}`, '-i', PERSON],
    ...['-filter_complex', 'overlay=140:0', '-q:v', '3', camera!],
  )
  await speak('elephant banana umbrella telephone september computer', speech!, { silenceMs: 2000 })
  ffmpeg(
    ...['-i', speech!, '-f', 'lavfi', '-i', 'anoisesrc=r=48000:c=brown:a=0.5:seed=1'],
    ...['-filter_complex', 'amix=duration=first:normalize=0', '-ac', '1', mic!],
  )
  browser = await launchBrowser([
    `--use-file-for-fake-video-capture=${camera!}`,
    `--use-file-for-fake-audio-capture=${mic!}`,
  ])
})
after(async () => {
  await browser.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Sharpness {
  wall: number
  person: number
}

/** How much neighbouring pixels of the first other participant's picture differ, on average. */
async function sharpnessSeen({ page }: Person): Promise<Sharpness | undefined> {
  return page.evaluate(() => {
    const meeting = (globalThis as any).anteroom.meeting
    const [other] = [...meeting.participants.values()]
    const stream = [...(other?.streams.values() ?? [])].find(({ kind }: any) => kind === 'video')
    const video = [...document.querySelectorAll('video')].find(
      ({ srcObject }) => (srcObject as MediaStream | null)?.getVideoTracks()[0] === stream?.track,
    )
    if (!video || video.videoWidth === 0) return undefined
    const canvas = new OffscreenCanvas(320, 180)
    const context = canvas.getContext('2d')!
    context.drawImage(video, 0, 0, 320, 180)
    const of = (left: number, top: number, width: number, height: number): number => {
      const { data } = context.getImageData(left, top, width, height)
      let sum = 0
      for (let at = 4; at < data.length; at += 4) sum += Math.abs(data[at]! - data[at - 4]!)
      return sum / (data.length / 4)
    }
    // The wall is left of the person, whose face is in the middle.
    return { wall: of(4, 20, 50, 140), person: of(135, 30, 50, 50) }
  })
}

const PATIENCE_MS = 60_000

/** Waits until the picture that this person receives is as it should be. */
async function sees(person: Person, what: string, isSo: (seen: Sharpness) => boolean): Promise<Sharpness> {
  const giveUpAt = Date.now() + PATIENCE_MS
  for (let last: Sharpness | undefined; ;) {
    last = await sharpnessSeen(person)
    if (last && isSo(last)) return last
    if (Date.now() > giveUpAt) assert.fail(`${person.name} never saw ${what}: ${JSON.stringify(last)}`)
    await person.page.waitForTimeout(200)
  }
}

const background = ({ page }: Person, name: string): Promise<void> =>
  page.getByTestId(`background-${name}`).check({ force: true })

/** Opens the settings in the meeting, and waits for the effects in them. */
async function openSettings({ page }: Person): Promise<void> {
  if (await page.getByTestId('background-none').isVisible()) return
  await page.keyboard.press(',')
  await page.getByTestId('background-none').waitFor()
}

/** Two people in a meeting, the first one with everything as it is by default. */
async function meet(): Promise<[Person, Person]> {
  const ann = await Person.at(browser, 'Ann', { pictures: 'as asked for' })
  const bob = await Person.at(browser, 'Bob')
  await ann.start(server.url)
  await bob.open(await ann.invite('direct'))
  await bob.inside()
  return [ann, bob]
}

const isBlurred =
  (plain: Sharpness) =>
  ({ wall }: Sharpness): boolean =>
    wall < plain.wall / 4

/**
 * Chooses a background, waits until the other sees it, does what is asked `then`, and returns the next picture; from the start
 * again if the machine is so busy that the effect was given up, and the camera with it.
 */
async function choose(
  name: string,
  ann: Person,
  bob: Person,
  plain: Sharpness,
  then = (): Promise<unknown> => Promise.resolve(),
): Promise<Sharpness> {
  for (let tries = 1; tries <= 3; tries++) {
    await openSettings(ann)
    await ann.page.evaluate('void anteroom.meeting.devices.enableCamera()')
    await background(ann, name)
    if (!(await seesOrMisses(ann, bob, isBlurred(plain)))) continue
    await then()
    const first = await seesOrMisses(ann, bob, () => true)
    if (first) return first
  }
  assert.fail('the effect was given up three times')
}

const cameraIsOff = ({ page }: Person): Promise<boolean> =>
  page.evaluate('anteroom.meeting.devices.status("camera") === "off"')

/** Undefined if the camera is off instead. */
async function seesOrMisses(
  ann: Person,
  bob: Person,
  isSo: (seen: Sharpness) => boolean,
): Promise<Sharpness | undefined> {
  const giveUpAt = Date.now() + PATIENCE_MS
  for (;;) {
    const seen = await sharpnessSeen(bob)
    if (seen && isSo(seen)) return seen
    if (await cameraIsOff(ann)) return undefined
    if (Date.now() > giveUpAt) assert.fail(`${bob.name} never saw it: ${JSON.stringify(seen)}`)
    await bob.page.waitForTimeout(200)
  }
}

test('others see a person before a blurred wall, also after the camera was off, and end-to-end encrypted', async (t) => {
  const ann = await Person.at(browser, 'Ann', { pictures: 'as asked for' })
  const bob = await Person.at(browser, 'Bob')
  await ann.page.goto(server.url)
  await ann.page.getByTestId('start-encrypted').check()
  await ann.page.getByTestId('start').click()
  await ann.preJoin()
  await ann.inside()
  await bob.open(await ann.invite('direct'))
  await bob.inside()
  const plain = await sees(bob, 'a sharp wall', ({ wall }) => wall > 15)
  const blurred = await choose('blur', ann, bob, plain)
  t.diagnostic(`plain ${JSON.stringify(plain)}, blurred ${JSON.stringify(blurred)}`)
  assert.ok(blurred.person > plain.person / 2, 'the person stays sharp')
  assert.deepEqual(await complaints(ann.page), [])

  await ann.page.evaluate('anteroom.meeting.devices.disableCamera()')
  await bob.knows((meeting) =>
    [...meeting.participants.values()].every(
      ({ streams }: any) => ![...streams.values()].some(({ kind }: any) => kind === 'video'),
    ),
  )
  await ann.page.evaluate('void anteroom.meeting.devices.enableCamera()')
  const again = await sees(bob, 'any picture', () => true)
  assert.ok(isBlurred(plain)(again), `the first picture is blurred: ${JSON.stringify(again)}`)

  await background(ann, 'none')
  await sees(bob, 'a sharp wall again', ({ wall }) => wall > plain.wall / 2)
  await Promise.all([ann.close(), bob.close()])
})

test('a background is remembered, and nobody sees the room meanwhile', async () => {
  const ann = await Person.at(browser, 'Ann', { pictures: 'as asked for' })
  const bob = await Person.at(browser, 'Bob')
  await ann.start(server.url)
  await bob.open(await ann.invite('direct'))
  await bob.inside()
  const plain = await sees(bob, 'a sharp wall', ({ wall }) => wall > 15)
  const first = await choose('wall', ann, bob, plain, async () => {
    await ann.page.reload()
    await ann.preJoin()
    await ann.inside()
    const giveUpAt = Date.now() + PATIENCE_MS
    while ((await cameraIsOff(ann)) && Date.now() < giveUpAt) await ann.page.waitForTimeout(50)
  })
  assert.ok(isBlurred(plain)(first))
  await Promise.all([ann.close(), bob.close()])
})

/** The loudness of what this person hears of the first other one: of the quietest and of the loudest tenth, in dB. */
async function heard({ page }: Person): Promise<{ quiet: number; loud: number }> {
  return page.evaluate(async () => {
    const meeting = (globalThis as any).anteroom.meeting
    const [other] = [...meeting.participants.values()]
    const { track } = [...other.streams.values()].find(({ kind }: any) => kind === 'audio')
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    const levels: number[] = []
    for (let looks = 0; looks < 300; looks++) {
      await new Promise((done) => setTimeout(done, 50))
      analyser.getFloatTimeDomainData(samples)
      levels.push(10 * Math.log10(samples.reduce((sum, one) => sum + one * one, 1e-9) / samples.length))
    }
    await context.close()
    levels.sort((one, another) => one - another)
    return { quiet: levels[30]!, loud: levels[270]! }
  })
}

test('others hear the words and less of the noise', { skip: noSpeech }, async (t) => {
  const [ann, bob] = await meet()
  await bob.seesAndHears(1)
  const noisy = await heard(bob)
  await openSettings(ann)
  await ann.page.getByTestId('reduce-noise').check()
  await ann.page.waitForTimeout(2000)
  const clean = await heard(bob)
  t.diagnostic(`noisy ${JSON.stringify(noisy)}, clean ${JSON.stringify(clean)}`)
  assert.ok(clean.quiet < noisy.quiet - 10, 'less noise')
  // What is lost of the loudest tenth is mostly the noise in it.
  assert.ok(clean.loud > noisy.loud - 12 && clean.loud > clean.quiet + 30, 'the words stay')
  await Promise.all([ann.close(), bob.close()])
})

test('a device that is too slow gives the effects up, says so, and shows no room', async () => {
  const ann = await Person.at(browser, 'Ann', { pictures: 'as asked for' })
  await ann.start(server.url)
  await openSettings(ann)
  await background(ann, 'blur')
  await ann.page.getByTestId('reduce-noise').check()
  const sentences = new Set<string>()
  const faster = await slowDown(browser, 15)
  try {
    for (const giveUpAt = Date.now() + 240_000; sentences.size < 2 && Date.now() < giveUpAt;) {
      const shown = await ann.page.getByTestId('effect-problem').allInnerTexts()
      for (const sentence of shown) sentences.add(sentence)
      await ann.page.waitForTimeout(200)
    }
  } finally {
    faster()
  }
  assert.deepEqual([...sentences].map((sentence) => sentence.split(',')[0]).sort(), [
    'Noise is no longer reduced',
    'Your camera was switched off',
  ])
  await ann.knows(({ devices }) => devices.status('camera') === 'off' && devices.status('mic') === 'on')
  assert.ok(await ann.page.getByTestId('background-none').isChecked())
  assert.equal(await ann.page.getByTestId('reduce-noise').isChecked(), false)
  await ann.close()
})
