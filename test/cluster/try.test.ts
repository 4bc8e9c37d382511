/** `npm run cluster:try` as a newcomer uses it: it starts, a meeting survives the death of its home, Ctrl-C leaves nothing. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { withoutOwnPostgres } from '../support/postgres.ts'
import { WireClient } from '../support/wire-client.ts'

const PATIENCE_MS = 60_000

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

for (const [name, path] of [
  ['the balancer that is installed', process.env.PATH],
  // Where there is no HAProxy.
  ['its own balancer', '/bin'],
] as const)
  test(
    `starts nodes with ${name}, outlives one, and leaves nothing`,
    { skip: withoutOwnPostgres },
    async (t) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'try.ts')], {
        env: { ...process.env, PATH: path },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let said = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (said += String(chunk)))
      t.after(() => child.kill('SIGINT'))
      const says = async (pattern: RegExp): Promise<string> => {
        for (;;) {
          const found = pattern.exec(said)
          if (found) return found[1]!
          assert.equal(child.exitCode, null, said)
          await delay(50)
        }
      }
      const url = await says(/^ {2}meetings +(\S+)$/m)
      await says(/^(Start a meeting) at the first address/m)
      const pids = [...said.matchAll(/^ {2}node-\d .* kill -9 (\d+)$/gm)].map(([, pid]) => Number(pid))
      const folder = await says(/^ {2}logs +(\S+)$/m)
      assert.equal(pids.length, 3)
      assert.ok((await fetch(await says(/^ {2}dashboard +(\S+)$/m))).ok)

      // As the page does for somebody at this machine.
      const { token } = (await (await fetch(`${url}/get-token`)).json()) as { token: string }
      const created = await fetch(`${url}/create-meeting`, {
        method: 'POST',
        headers: { authorization: token },
      })
      const { meetingId } = (await created.json()) as { meetingId: string }
      const enter = (): WireClient => {
        const client = new WireClient({ url, token, meetingId, participantId: 'ann' })
        t.after(() => client.close())
        return client
      }
      const first = enter()
      await first.join()
      const home = Number(
        await says(new RegExp(`^Meeting ${meetingId} is at node-\\d\\. .*kill -9 (\\d+)$`, 'm')),
      )
      assert.ok(pids.includes(home))
      const killedAt = performance.now()
      process.kill(home, 'SIGKILL')
      await first.gone()
      for (;;) {
        const again = enter()
        const isIn = again.join().then(() => true)
        if (await Promise.race([isIn, again.gone().then(() => false)]).catch(() => false)) break
        assert.ok(performance.now() - killedAt < PATIENCE_MS, said)
        await delay(200)
      }
      await says(new RegExp(`^node-\\d \\(pid (${home})\\) ended by SIGKILL\\.$`, 'm'))
      const next = Number(await says(new RegExp(`^Meeting ${meetingId} moved to .*kill -9 (\\d+)$`, 'm')))
      assert.ok(pids.includes(next) && next !== home)

      const exited = once(child, 'exit')
      child.kill('SIGINT')
      assert.deepEqual(await exited, [0, null], said)
      assert.deepEqual(pids.filter(isAlive), [])
      assert.equal(existsSync(folder), false)
    },
  )
