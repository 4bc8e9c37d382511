/**
 * `npm run dev` on a copy of the sources: a change is on screen, or restarts the server; one signal ends everything.
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { freePorts } from './support/ports.ts'

const root = join(import.meta.dirname, '..')
const PATIENCE_MS = 120_000

let copy: string
let dev: ChildProcess
let browser: Browser
let output = ''

before(async () => {
  copy = mkdtempSync(join(tmpdir(), 'anteroom-dev-'))
  for (const part of ['src', 'scripts', 'package.json', 'tsconfig.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const port = await freePorts(4)
  dev = spawn(process.execPath, ['scripts/dev.mjs'], {
    cwd: copy,
    env: {
      ...process.env,
      DATA_DIR: join(copy, 'data'),
      PORT: String(port),
      DEV_PORT: String(port + 1),
      HTTPS_PORT: String(port + 2),
      MEDIA_PORT: String(port + 3),
      MEDIA_WORKERS: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [dev.stdout!, dev.stderr!])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  browser = await launchBrowser()
})

after(async () => {
  await browser.close()
  if (dev.exitCode === null) {
    dev.kill('SIGTERM')
    await once(dev, 'exit')
  }
  rmSync(copy, { recursive: true, force: true })
})

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!holds()) {
    assert.ok(Date.now() < deadline && dev.exitCode === null, `${what}:\n${output}`)
    await delay(50)
  }
}

const starts = (): number => output.split('"msg":"ready"').length - 1

function rewrite(file: string, from: string, to: string): void {
  const path = join(copy, file)
  const text = readFileSync(path, 'utf8')
  assert.ok(text.includes(from), `${file} has no ${from}`)
  writeFileSync(path, text.replace(from, to))
}

test('a change is shown without a restart, a server file restarts the server, and one signal ends both', async () => {
  await until('the server is up', () => starts() === 1)
  const [, address] = /Open (http:\S+)/.exec(output)!
  const person = await Person.at(browser, 'Alice')
  const { page } = person
  // A whole meeting through the proxy: HTTP, the socket of the meeting, and that of the chat.
  const link = await person.start(address!)
  assert.ok(link.startsWith(address!))

  await page.evaluate('window.notReloaded = true')
  rewrite(
    'src/web/meeting/screen.tsx',
    'data-testid="meeting"',
    'data-testid="meeting" title="as it is written"',
  )
  await page.getByTitle('as it is written').waitFor({ timeout: PATIENCE_MS })
  assert.equal(await page.evaluate('window.notReloaded'), true)
  await person.inside()
  assert.equal(starts(), 1)

  rewrite('src/version.ts', 'export ', 'export const changed = true\nexport ')
  await until('the server has started again', () => starts() === 2)

  // A terminal sends Ctrl-C to the whole group; here only one process gets it, and that must be enough.
  dev.kill('SIGINT')
  const [code] = await once(dev, 'exit')
  assert.equal(code, 0, output)
  await assert.rejects(fetch(address!))
})
