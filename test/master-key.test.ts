/** Replacing the master key of a store with secrets. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { RealServer } from './support/real-server.ts'

const run = promisify(execFile)
const cli = join(import.meta.dirname, '../src/cli.ts')
let server: RealServer
before(async () => {
  server = await RealServer.start()
})
after(() => server.stop())

const file = (name: string): string => join(server.env.DATA_DIR!, name)
const rotate = (env: NodeJS.ProcessEnv = {}): Promise<{ code: number; text: string }> =>
  run(process.execPath, [cli, 'master-key', 'rotate'], { env: { ...server.env, ...env } }).then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: unknown) => {
      const { code, stderr } = error as { code: number; stderr: string }
      return { code, text: stderr }
    },
  )
const publicKey = async (): Promise<string> =>
  (await (await fetch(`${server.url}/v2/public/rsa-public-key`)).json()).publicKey

test('rotation is refused while a server is running, and with a wrong key', async () => {
  const { code, text } = await rotate()
  assert.equal(code, 1)
  assert.match(text, /A server is using .*: stop it first/)
  await server.end()
  const other = await rotate({ MASTER_KEY: 'ab'.repeat(32) })
  assert.match(other.text, /created with another master key/)
  assert.ok(!(await readdir(server.env.DATA_DIR!)).includes('master.key.next'))
  await server.run()
})

test('every secret is sealed under the new key only, and an interrupted rotation continues', async () => {
  const signer = await publicKey()
  await server.end()
  const old = await readFile(file('master.key'), 'utf8')
  const { code, text } = await rotate()
  assert.deepEqual([code, /\d+ secrets were sealed again/.test(text)], [0, true], text)
  const made = await readFile(file('master.key'), 'utf8')
  assert.notEqual(made, old)
  assert.equal((await stat(file('master.key'))).mode & 0o777, 0o600)
  const [kept] = (await readdir(server.env.DATA_DIR!)).filter((name) => name.startsWith('master.key.before-'))
  assert.equal(await readFile(file(kept!), 'utf8'), old)
  assert.equal((await stat(file(kept!))).mode & 0o777, 0o600)
  await server.run()
  assert.equal(await publicKey(), signer)
  await server.createMeeting()
  await server.end()

  // As if it had been killed between the database and the file.
  await rename(file('master.key'), file('master.key.next'))
  await copyFile(file(kept!), file('master.key'))
  await assert.rejects(server.run())
  assert.equal((await rotate()).code, 0)
  assert.equal(await readFile(file('master.key'), 'utf8'), made)
  await server.run()
  assert.equal(await publicKey(), signer)
})

test('a key given in MASTER_KEY is replaced by a new one in a file', async () => {
  await server.end()
  const given = (await readFile(file('master.key'), 'utf8')).trim()
  await rename(file('master.key'), file('away'))
  const { code, text } = await rotate({ MASTER_KEY: given })
  assert.deepEqual([code, text.includes('into MASTER_KEY')], [0, true], text)
  const next = (await readFile(file('master.key.next'), 'utf8')).trim()
  assert.ok(!text.includes(next))
  assert.equal((await rotate({ MASTER_KEY: next })).code, 0)
  const further = (await readFile(file('master.key.next'), 'utf8')).trim()
  assert.notEqual(further, next)
  await writeFile(file('master.key'), `${further}\n`, { mode: 0o600 })
  await server.run()
  await server.createMeeting()
})
