/**
 * The main screens look as stored in test/pictures/: with fixed content, wide and on a phone, light and dark. After a
 * change that is wanted, `npm run pictures` stores them anew, and the picture of the README with them.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import pixelmatch from 'pixelmatch'
import { PNG } from 'pngjs'
import { launchBrowser } from './support/browser.ts'
import { bundle, openPictures, showScreen } from './support/pictures/pages.ts'

const STORED = join(import.meta.dirname, 'pictures')
const DIFFERENCES = join(import.meta.dirname, '..', 'test-failures', 'pictures')
const README_PICTURE = join(import.meta.dirname, '..', 'docs', 'meeting.png')
const renews = process.env.TEST_PICTURES === 'renew'

/** How different a pixel may be, because stored pictures have few colours, and how many of a picture may be more so. */
const PIXEL = 0.2
const SHARE = 0.004
const COLORS = 96

const sizes = { wide: { width: 1280, height: 720 }, phone: { width: 390, height: 844 } }
const themes = ['light', 'dark'] as const
const screens = [
  'start',
  'pre-join',
  'waiting',
  'meeting-1',
  'meeting-4',
  'meeting-9',
  'chat',
  'settings',
  'removed',
  'ended',
]

let browser: Browser
let page: Page
before(async () => {
  const [files, started] = await Promise.all([bundle(), launchBrowser(['--force-color-profile=srgb'])])
  browser = started
  page = await openPictures(browser, files, sizes.wide)
  mkdirSync(STORED, { recursive: true })
  rmSync(DIFFERENCES, { recursive: true, force: true })
})
after(() => browser.close())

/** Stores a picture with few colours, which makes it a third as large. */
function store(path: string, picture: Buffer, colors = COLORS): void {
  const filter = `split[a][b];[a]palettegen=max_colors=${colors}:reserve_transparent=0[p];[b][p]paletteuse=dither=none`
  const { status, stdout, stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-f', 'png_pipe', '-i', '-', '-vf', filter, '-f', 'image2pipe', '-c:v', 'png', '-'],
    { input: picture, maxBuffer: 2 ** 26 },
  )
  if (status !== 0) throw new Error(String(stderr))
  writeFileSync(path, stdout)
}

/** Returns what is wrong with a picture, or undefined. What differs is written into a folder. */
function differenceOf(name: string, picture: Buffer): string | undefined {
  const path = join(STORED, `${name}.png`)
  if (!existsSync(path)) return `${name} is not stored`
  const [wanted, seen] = [PNG.sync.read(readFileSync(path)), PNG.sync.read(picture)]
  const { width, height } = wanted
  if (seen.width !== width || seen.height !== height)
    return `${name}: ${seen.width} by ${seen.height} instead of ${width} by ${height}`
  const difference = new PNG({ width, height })
  const count = pixelmatch(wanted.data, seen.data, difference.data, width, height, { threshold: PIXEL })
  const share = count / (width * height)
  if (share <= SHARE) return undefined
  mkdirSync(DIFFERENCES, { recursive: true })
  writeFileSync(join(DIFFERENCES, `${name}.png`), picture)
  writeFileSync(join(DIFFERENCES, `${name}.difference.png`), PNG.sync.write(difference))
  return `${name}: ${(share * 100).toFixed(2)} % of the pixels (test-failures/pictures/${name}.difference.png)`
}

for (const screen of screens)
  test(`the screen "${screen}" looks as stored`, async () => {
    const wrong: string[] = []
    await page.setViewportSize(sizes.wide)
    await showScreen(page, screen)
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport)
      for (const colorScheme of themes) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' })
        const name = `${screen}-${size}-${colorScheme}`
        if (renews) store(join(STORED, `${name}.png`), picture)
        else wrong.push(...[differenceOf(name, picture)].filter((one) => one !== undefined))
        if (renews && name === 'meeting-4-wide-light') store(README_PICTURE, picture, 256)
      }
    }
    assert.deepEqual(wrong, [], 'after a change that is wanted: npm run pictures')
  })
