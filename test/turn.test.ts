/** The sample `docs/turnserver.conf`, unchanged except for addresses and ports; skipped if coturn is not installed. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { freePorts } from './support/ports.ts'
import { TestServer } from './support/test-server.ts'

const SECRET = 'a-turn-secret-for-tests-only'
const isInstalled = ((): boolean => {
  try {
    execFileSync('which', ['turnserver', 'turnutils_uclient', 'turnutils_peer'])
    return true
  } catch {
    return false
  }
})()

/** Returns the output of coturn's own client after it sent a few packets. */
function sendThrough(
  port: number,
  { username, credential }: { username: string; credential: string },
  peer: [address: string, port: number],
): Promise<string> {
  const args = ['-p', port, '-u', username, '-w', credential, '-e', peer[0], '-r', peer[1], '-n', 3, '-m', 1]
  return new Promise((resolve) => {
    execFile('turnutils_uclient', [...args.map(String), '127.0.0.1'], { timeout: 90_000 }, (_error, out) =>
      resolve(out),
    )
  })
}

test(
  'coturn: the credentials of init-config open it, towards the media ports and nowhere else',
  { skip: !isInstalled && 'coturn is not installed', timeout: 300_000 },
  async (t: TestContext) => {
    const folder = await mkdtemp(join(tmpdir(), 'anteroom-turn-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const port = await freePorts(4)
    const text = (await readFile(join(import.meta.dirname, '../docs/turnserver.conf'), 'utf8'))
      .replace(/^listening-port=.*$/m, `listening-port=${port}\nlistening-ip=127.0.0.1\nrelay-ip=127.0.0.1`)
      .replace(/^tls-listening-port=.*$/m, 'no-tls\nno-dtls')
      .replace(/^(cert|pkey)=.*$/gm, '')
      .replace(/^static-auth-secret=.*$/m, `static-auth-secret=${SECRET}`)
      .replace(/^allowed-peer-ip=.*$/m, 'allowed-peer-ip=127.0.0.1\nallow-loopback-peers')
    const config = join(folder, 'turnserver.conf')
    const own = `log-file=stdout\npidfile=${join(folder, 'pid')}\nuserdb=${join(folder, 'db')}\n`
    await writeFile(config, text + own)
    const server = await TestServer.start({ turnUrls: [`turn:127.0.0.1:${port}`], turnSecret: SECRET })
    t.after(() => server.stop())
    const relay = spawn('turnserver', ['-c', config], { stdio: 'ignore' })
    const peer = spawn('turnutils_peer', ['-L', '127.0.0.1', '-p', String(port + 2)], { stdio: 'ignore' })
    t.after(async () => {
      for (const child of [relay, peer]) {
        if (child.exitCode !== null) continue
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }
    })
    for (;;) {
      assert.equal(relay.exitCode, null, 'coturn ended')
      const socket = connect({ port, host: '127.0.0.1' })
      const open = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.destroy()
      if (open) break
    }

    const meetingId = await server.createMeeting()
    const { body } = await server.rest('POST', '/infra/v1/meetings/init-config', { roomId: meetingId })
    const [handed] = body.data.iceServersPlain
    assert.deepEqual(handed.urls, [`turn:127.0.0.1:${port}`])
    const wrong = { ...handed, credential: 'wrong' }
    assert.match(await sendThrough(port, wrong, ['127.0.0.1', port + 2]), /Cannot complete Allocation/)
    assert.match(await sendThrough(port, handed, ['127.0.0.5', port + 2]), /403 \(Forbidden IP\)/)
    assert.match(await sendThrough(port, handed, ['127.0.0.1', port + 2]), /Total lost packets 0 /)
  },
)
