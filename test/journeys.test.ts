/** Whole journeys: real browsers with fake devices, the real program, the real media server. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { RealServer } from './support/real-server.ts'
import { signAnything } from './support/test-server.ts'

let browser: Browser
let server: RealServer
const people: Person[] = []

before(async () => {
  ;[browser, server] = await Promise.all([launchBrowser(), RealServer.start()])
})
after(async () => {
  await browser.close()
  await server.stop()
})
afterEach(async () => {
  for (const person of people) assert.deepEqual(person.errors, [], `errors in ${person.name}'s page`)
  await Promise.all(people.splice(0).map((person) => person.close()))
})

async function person(name: string, options?: Parameters<typeof Person.at>[2]): Promise<Person> {
  const one = await Person.at(browser, name, options)
  people.push(one)
  return one
}

/** Whether the picture that arrives from the other person is red. */
const seesRed = (one: Person, red: boolean): Promise<unknown> =>
  one.page.waitForFunction(
    (wanted) => {
      const video = document.querySelector<HTMLVideoElement>('.tile video:not(.mirrored)')
      if (!video || video.readyState < 2) return false
      const context = new OffscreenCanvas(1, 1).getContext('2d')!
      context.drawImage(video, 0, 0, 1, 1)
      const [r, g, b] = context.getImageData(0, 0, 1, 1).data as unknown as [number, number, number]
      return (r > 150 && g < 90 && b < 90) === wanted
    },
    red,
    { polling: 200 },
  )

/** Bob changes his camera in the settings, and unplugs it; Ann sees it. */
async function chooseDevices(ann: Person, bob: Person): Promise<void> {
  const { page } = bob
  await page.evaluate(() => {
    const { mediaDevices } = navigator
    const [open, list] = [
      mediaDevices.getUserMedia.bind(mediaDevices),
      mediaDevices.enumerateDevices.bind(mediaDevices),
    ]
    const red = { kind: 'videoinput', deviceId: 'red', groupId: '', label: 'Red camera' } as MediaDeviceInfo
    let isPlugged = true
    mediaDevices.enumerateDevices = async () => [...(await list()), ...(isPlugged ? [red] : [])]
    mediaDevices.getUserMedia = async (wish) => {
      if (!JSON.stringify(wish).includes('"exact":"red"')) return open(wish)
      const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 })
      const context = canvas.getContext('2d')!
      context.fillStyle = '#f00'
      setInterval(() => context.fillRect(0, 0, 320, 180), 100)
      return canvas.captureStream(10)
    }
    Object.assign(globalThis, {
      unplug: () => {
        isPlugged = false
        const { camera } = (globalThis as any).anteroom.meeting.devices
        camera.dispatchEvent(new Event('ended'))
      },
    })
  })
  await seesRed(ann, false)
  await page.locator('body').press(',')
  const settings = page.getByRole('dialog', { name: 'Settings' })
  await settings.getByLabel('Camera', { exact: true }).selectOption({ label: 'Red camera' })
  await seesRed(ann, true)
  assert.equal(await page.evaluate('JSON.parse(localStorage["anteroom:devices"]).camera'), 'red')
  await settings.getByRole('tab', { name: 'Devices' }).press('ArrowRight')
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'View')
  await settings.getByLabel('Dark').check()
  assert.equal(await page.evaluate('getComputedStyle(document.documentElement).colorScheme'), 'dark')
  await settings.getByRole('tab', { name: 'Connection' }).click()
  await settings
    .locator('.figures')
    .getByText(/[1-9]\d* kbit/)
    .first()
    .waitFor()
  await page.keyboard.press('Escape')
  await settings.waitFor({ state: 'detached' })
  await page.evaluate('unplug()')
  await page.getByText('was unplugged').waitFor()
  await seesRed(ann, false)
  // What is off stays off, whatever is chosen for it.
  await page.getByTestId('bar-camera').click()
  await bob.knows((meeting) => meeting.devices.status('camera') === 'off')
  await page.evaluate('localStorage.removeItem("anteroom:devices")')
  await page.getByTestId('bar-camera').click()
  await bob.knows((meeting) => meeting.devices.status('camera') === 'on')
}

test('start, invite, join: two people see and hear each other, and see mute', async () => {
  const ann = await person('Ann')
  const address = await ann.start(server.url)
  assert.match(address, /\/m\/[a-z0-9]{4}(-[a-z0-9]{4}){2}$/)
  const link = await ann.invite('direct')
  const bob = await person('Bob')
  await bob.page.goto(link)
  await bob.page.getByText('Ann is inside.').waitFor()
  await bob.page.getByLabel('Speaker', { exact: true }).selectOption({ label: 'Fake Audio Output 2' })
  await bob.page.getByRole('button', { name: 'Test the speaker' }).click()
  await bob.page.getByRole('button', { name: 'Playing a tone' }).waitFor()
  await bob.page.getByRole('button', { name: 'As others see it' }).click()
  await bob.page.getByLabel('Your camera, as others see you').waitFor()
  await bob.page.getByRole('button', { name: 'Test the speaker' }).waitFor()
  await bob.preJoin()
  await bob.inside()
  assert.ok(!bob.page.url().includes('#'), 'the code is out of the address bar')
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  // What was chosen before the join plays the others, and is chosen the next time.
  await bob.page.waitForFunction(async () => {
    const [audio, all] = [document.querySelector('audio'), await navigator.mediaDevices.enumerateDevices()]
    return all.find(({ deviceId }) => deviceId === audio?.sinkId)?.label === 'Fake Audio Output 2'
  })

  await chooseDevices(ann, bob)

  await bob.page.getByTestId('bar-mic').click()
  await ann.knows((meeting) =>
    [...meeting.participants.values()].every((one: any) => !one.micOn && one.cameraOn),
  )
  await bob.page.getByTestId('bar-mic').click()
  await ann.knows((meeting) => [...meeting.participants.values()].every((one: any) => one.micOn))

  await bob.page.getByTestId('leave').click()
  await bob.page.getByTestId('message').waitFor()
  await ann.knows((meeting) => meeting.participants.size === 0)
})

test('lobby: one is admitted, one is denied, one leaves', async () => {
  const ann = await person('Ann')
  await ann.start(server.url)
  const link = await ann.invite('ask')
  const eve = await person('Eve')
  await eve.open(link)
  await eve.page.getByTestId('waiting').waitFor()
  assert.equal(await eve.page.evaluate(() => (globalThis as any).anteroom.meeting.participants.size), 0)
  await ann.page.getByTestId('knock').getByText('Eve').waitFor()
  await ann.page.getByTestId('allow').click()
  await eve.inside()
  await Promise.all([ann.seesAndHears(1), eve.seesAndHears(1)])

  const dan = await person('Dan')
  await dan.open(link)
  await ann.page.getByTestId('knock').getByText('Dan').waitFor()
  await ann.page.getByTestId('deny').click()
  await dan.page.getByTestId('message').getByText('You were not let in').waitFor()

  const fay = await person('Fay')
  await fay.open(link)
  await ann.page.getByTestId('knock').getByText('Fay').waitFor()
  await fay.page.getByRole('button', { name: 'Cancel' }).click()
  await ann.page.getByTestId('knock').waitFor({ state: 'detached' })
})

test('the address in the address bar: another window asks to join there, as long as the host allows it', async () => {
  const ann = await person('Ann')
  const address = await ann.start(server.url)
  const bob = await person('Bob')
  await bob.page.goto(address)
  await bob.page.getByLabel('Your name').fill('Bob')
  await bob.page.getByTestId('message-to-host').fill('It is me, from <b>sales</b>')
  // What calls somebody in another tab: a chime, a notification, and the title. Headless browsers show no notifications.
  for (const { page } of [ann, bob])
    await page.evaluate(() => {
      const called: string[] = ((globalThis as any).called = [])
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })
      globalThis.AudioContext = class extends AudioContext {
        constructor() {
          super()
          called.push('a sound')
        }
      }
      const notify = (text: string): void => void called.push(text)
      ;(globalThis as any).Notification = Object.assign(
        function (text: string) {
          notify(text)
        },
        { permission: 'granted' },
      )
    })
  const calledTo = async ({ page }: Person): Promise<unknown> => [
    await page.evaluate('called'),
    await page.title(),
  ]
  await bob.page.getByRole('button', { name: 'Ask to join' }).click()
  await bob.page.getByRole('heading', { name: 'You asked to join' }).waitFor()
  await ann.page.getByTestId('knock').getByText('Bob').waitFor()
  await ann.page.getByTestId('knock').getByText('It is me, from <b>sales</b>').waitFor()
  assert.deepEqual(await calledTo(ann), [['a sound', 'Bob asks to join.'], 'Bob asks to join.'])
  await ann.page.getByRole('button', { name: 'Let in', exact: true }).click()
  await bob.inside()
  assert.deepEqual(await calledTo(bob), [['a sound', 'You were let in.'], 'You were let in.'])
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  // An admitted guest does not wait again after a reload.
  const self = await bob.page.evaluate<string>('anteroom.meeting.self.id')
  await bob.page.reload()
  await bob.preJoin()
  await bob.inside()
  assert.equal(await bob.page.evaluate('anteroom.meeting.self.id'), self)

  await ann.page.getByTestId('invite').click()
  const forbidden = ann.page.waitForResponse((answer) => answer.request().method() === 'PUT')
  await ann.page.getByTestId('invite-knock').uncheck()
  assert.equal((await forbidden).status(), 200)
  for (const url of [address, `${server.url}/m/abcd-efgh-ijkl`]) {
    const eve = await person('Eve')
    await eve.page.goto(url)
    await eve.page.getByTestId('message').getByText('This address alone does not let you in').waitFor()
    await eve.page.getByText('Ask somebody who is in the meeting for an invite link.').waitFor()
  }
})

test('moderation: off immediately, on only with consent, removed and not back, also after a restart', async () => {
  const ann = await person('Ann')
  await ann.start(server.url)
  const link = await ann.invite('direct')
  const bob = await person('Bob')
  await bob.open(link)
  await bob.inside()
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])

  await ann.act('Bob', 'Mute')
  await bob.knows((meeting) => meeting.devices.mic === undefined)
  await ann.knows((meeting) => [...meeting.participants.values()].every((one: any) => !one.micOn))
  await ann.act('Bob', 'Stop camera')
  await bob.knows((meeting) => meeting.devices.camera === undefined)

  await ann.act('Bob', 'Ask to unmute')
  await bob.page.getByTestId('consent').waitFor()
  assert.equal(
    await bob.page.evaluate(() => (globalThis as any).anteroom.meeting.devices.mic === undefined),
    true,
  )
  await bob.page.getByTestId('consent-accept').click()
  await ann.knows((meeting) => [...meeting.participants.values()].every((one: any) => one.micOn))

  // What the rules forbid ends at once, and is explained; a co-host is above them.
  await bob.page.keyboard.press('h')
  await ann.page.getByTestId('bar-people').click()
  await ann.page.locator('.panel').getByText('✋').waitFor()
  await ann.page.getByTestId('host-controls').click()
  await ann.page.getByTestId('lower-hands').click()
  await ann.page.getByTestId('rule-mic').uncheck()
  await bob.knows((meeting) => meeting.devices.mic === undefined && meeting.rules.mic === false)
  await ann.page.locator('.panel').getByText('✋').waitFor({ state: 'detached' })
  await ann.page.getByTestId('rule-locked').check()
  await bob.page.getByTestId('sign-locked').waitFor()
  await ann.page.keyboard.press('Escape')
  await bob.page.getByTestId('bar-mic').click()
  await bob.page.getByText('Only moderators may turn on their microphone now.').waitFor()
  await ann.act('Bob', 'Make co-host')
  await ann.page.locator('.panel').getByText('Co-host').waitFor()
  await bob.page.getByTestId('bar-mic').click()
  await ann.knows((meeting) => [...meeting.participants.values()].every((one: any) => one.micOn))
  await bob.act('Ann', 'Rename…')
  await bob.page.getByTestId('new-name').fill('Anna')
  await bob.page.getByTestId('save-name').click()
  await ann.knows((meeting) => meeting.self.name === 'Anna')
  const late = await person('Late')
  await late.open(link)
  await late.page.getByTestId('message').getByText('The meeting is locked').waitFor()
  await late.page.close()

  await ann.act('Bob', 'Remove…')
  // Whoever presses Enter at once has removed nobody.
  await ann.page.getByRole('button', { name: 'Keep' }).and(ann.page.locator(':focus')).waitFor()
  await ann.page.getByTestId('confirm-remove').click()
  await bob.page.getByTestId('message').getByText('You were removed').waitFor()
  const back = async (): Promise<void> => {
    await bob.page.reload()
    await bob.preJoin()
    await bob.page.getByTestId('message').getByText('You were removed').waitFor()
  }
  await back()

  assert.equal(await server.end('SIGTERM'), 0)
  await server.run()
  await ann.knows(
    (meeting) => meeting.state === 'joined' && meeting.rules.locked && meeting.self.name === 'Anna',
  )
  await back()
})

test('after a restart of the server both come back by themselves to the same session', async () => {
  const ann = await person('Ann')
  await ann.start(server.url)
  const bob = await person('Bob')
  await bob.open(await ann.invite('direct'))
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  const session = await ann.page.evaluate(() => (globalThis as any).anteroom.meeting.sessionId)
  await server.end('SIGKILL')
  await server.run()
  for (const one of [ann, bob])
    await one.knows((meeting) => meeting.state === 'joined' && meeting.participants.size === 1)
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  assert.equal(await ann.page.evaluate(() => (globalThis as any).anteroom.meeting.sessionId), session)
})

test('after the death of a media worker the media comes back without leaving the meeting', async () => {
  const ann = await person('Ann')
  await ann.start(server.url)
  const bob = await person('Bob')
  await bob.open(await ann.invite('direct'))
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  server.killWorkers()
  // Both workers died, so the streams that arrive now are new ones.
  await Promise.all(
    [ann, bob].map((one) =>
      one.page.waitForFunction(async () => {
        const { receive } = await (globalThis as any).anteroom.meeting.stats()
        return (
          !receive ||
          ![...receive.values()].some(
            (report: any) => report.type === 'inbound-rtp' && report.framesDecoded > 30,
          )
        )
      }),
    ),
  )
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  await ann.knows((meeting) => meeting.state === 'joined' && meeting.participants.size === 1)
})

test('a shared screen is shown in front, zooms, and a moderator stops it; then the layout decides', async () => {
  const ann = await person('Ann')
  await ann.start(server.url)
  const bob = await person('Bob')
  await bob.open(await ann.invite('direct'))
  await bob.inside()
  await bob.page.getByTestId('bar-share').click()
  const { page } = ann
  await page.getByTestId('shared').waitFor()
  const screen = page.getByRole('group', { name: 'Screen of Bob' })
  const width = async () => (await screen.locator('video').boundingBox())!.width
  const before = await width()
  await screen.press('+')
  await page.getByRole('group', { name: '125 %' }).waitFor()
  assert.ok((await width()) > before * 1.2)
  await page.getByRole('button', { name: 'Whole screen' }).click()
  await page.getByRole('group', { name: '100 %' }).waitFor()
  await ann.act('Bob', 'Stop sharing')
  await page.getByTestId('shared').waitFor({ state: 'detached' })

  const front = page.getByTestId('front').getByTestId('tile')
  assert.equal(await front.count(), 0)
  await page.getByTestId('bar-view').click()
  await page.getByLabel('Speaker').check()
  assert.equal(await front.getAttribute('aria-label'), 'Bob')
  await page.getByLabel('Floating').check()
  await page.keyboard.press('Escape')
  const own = page.getByTestId('floating-self')
  await own.press('ArrowLeft')
  const [stage, picture] = [await page.locator('main').boundingBox(), await own.boundingBox()]
  assert.ok(
    picture!.x + picture!.width < stage!.x + stage!.width / 2,
    'our own picture is in the left corner',
  )
  await ann.act('Bob', 'Pin for me')
  await page.getByTestId('bar-view').click()
  await page.getByLabel('Grid').check()
  assert.equal(await front.getAttribute('aria-label'), 'Bob', 'a pin is in front of every layout')

  await page.getByRole('button', { name: 'Picture in picture' }).click()
  await page.waitForFunction(
    () =>
      (globalThis as any).documentPictureInPicture.window?.document.querySelector('video')?.currentTime > 0,
  )
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true })
    document.dispatchEvent(new Event('visibilitychange'))
  })
  // Longer than the server takes to pause what nobody shows.
  await page.waitForFunction(() => {
    const opened = (globalThis as any).documentPictureInPicture.window
    const video = opened.document.querySelector('video')
    const frames: number = video.getVideoPlaybackQuality().totalVideoFrames
    opened.framesBefore ??= frames
    return frames - opened.framesBefore > 40
  })
  const [filled, room] = await page.evaluate(() => {
    const opened = (globalThis as any).documentPictureInPicture.window
    return [opened.document.querySelector('article').clientWidth, opened.innerWidth]
  })
  assert.ok(filled > room * 0.9, `the picture is ${filled} px wide in a window of ${room}`)
})

test('by keyboard: a list of the keys, and Space is held to talk while muted', async () => {
  const ann = await person('Ann')
  await ann.start(server.url)
  const bob = await person('Bob')
  await bob.open(await ann.invite('direct'))
  await bob.inside()
  const { page } = ann
  const annIsHeard = (on: boolean): Promise<void> =>
    on
      ? bob.knows((meeting) => [...meeting.participants.values()][0].micOn)
      : bob.knows((meeting) => ![...meeting.participants.values()][0].micOn)
  await page.locator('body').press('m')
  await annIsHeard(false)
  await page.locator('body').press('?')
  const list = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await list.waitFor()
  await page.keyboard.press('Escape')
  await list.waitFor({ state: 'detached' })
  for (const name of ['React', 'View', 'Actions for Bob']) {
    const button = page.getByRole('button', { name, exact: true })
    await button.press('Enter')
    assert.equal(await button.getAttribute('aria-expanded'), 'true')
    assert.ok(
      await page.evaluate('document.activeElement.closest(".menu") !== null'),
      `${name}: the focus is in the box`,
    )
    await page.keyboard.press('Escape')
    assert.equal(await button.getAttribute('aria-expanded'), 'false')
    assert.ok(
      await button.evaluate((element: any) => element === element.ownerDocument.activeElement),
      `${name}: it is back`,
    )
  }
  await page.evaluate('document.activeElement.blur()')
  await page.keyboard.down('Space')
  await annIsHeard(true)
  await page.keyboard.press('?')
  await list.waitFor()
  // A key that is held repeats; neither that nor its release presses the button of the dialog.
  await page.keyboard.down('Space')
  await page.keyboard.up('Space')
  await annIsHeard(false)
  assert.ok(await list.isVisible())
})

test('ending for all removes everybody and says so', async () => {
  const ann = await person('Ann')
  await ann.start(server.url)
  const bob = await person('Bob')
  await bob.open(await ann.invite('direct'))
  await bob.inside()
  await ann.page.getByTestId('leave').click()
  await ann.page.getByTestId('end-for-all').click()
  for (const one of [ann, bob])
    await one.page.getByTestId('message').getByText('The meeting has ended').waitFor()
})

test('a person without camera and microphone still joins, and is told', async () => {
  const bare = await launchBrowser(['--deny-permission-prompts']).then((one) => one)
  try {
    const ann = await person('Ann')
    await ann.start(server.url)
    const link = await ann.invite('direct')
    const context = await bare.newContext({ permissions: [] })
    const page = await context.newPage()
    await page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
    })
    await page.goto(link)
    await page.getByText('You can join without.').first().waitFor()
    await page.getByTestId('name').fill('Bare')
    await page.getByTestId('join').click()
    await page.getByTestId('meeting').waitFor()
    await ann.knows((meeting) =>
      [...meeting.participants.values()].some(
        (one: any) => one.name === 'Bare' && !one.micOn && !one.cameraOn,
      ),
    )
  } finally {
    await bare.close()
  }
})

test('refusals are worded plainly: expired, another meeting, unknown meeting', async () => {
  const now = Math.floor(Date.now() / 1000)
  const cases: [link: string, text: string][] = [
    [
      `/m/abcd-efgh-ijkl#token=${signAnything({ apikey: 'test-key', permissions: ['allow_join'], exp: now - 3600 })}`,
      'This link has expired',
    ],
    [
      `/m/abcd-efgh-ijkl#token=${signAnything({ apikey: 'test-key', permissions: ['allow_join'] })}`,
      'There is no such meeting',
    ],
    ['/m/abcd-efgh-ijkl#invite=0000000000000000000000aa', 'This invite does not work any more'],
  ]
  for (const [link, text] of cases) {
    const ann = await person('Ann')
    await ann.page.goto(server.url + link)
    if (link.includes('token=')) await ann.preJoin()
    await ann.page.getByTestId('message').getByText(text).waitFor()
    assert.ok(!ann.page.url().includes('#'))
  }
})
