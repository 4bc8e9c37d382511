/** The page of the whiteboard in a browser: in a frame of another page, drawn on by two, saved as a picture. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Browser, FrameLocator, Page } from 'playwright-core'
import { launchBrowser } from './support/browser.ts'
import { TestServer } from './support/test-server.ts'

const RED = [211, 47, 47]
let browser: Browser
let server: TestServer
/** The page of an app, of another origin. */
const apps = createServer((request, response) => {
  const url = decodeURIComponent(request.url!.split('?')[1] ?? '')
  response.setHeader('content-type', 'text/html')
  response.end(
    `<body style="margin: 0"><iframe src="${url}" style="width: 900px; height: 600px; border: 0"></iframe>`,
  )
})
let app: string
before(async () => {
  apps.listen(0, '127.0.0.1')
  await once(apps, 'listening')
  app = `http://localhost:${(apps.address() as AddressInfo).port}/`
  server = await TestServer.start({ sessionGraceSeconds: 0 })
  browser = await launchBrowser()
})
after(async () => {
  await browser.close()
  apps.close()
  await server.stop()
})

/** The board in a frame, as an app shows it; the page around it has another origin. */
async function boardIn(page: Page, url: string): Promise<FrameLocator> {
  await page.goto(`${app}?${encodeURIComponent(url)}`)
  const frame = page.frameLocator('iframe')
  await frame.getByRole('button', { name: 'Pen (P)' }).waitFor()
  await frame.getByText('Connecting…').waitFor({ state: 'detached' })
  return frame
}

const drawn = (frame: FrameLocator, count: number) =>
  frame.getByLabel(count === 1 ? '1 thing is drawn' : `${count} things are drawn`).waitFor()

/** Colors of the board, of which there is one pixel at least. */
const colorsOf = (frame: FrameLocator): Promise<number[][]> =>
  frame.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    const found = new Set<string>()
    for (let at = 0; at < data.length; at += 4) found.add([data[at], data[at + 1], data[at + 2]].join())
    return [...found].map((color) => color.split(',').map(Number))
  })
const hasRed = async (frame: FrameLocator): Promise<boolean> =>
  (await colorsOf(frame)).some((color) => color.join() === RED.join())

test('two people draw on one board, come back to it, save it, and are told when it is closed', async () => {
  const meetingId = await server.createMeeting()
  const token = server.token(['allow_join', 'allow_mod'])
  const host = server.connect({ token, meetingId, participantId: 'host' })
  await host.join()
  await host.request('startWhiteboard', { version: 'v2' })
  const url = String((await host.hears('whiteboardStarted')).url)
  const context = await browser.newContext({ viewport: { width: 920, height: 620 }, acceptDownloads: true })
  const errors: string[] = []
  context.on('weberror', (error) => errors.push(error.error().message))
  const [one, other] = [await context.newPage(), await context.newPage()]
  const mine = await boardIn(one, url)
  const theirs = await boardIn(other, url)

  await one.bringToFront()
  await mine.getByRole('button', { name: 'Red', exact: true }).click()
  await mine.getByRole('button', { name: 'Rectangle (R)' }).click()
  await one.mouse.move(200, 200)
  await one.mouse.down()
  await one.mouse.move(400, 320, { steps: 5 })
  await one.mouse.up()
  await drawn(mine, 1)
  await one.keyboard.press('t')
  await one.mouse.click(450, 400)
  await one.keyboard.type('Hello')
  await one.keyboard.press('Escape')
  await drawn(mine, 2)
  // Nothing has the focus now, and the keys are heard all the same.
  await one.keyboard.press('l')
  await mine.getByRole('button', { name: 'Line (L)', pressed: true }).waitFor()
  assert.equal(await hasRed(mine), true)

  await other.bringToFront()
  await drawn(theirs, 2)
  assert.equal(await hasRed(theirs), true)
  await theirs.getByRole('button', { name: 'Eraser (E)' }).click()
  await other.mouse.click(200, 260)
  await drawn(theirs, 1)
  await theirs.getByRole('button', { name: 'Undo (Ctrl+Z)' }).click()
  await drawn(theirs, 2)

  await one.bringToFront()
  await drawn(mine, 2)
  const back = await boardIn(one, url)
  await drawn(back, 2)
  const saving = one.waitForEvent('download')
  await back.getByRole('button', { name: 'Save as PNG' }).click()
  const saved = await saving
  assert.equal(saved.suggestedFilename(), 'whiteboard.png')
  const png = await readFile(await saved.path())
  assert.equal(png.subarray(0, 8).toString('hex'), '89504e470d0a1a0a')
  // The rectangle and the text, with paper around them, at twice their size.
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  assert.ok(width > 600 && width < 1000 && height > 400 && height < 700, `${width}×${height}`)

  const picture = await one.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const bitmap = await createImageBitmap(new Blob([bytes]))
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!
    canvas.drawImage(bitmap, 0, 0)
    const { data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height)
    const pixels: number[][] = []
    for (let at = 0; at < data.length; at += 4)
      pixels.push([data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!])
    return { corner: pixels[0]!, red: pixels.filter((pixel) => pixel.join() === '211,47,47,255').length }
  }, png.toString('base64'))
  assert.deepEqual(picture.corner, [255, 255, 255, 255])
  // Four sides of 200 by 120, and of the text what is not smoothed.
  assert.ok(picture.red > 2000, `${picture.red} red pixels`)

  await host.request('stopWhiteboard', {})
  await back.getByText('This whiteboard is closed.').waitFor()
  assert.deepEqual(errors, [])
  await context.close()
})
