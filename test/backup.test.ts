/** A backup of a running server, and its restore. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { RealServer } from './support/real-server.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const run = promisify(execFile)
const cli = join(import.meta.dirname, '../src/cli.ts')
const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
let server: RealServer
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-backup-'))
  server = await RealServer.start()
})
after(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

const anteroom = (...args: string[]): Promise<{ code: number; text: string }> =>
  run(process.execPath, [cli, ...args], { env: server.env }).then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: unknown) => {
      const { code, stderr } = error as { code: number; stderr: string }
      return { code, text: stderr }
    },
  )

async function create(customRoomId: string): Promise<string> {
  const answer = await fetch(`${server.url}/v2/rooms`, {
    method: 'POST',
    headers: { authorization: token, 'content-type': 'application/json' },
    body: JSON.stringify({ customRoomId }),
  })
  return ((await answer.json()) as { roomId: string }).roomId
}

async function list(): Promise<unknown[]> {
  const answer = await fetch(`${server.url}/v2/rooms?perPage=100`, { headers: { authorization: token } })
  return ((await answer.json()) as { data: unknown[] }).data
}

test('a file that cannot be restored is refused in one sentence, and changes nothing', async () => {
  await create('before')
  const [copy, damaged] = [join(folder, 'running.backup'), join(folder, 'damaged.backup')]
  assert.equal((await anteroom('backup', copy)).code, 0)
  assert.equal((await stat(copy)).mode & 0o777, 0o600)
  assert.match((await anteroom('backup', copy)).text, /already exists/)
  assert.match((await anteroom('restore', copy)).text, /A server is using .*: stop it first/)
  await writeFile(damaged, 'SQLite format 3\0 and nothing more')
  await server.end()
  const there = await server.run().then(list)
  await server.end()
  for (const [file, sentence] of [
    [damaged, /damaged/],
    [join(folder, 'nothing.backup'), /There is no file/],
  ] as const) {
    const { code, text } = await anteroom('restore', file)
    assert.equal(code, 1)
    assert.match(text, sentence)
    assert.equal(text.trim().split('\n').length, 1)
  }
  const key = join(server.env.DATA_DIR!, 'master.key')
  await cp(key, join(folder, 'master.key'))
  await writeFile(key, `${'A'.repeat(43)}=\n`)
  assert.match((await anteroom('restore', copy)).text, /created with another master key/)
  await cp(join(folder, 'master.key'), key)
  await server.run()
  assert.deepEqual(await list(), there)
})

test('a backup taken while meetings are created contains everything acknowledged before, and restores it', async () => {
  const enough = new AbortController()
  const made: string[] = []
  const making = (async () => {
    for (let at = 0; !enough.signal.aborted; at++) made.push(await create(`while-${at}`))
  })()
  while (made.length < 20) await new Promise((next) => setImmediate(next))
  const acknowledged = [...made]
  const copy = join(folder, 'working.backup')
  assert.equal((await anteroom('backup', copy)).code, 0)
  enough.abort()
  await making
  const key = ((await (await fetch(`${server.url}/get-token`)).json()) as { token: string }).token
  await server.end()
  const { code, text } = await anteroom('restore', copy)
  assert.equal(code, 0, text)
  await server.run()
  const back = new Set((await list()).map((room) => (room as { roomId: string }).roomId))
  const all = new Set<string>()
  for (let page = 1; page < 50; page++) {
    const answer = await fetch(`${server.url}/v2/rooms?perPage=100&page=${page}`, {
      headers: { authorization: key },
    })
    const { data } = (await answer.json()) as { data: { roomId: string }[] }
    if (data.length === 0) break
    for (const { roomId } of data) all.add(roomId)
  }
  assert.ok(back.size > 0)
  for (const id of acknowledged) assert.ok(all.has(id), id)
})
