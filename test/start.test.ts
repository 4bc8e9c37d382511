/** What people see when they start the server: a person at a terminal, and a program that reads the log. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { freePorts } from './support/ports.ts'

const cli = join(import.meta.dirname, '../src/cli.ts')
const folder = mkdtempSync(join(tmpdir(), 'anteroom-start-'))
after(() => rm(folder, { recursive: true, force: true }))

const dataDir = join(folder, 'data')

/** Starts the server, waits for one answer, stops it, and returns its output. */
async function start(
  args: string[],
  { atTerminal, env = {} }: { atTerminal: boolean; env?: Record<string, string> },
): Promise<string> {
  const port = await freePorts(3)
  const command = [process.execPath, cli, ...args]
  const quoted = command.map((word) => `'${word}'`).join(' ')
  // `script` of util-linux runs it in its own terminal.
  const [file, ...rest] = atTerminal ? ['script', '-qec', `exec ${quoted}`, '/dev/null'] : command
  const child = spawn(file!, rest, {
    cwd: folder,
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      PORT: String(port),
      HTTPS_PORT: String(port + 1),
      MEDIA_PORT: String(port + 2),
      MEDIA_WORKERS: '1',
      LOG_LEVEL: 'debug',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  let heard = (): void => undefined
  const hear = (chunk: Buffer): void => {
    output += String(chunk)
    heard()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const closed = once(child, 'close')
  const until = (pattern: RegExp): Promise<unknown> =>
    Promise.race([
      new Promise<void>((resolve) => {
        heard = () => {
          if (pattern.test(output)) resolve()
        }
        heard()
      }),
      closed.then(() => assert.fail(`it ended: ${output}`)),
    ])
  try {
    await until(/"msg":"ready"|"ready":true|^ {2}media /m)
    await fetch(`http://127.0.0.1:${port}/ping`)
    await until(/answered/)
  } finally {
    // Ctrl-C, if there is a terminal.
    if (atTerminal) child.stdin.write('\x03')
    else child.kill('SIGTERM')
    await closed
  }
  // The terminal echoes the keys.
  return output.replaceAll('\r', '').replaceAll('^C', '')
}

/** The secrets that must not be in a log. */
async function secretsOf(): Promise<string[]> {
  const read = async (name: string): Promise<string> => (await readFile(join(dataDir, name), 'utf8')).trim()
  const secret = /SECRET_KEY=(.+)/.exec(await read('api-key.env'))![1]!
  return [secret, await read('admin.key'), await read('master.key')]
}

function assertJson(output: string): Record<string, unknown>[] {
  const lines = output.trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('at a terminal every line is written for people', async () => {
  const output = await start(['serve'], { atTerminal: true })
  assert.match(output, /^Anteroom is ready\n\n {2}meeting page {2}http:\/\/localhost:\d+\/\n/)
  assert.match(output, /^ {2}dashboard .*#sign-in=[\w-]+$/m)
  assert.match(output, new RegExp(`^ {2}data +in ${dataDir}$`, 'm'))
  assert.match(output, /Off now, and how to switch it on:\n {2}- other machines: set HOST/)
  assert.match(output, /^\d\d:\d\d:\d\d {2}debug {2}answered {2}.*status=200/m)
  assert.match(output, /\nstopped\n$/)
  assert.doesNotMatch(output, /^\{/m)
  for (const secret of await secretsOf()) assert.ok(!output.includes(secret))
})

test('elsewhere each line is JSON, and none contains credentials', async () => {
  const output = await start(['serve'], { atTerminal: false })
  const lines = assertJson(output)
  const ready = lines.find(({ msg }) => msg === 'ready')!
  assert.deepEqual([ready.level, typeof ready.time, ready.dataFolder], [30, 'number', dataDir])
  assert.ok(
    Array.isArray(ready.off) && ready.off.some((line) => String(line).startsWith('other machines: set HOST')),
  )
  // The log contains no link, so the next line tells the operator how to get one.
  const hint = lines[lines.indexOf(ready) + 1]!
  assert.equal(hint.msg, 'the dashboard has no password yet')
  assert.match(String(hint.cure), /^run "npm run anteroom -- admin reset": it prints a link/)
  const stopped = lines.at(-1)!
  assert.equal(stopped.msg, 'stopped')
  assert.ok(Number(stopped.time) > Number(ready.time), 'it stopped after it was ready')
  assert.ok(!output.includes('sign-in='))
  for (const secret of await secretsOf()) assert.ok(!output.includes(secret))
})

test('LOG_FORMAT and --json decide if they are set', async () => {
  assertJson(await start(['serve'], { atTerminal: true, env: { LOG_FORMAT: 'json' } }))
  assertJson(await start(['serve', '--json'], { atTerminal: true }))
  assert.match(
    await start(['serve'], { atTerminal: false, env: { LOG_FORMAT: 'pretty' } }),
    /^Anteroom is ready\n[\s\S]*^\d\d:\d\d:\d\d {2}debug {2}answered/m,
  )
})
