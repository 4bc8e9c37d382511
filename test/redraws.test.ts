/** When something changes in a meeting of 25, the meeting screen redraws only that. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { build, type Rolldown } from 'vite'
import { launchBrowser } from './support/browser.ts'
import type { FakeMeeting } from './support/fake-meeting.ts'

const folder = join(import.meta.dirname, 'support/redraws')
const countedJsx = join(folder, 'counted-jsx.ts')

let browser: Browser
let page: Page
const errors: string[] = []

before(async () => {
  const [script, started] = await Promise.all([bundle(), launchBrowser()])
  browser = started
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.on('pageerror', ({ message }) => errors.push(message))
  const html = `<!doctype html><style>.space { height: 600px }</style><div id="root"></div>`
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await page.goto('http://localhost/m/aaaa-bbbb-cccc')
  await page.addScriptTag({ content: script, type: 'module' })
  await page.getByTestId('tile').nth(24).waitFor({ timeout: 30_000 })
})
after(async () => {
  await browser.close()
  assert.deepEqual(errors, [])
})

/** Bundles the page into one script that counts every element it creates. */
async function bundle(): Promise<string> {
  const { output } = (await build({
    configFile: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'count elements',
        enforce: 'pre',
        resolveId: (source, importer) =>
          source === 'react/jsx-runtime' && importer !== countedJsx ? countedJsx : undefined,
      },
    ],
    build: {
      write: false,
      minify: false,
      rolldownOptions: { input: join(folder, 'page.tsx'), output: { format: 'es' } },
    },
  })) as Rolldown.RolldownOutput
  return output[0].code
}

const drawnBy = (act: (meeting: FakeMeeting) => void): Promise<Record<string, number>> =>
  page.evaluate(`drawnBy(${act.toString()})`)

test('a change of one participant renders one tile, and nothing else of the screen', async () => {
  assert.deepEqual(await drawnBy((meeting) => meeting.change('p7', { micOn: true })), { 'tile p7': 1 })
  assert.deepEqual(await drawnBy((meeting) => meeting.change('p7', { micOn: true })), {}, 'nothing new')
  assert.deepEqual(await drawnBy((meeting) => meeting.pin(null)), {}, 'nobody is pinned, as before')
})

test('a new speaker renders two tiles', async () => {
  assert.deepEqual(await drawnBy((meeting) => meeting.speak('p3')), { 'tile p3': 1 })
  assert.deepEqual(await drawnBy((meeting) => meeting.speak('p9')), { 'tile p3': 1, 'tile p9': 1 })
})

test('a message, an entry request and our own device render no tile of others', async () => {
  const tiles = async (act: (meeting: FakeMeeting) => void): Promise<string[]> =>
    Object.keys(await drawnBy(act)).filter((name) => /^(tile|main|meeting)/.test(name))
  assert.deepEqual(await tiles((meeting) => meeting.hear('CHAT', 'p1', 'hello')), [])
  assert.equal(await page.getByTestId('bar-chat').getAttribute('aria-label'), 'Chat, 1 unread')
  assert.deepEqual(await tiles((meeting) => meeting.ask('eve')), [])
  assert.equal(await page.getByTestId('bar-people').innerText(), '1')
  assert.deepEqual(await tiles((meeting) => meeting.switchDevice('mic', 'on')), ['tile me'])
  assert.deepEqual(await tiles((meeting) => meeting.hear('RAISE_HAND', 'p5', 'Raise hand')), ['tile p5'])
})

test('a panel, and the key that opens it, render no tile', async () => {
  const names = Object.keys(
    await drawnBy(() => {
      window.dispatchEvent(new KeyboardEvent('keydown', { key: 'p' }))
    }),
  )
  assert.deepEqual(
    names.filter((name) => name.startsWith('tile')),
    [],
  )
  await page.getByRole('complementary', { name: 'Participants' }).waitFor()
  assert.deepEqual(await drawnBy((meeting) => meeting.change('p2', { cameraOn: true, micOn: true })), {
    'tile p2': 1,
  })
})

test('a new participant renders their tile, and the others only if their size changes', async () => {
  const drawn = await drawnBy((meeting) => {
    meeting.leave('p0')
    meeting.join('late')
  })
  assert.equal(drawn['tile late'], 1)
  assert.deepEqual(
    Object.keys(drawn).filter((name) => name.startsWith('tile ') && name !== 'tile late'),
    [],
  )
})
