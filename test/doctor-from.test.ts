/** `anteroom doctor --from`: run on a machine beside the server's, with a firewall and a TURN server between them. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Finding } from '../src/cli/finding.ts'
import { Namespace, noNamespaces } from './support/namespace.ts'
import { RealServer } from './support/real-server.ts'
import { SECRET } from './support/test-server.ts'

const TURN_SECRET = 'a-turn-secret-for-tests-only'
const [SERVER, CLIENT] = ['192.0.2.1', '192.0.2.2']
const cli = join(import.meta.dirname, '../src/cli.ts')

const skip = ((): false | string => {
  try {
    execFileSync('which', ['turnserver'])
    return noNamespaces
  } catch {
    return 'coturn is not installed'
  }
})()

interface Answer {
  exitCode: number
  findings: Finding[]
}

/** Runs the command on a machine, until a check is free again there. */
async function doctor(machine: Namespace, address: string): Promise<Answer> {
  const [program, ...before] = machine.prefix
  const args = [...before, process.execPath, cli, 'doctor', '--from', address, '--json']
  const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' }
  return new Promise((resolve) =>
    execFile(program!, args, { env, timeout: 120_000 }, (error, out) =>
      resolve({ exitCode: Number(error?.code ?? 0), findings: JSON.parse(out) as Finding[] }),
    ),
  )
}

const of = ({ findings }: Answer, check: string): Finding[] => findings.filter((one) => one.check === check)

async function startTurn(
  t: TestContext,
  machine: Namespace,
  { port, secret = TURN_SECRET, peer = SERVER }: { port: number; secret?: string; peer?: string },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-turn-'))
  const config = join(folder, 'turnserver.conf')
  await writeFile(
    config,
    [
      `listening-port=${port}`,
      `listening-ip=${SERVER}`,
      `relay-ip=${SERVER}`,
      'realm=turn.example.org',
      'fingerprint',
      'use-auth-secret',
      `static-auth-secret=${secret}`,
      'denied-peer-ip=0.0.0.0-255.255.255.255',
      `allowed-peer-ip=${peer}`,
      'no-tls',
      'no-dtls',
      'no-cli',
      'log-file=stdout',
      `pidfile=${join(folder, 'pid')}`,
      `userdb=${join(folder, 'db')}`,
    ].join('\n'),
  )
  const [program, ...before] = machine.prefix
  const relay = spawn(program!, [...before, 'turnserver', '-c', config], {
    stdio: 'ignore',
  })
  t.after(async () => {
    const gone = once(relay, 'exit')
    relay.kill('SIGKILL')
    await gone
    await rm(folder, { recursive: true, force: true })
  })
  // It opens both at once.
  while (
    execFileSync(program!, [...before, 'ss', '-Hltn', `sport = :${port}`], { encoding: 'utf8' }) === ''
  ) {
    assert.equal(relay.exitCode, null, 'coturn ended')
    await delay(50)
  }
}

test(
  'doctor --from tells which ways lead to a server from here, and the cure for the others',
  { skip, timeout: 600_000 },
  async (t) => {
    const [here, there] = [new Namespace(), new Namespace()]
    t.after(() => {
      here.remove()
      there.remove()
    })
    here.connect(there, [`${SERVER}/24`], [`${CLIENT}/24`])
    const [right, wrong, elsewhere] = [3478, 3479, 3480]
    await startTurn(t, here, { port: right })
    await startTurn(t, here, { port: wrong, secret: 'another-secret' })
    await startTurn(t, here, { port: elsewhere, peer: '192.0.2.77' })
    const turnUrls = [
      `turn:${SERVER}:${right}`,
      `turn:${SERVER}:${right}?transport=tcp`,
      `turn:${SERVER}:${wrong}`,
      `turn:${SERVER}:${elsewhere}?transport=tcp`,
      `turns:${SERVER}:3481`,
    ]
    const server = await RealServer.start(
      {
        VIDEOSDK_SECRET_KEY: SECRET,
        HOST: '0.0.0.0',
        MEDIA_WORKERS: '1',
        TURN_URLS: turnUrls.join(','),
        TURN_SECRET,
      },
      here.prefix,
    )
    t.after(() => server.stop())
    const { HTTPS_PORT, MEDIA_PORT } = server.env
    const address = `${SERVER}:${HTTPS_PORT}`
    const place = `${SERVER}:${MEDIA_PORT}`

    const open = await doctor(there, address)
    assert.match(of(open, 'server')[0]!.says, /answers over a WebSocket/)
    assert.match(of(open, 'announced')[0]!.says, new RegExp(`at ${SERVER}$`))
    for (const protocol of ['udp', 'tcp']) {
      const [found] = of(open, `media ${protocol}`)
      assert.equal(found!.verdict, 'good', found!.says)
      assert.match(found!.says, new RegExp(`^${place} answers in \\d+ ms; the server saw ${CLIENT}:\\d+$`))
    }
    const turn = of(open, 'turn')
    const expected: [verdict: string, says: RegExp][] = [
      ['good', /3478 answers here, and relays to the media ports/],
      ['good', /3478\?transport=tcp answers here/],
      ['bad', /3479 refuses the credentials of the server: 401.*; set TURN_SECRET/],
      ['bad', /3480\?transport=tcp does not relay to the media ports: 403.*allowed-peer-ip/],
      ['bad', /does not reach turns:192\.0\.2\.1:3481: the connection is refused; start that TURN server/],
    ]
    for (const [at, [verdict, says]] of expected.entries()) {
      assert.equal(turn[at]!.verdict, verdict, turn[at]!.says)
      assert.match(turn[at]!.says, says)
    }
    assert.equal(open.exitCode, 1, 'what is wrong with TURN counts')

    // A firewall lets no UDP through from outside: TCP is left.
    here.drop('iif != lo meta l4proto udp')
    const overTcp = await doctor(there, address)
    assert.deepEqual(
      [...of(overTcp, 'media udp'), ...of(overTcp, 'media tcp')].map(({ verdict }) => verdict),
      ['note', 'good'],
    )
    assert.match(
      of(overTcp, 'media udp')[0]!.says,
      /nothing answers; people here meet another way; .* open this port for UDP/,
    )
    assert.match(of(overTcp, 'turn')[0]!.says, /works for the server and not from here: nothing answers/)
    assert.equal(of(overTcp, 'turn')[1]!.verdict, 'good')

    // Nor any TCP but the HTTPS port: nobody can meet.
    here.drop(`iif != lo tcp dport != ${HTTPS_PORT}`)
    const closed = await doctor(there, address)
    assert.deepEqual(
      [...of(closed, 'media udp'), ...of(closed, 'media tcp')].map(({ verdict }) => verdict),
      ['bad', 'bad'],
    )
    assert.match(of(closed, 'media tcp')[0]!.says, /nobody here can be seen or heard: open this port for TCP/)
    assert.equal(closed.exitCode, 1)

    const nobody = await doctor(there, `${SERVER}:1`)
    assert.deepEqual([nobody.exitCode, nobody.findings.length], [1, 1])
    assert.match(nobody.findings[0]!.says, /does not answer over a WebSocket/)
  },
)
