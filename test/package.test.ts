/** The package as npm would publish it: it passes package checks, and runs a server where it is installed. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { complaintsAbout, pack } from '../scripts/package.mjs'
import { freePorts } from './support/ports.ts'

const root = join(import.meta.dirname, '..')
const PATIENCE_MS = 300_000
/** npm's errors if it cannot reach the registry. */
const UNREACHABLE = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/

let folder: string
let tarball: string
let emptyFolder: string
/** A PATH in which the Node of this test comes first. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` }

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'anteroom-package-'))
  // A copy, because packing rebuilds files that page tests use at the same time.
  const copy = join(folder, 'sources')
  for (const part of ['src', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true })
  for (const part of ['README.md', 'LICENSE', 'CHANGELOG.md']) cpSync(join(root, part), join(copy, part))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  // Output of an earlier build must not be packed.
  mkdirSync(join(copy, 'dist'))
  cpSync(join(root, 'LICENSE'), join(copy, 'dist/left-over.js'))
  tarball = pack(copy, folder)
  emptyFolder = join(folder, 'an empty folder')
  mkdirSync(emptyFolder)
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('publint and attw find nothing, and the package leaves out what only this repository needs', async () => {
  assert.deepEqual(await complaintsAbout(tarball), [])
  const files = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).stdout.trim().split('\n')
  for (const wanted of ['dist/cli.js', 'dist/web/index.html', 'scripts/media-worker.mjs', 'CHANGELOG.md'])
    assert.ok(files.includes(`package/${wanted}`), wanted)
  assert.deepEqual(
    files.filter((file) => /\.test\.|\/fake\/|left-over|scripts\/(?!media-worker|pinned-node)/.test(file)),
    [],
  )
})

test('installed into an empty folder, `npx anteroom` is the server, and gives a token to a caller at this machine', async (t) => {
  const installed = spawnSync(
    'npm',
    // Without the install scripts, as docs/operating.md says: the one of mediasoup downloads or builds its worker.
    [
      'install',
      tarball,
      '--prefer-offline',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ],
    { cwd: emptyFolder, env, encoding: 'utf8', timeout: PATIENCE_MS },
  )
  if (installed.status !== 0 && UNREACHABLE.test(installed.stderr)) {
    t.skip('npm cannot reach the registry for what the package depends on')
    return
  }
  assert.equal(installed.status, 0, installed.stderr)

  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const printed = spawnSync('npx', ['--no-install', 'anteroom', '--version'], {
    cwd: emptyFolder,
    env,
    encoding: 'utf8',
  })
  assert.equal(printed.stdout.trim(), version, printed.stderr)

  const port = await freePorts(3)
  const server = spawn('npx', ['--no-install', 'anteroom', 'serve'], {
    cwd: emptyFolder,
    env: {
      ...env,
      PORT: String(port),
      HTTPS_PORT: String(port + 1),
      MEDIA_PORT: String(port + 2),
      MEDIA_WORKERS: '1',
      PREPARE_MEDIA: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // npx, its shell and the server end together.
    detached: true,
  })
  let output = ''
  const ready = new Promise<void>((resolve) => {
    for (const stream of [server.stdout, server.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes('"msg":"ready"')) resolve()
      })
  })
  const ended = once(server, 'close')
  try {
    await Promise.race([
      ready,
      ended.then(() => assert.fail(`it ended: ${output}`)),
      once(AbortSignal.timeout(PATIENCE_MS), 'abort').then(() => assert.fail(`it is not ready: ${output}`)),
    ])
    const { token } = (await (await fetch(`http://localhost:${port}/get-token`)).json()) as { token: string }
    const made = await fetch(`http://localhost:${port}/v2/rooms`, {
      method: 'POST',
      headers: { authorization: token },
    })
    assert.equal(made.status, 200, await made.text())
    const page = await fetch(`http://localhost:${port}/`, { headers: { accept: 'text/html' } })
    assert.match(await page.text(), /<!doctype html>/)
  } finally {
    process.kill(-server.pid!, 'SIGTERM')
    await ended
  }
  assert.match(output, /"msg":"stopped"/)
})
