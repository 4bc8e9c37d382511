/**
 * Runs the published sample apps against a server, with two windows each, after only the edits of `move-check --write`:
 * `npm run try:apps -- <folder>`, with clones of the public repositories in the folder. It downloads nothing; an SDK
 * that a page requests from the vendor's host is served from the package of the same version.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { RealServer } from '../support/real-server.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'

interface App {
  name: string
  /** The path below the given folder. */
  folder: string
  /** The file that the app's README says to fill in. */
  config: { file: string; text: (token: string) => string }
  /** Creates a meeting and joins it. */
  create: (page: Page) => Promise<void>
  /** Joins the meeting with this id. */
  join: (page: Page, meetingId: string) => Promise<void>
}

const apps: App[] = [
  {
    name: 'javascript-sdk-example',
    folder: 'videosdk-rtc-javascript-sdk-example',
    config: { file: 'config.js', text: (token) => `AUTH_URL = ""; TOKEN = "${token}";` },
    create: (page) => page.getByRole('button', { name: 'Create a Meeting' }).click(),
    join: async (page, meetingId) => {
      await page.evaluate('showInputFields()')
      await page.locator('#joinMeetingId').first().fill(meetingId)
      await page.locator('#name').first().fill('Guest')
      await page.locator('.inner-join-button').first().click()
    },
  },
  {
    name: 'quickstart: js-ils',
    folder: 'quickstart/interactive-live-streaming/js-ils',
    config: { file: 'config.js', text: (token) => `TOKEN = "${token}";` },
    create: (page) => page.locator('#createLiveStreamBtn').click(),
    join: async (page, meetingId) => {
      await page.locator('#streamIdText').fill(meetingId)
      await page.locator('#joinHostBtn').click()
    },
  },
  {
    name: 'quickstart: AngularJS',
    folder: 'quickstart/angular-rtc/videosdk_angular_js_quickstart',
    config: {
      file: 'config.js',
      text: (token) => `angular.module("config", []).constant("ENV", { token: "${token}" });`,
    },
    create: (page) => page.locator('#meetingStartButton').click(),
    join: async (page, meetingId) => {
      await page.getByPlaceholder('Enter meeting id').fill(meetingId)
      await page.locator('#meetingJoinButton').click()
    },
  },
]

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const SDK = /^https:\/\/sdk\.videosdk\.live\/js-sdk\/([\d.]+)\/videosdk\.js/
const PATIENCE_MS = 60_000
const cli = join(import.meta.dirname, '../../src/cli.ts')

async function tryApp(app: App, from: string, server: RealServer, browser: Browser): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'anteroom-app-'))
  const host = new URL(server.secureUrl).host
  let served: Server | undefined
  try {
    await cp(from, copy, { recursive: true })
    const checked = await promisify(execFile)(
      process.execPath,
      [cli, 'move-check', copy, '--server', host, '--write', '--json'],
      { env: { ...process.env, NODE_OPTIONS: '' } },
    )
    const { written, sdks } = JSON.parse(checked.stdout) as {
      written: number
      sdks: { sdk: string; version: string }[]
    }
    const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
    await writeFile(join(copy, app.config.file), app.config.text(token))
    served = serve(copy)
    served.listen(0, '127.0.0.1')
    await once(served, 'listening')
    const url = `http://localhost:${(served.address() as { port: number }).port}/`
    const strangers = new Set<string>()
    const open = async (): Promise<Page> => {
      const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        permissions: ['camera', 'microphone'],
        viewport: { width: 1280, height: 900 },
      })
      await context.route(
        (asked) => asked.hostname !== 'localhost',
        async (route) => {
          const [, version] = SDK.exec(route.request().url()) ?? []
          if (version === undefined) {
            if (/videosdk\.live|zujonow\.com/.test(route.request().url()))
              strangers.add(new URL(route.request().url()).host)
            await route.abort()
          } else
            await route.fulfill({
              contentType: 'text/javascript',
              body: await readFile(
                createRequire(import.meta.url).resolve(`js-sdk-${version}/videosdk.js`),
                'utf8',
              ),
            })
        },
      )
      const page = await context.newPage()
      page.on('websocket', (socket) => {
        const { host: opened, hostname } = new URL(socket.url())
        if (hostname !== 'localhost') strangers.add(opened)
      })
      await page.goto(url)
      return page
    }
    const first = await open()
    const made = first.waitForResponse(
      (answer) => answer.url().endsWith('/v2/rooms') && answer.request().method() === 'POST',
    )
    await app.create(first)
    const { roomId } = (await (await made).json()) as { roomId: string }
    const second = await open()
    await app.join(second, roomId)
    for (const page of [first, second])
      await page.waitForFunction(
        `[...document.querySelectorAll('video')].filter((v) => v.videoWidth > 0 && v.currentTime > 0.5 && v.srcObject?.active).length >= 2`,
        undefined,
        { timeout: PATIENCE_MS },
      )
    await Promise.all([first, second].map((page) => page.context().close()))
    if (strangers.size > 0) throw new Error(`it called ${[...strangers].join(', ')}`)
    return `${sdks[0]?.version ?? '?'} | ${written} edits | both windows see two moving pictures`
  } finally {
    served?.close()
    served?.closeAllConnections()
    await rm(copy, { recursive: true, force: true })
  }
}

function serve(folder: string): Server {
  return createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path)
    readFile(file).then(
      (body) => {
        response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream')
        response.end(body)
      },
      () => {
        response.statusCode = 404
        response.end()
      },
    )
  })
}

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: npm run try:apps -- <folder with clones of the published apps>')
  process.exit(2)
}
const server = await RealServer.start()
const browser = await launchBrowser()
let failed = 0
console.log('app | js-sdk | changed | seen')
for (const app of apps) {
  const from = join(folder, app.folder)
  if (!existsSync(from)) {
    console.log(`${app.name} | not there: ${app.folder}`)
    continue
  }
  try {
    console.log(`${app.name} | ${await tryApp(app, from, server, browser)}`)
  } catch (error) {
    failed++
    console.log(`${app.name} | failed: ${error instanceof Error ? error.message : String(error)}`)
  }
}
await browser.close()
await server.stop()
process.exitCode = failed > 0 ? 1 : 0
