/** Media through a TURN server, for people and programs whose network lets nothing through to the media ports. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { findChromium } from '../scripts/chromium.mjs'
import { launchBrowser, Person } from './support/browser.ts'
import { Namespace, noNamespaces } from './support/namespace.ts'
import { RealServer } from './support/real-server.ts'
import { API_KEY, SECRET, signAnything } from './support/test-server.ts'

const [HERE, THERE] = ['192.0.2.1', '192.0.2.2']
const TURN_SECRET = 'a-turn-secret-for-tests-only'
const TOKEN = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
const [skip, timeout] = [noNamespaces, 300_000]
const source = (path: string): string => join(import.meta.dirname, '..', path)

let folder: string
let certificate: string
let server: RealServer
/** The server's machine, with its TURN server; and that of its guests. */
let here: Namespace
let there: Namespace
let turnServer: ReturnType<typeof spawn>

before(async () => {
  if (noNamespaces) return
  folder = await mkdtemp(join(tmpdir(), 'anteroom-turn-networks-'))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  certificate = cert
  const make = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
  ]
  const subject = ['-subj', `/CN=${HERE}`, '-addext', `subjectAltName=IP:${HERE}`]
  execFileSync('openssl', [...make, '2', ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  here = new Namespace()
  there = new Namespace()
  here.connect(there, [`${HERE}/24`], [`${THERE}/24`])
  const [program, ...prefix] = here.prefix
  const settings = [
    ...[`--listening-ip=${HERE}`, `--relay-ip=${HERE}`, '--listening-port=3478', '--tls-listening-port=443'],
    ...[
      '--use-auth-secret',
      `--static-auth-secret=${TURN_SECRET}`,
      '--realm=turn',
      '--fingerprint',
      '--no-cli',
      // As in docs/turnserver.conf: of each participant.
      '--user-quota=12',
    ],
    ...[`--cert=${cert}`, `--pkey=${key}`, '--log-file=stdout', `--pidfile=${join(folder, 'pid')}`],
    `--userdb=${join(folder, 'db')}`,
  ]
  turnServer = spawn(program!, [...prefix, 'turnserver', '-n', ...settings], { stdio: 'ignore' })
  const turn = `turn:${HERE}:3478`
  server = await RealServer.start(
    {
      VIDEOSDK_SECRET_KEY: SECRET,
      HOST: '0.0.0.0',
      MEDIA_WORKERS: '1',
      TURN_URLS: `${turn},${turn}?transport=tcp,turns:${HERE}:443?transport=tcp`,
      TURN_SECRET,
    },
    here.prefix,
  )
})
after(async () => {
  if (noNamespaces) return
  await server.stop()
  if (turnServer.exitCode === null) {
    turnServer.kill('SIGKILL')
    await once(turnServer, 'exit')
  }
  here.remove()
  there.remove()
  await rm(folder, { recursive: true })
})

/** Runs a program of Node on the guests' machine; fails if it does. */
async function runThere(...args: string[]): Promise<string> {
  const [program, ...prefix] = there.prefix
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate }
  const run = promisify(execFile)(program!, [...prefix, process.execPath, ...args], { env, timeout: 120_000 })
  return (await run).stdout
}

const url = (): string => `http://${HERE}:${server.env.PORT}`

/** It fails if one of them receives nothing; other ways are tried for some seconds first. */
const load = (): Promise<string> =>
  runThere(
    ...[source('src/cli.ts'), 'load', '--url', url(), '--token', TOKEN, '--i-may-load-this-server'],
    ...['--participants', '2', '--seconds', '8'],
  )

const TWO_AGENTS = `
  import { joinMeeting } from '${source('src/agent/agent.ts')}'
  import { tone } from '${source('test/support/sounds.ts')}'
  const [url, token] = process.argv.slice(1)
  const answer = await fetch(url + '/v2/rooms', { method: 'POST', headers: { authorization: token } })
  const { roomId: meetingId } = await answer.json()
  const [ann, bob] = await Promise.all(
    ['ann', 'bob'].map((participantId) => joinMeeting({ url, token, meetingId, participantId, name: participantId })),
  )
  await ann.publishAudio(tone(440))
  let heard = 0
  for await (const { isConcealed } of bob.pcm('ann')) if (!isConcealed && ++heard === 50) break
  await Promise.all([ann.leave(), bob.leave()])
  console.log('heard', heard)
`

/** Opens this port of the server's machine beside those of HTTP, and no other. */
function openOnly(match: string): void {
  const { PORT, HTTPS_PORT } = server.env
  here.dropAllBut(`tcp dport { ${PORT}, ${HTTPS_PORT} }`, match)
}

test('programs meet through TURN over UDP where the media ports are blocked', { skip, timeout }, async () => {
  openOnly('udp dport 3478')
  await load()
})

test('programs meet through TURN over TCP where UDP is blocked', { skip, timeout }, async () => {
  openOnly('tcp dport 3478')
  await load()
})

test('programs meet through TURN over TLS where nothing else is open', { skip, timeout }, async () => {
  openOnly('tcp dport 443')
  await load()
  const said = await runThere('--input-type=module', '-e', TWO_AGENTS, url(), TOKEN)
  assert.match(said, /heard 50/)
})

test('people meet through TURN over TLS on 443', { skip, timeout }, async (t) => {
  const browser = await launchBrowser(['--ignore-certificate-errors'], there.wrap(findChromium()!))
  t.after(() => browser.close())
  const page = `https://${HERE}:${server.env.HTTPS_PORT}`
  const people = await Promise.all(['Ann', 'Bob'].map((name) => Person.at(browser, name)))
  await people[0]!.page.goto(page)
  const meetingId = await people[0]!.page.evaluate(async (authorization) => {
    const answer = await fetch('/v2/rooms', { method: 'POST', headers: { authorization } })
    return (await answer.json()).roomId as string
  }, TOKEN)
  for (const person of people) {
    // Otherwise only the fragment changes, and the page stays.
    await person.page.goto('about:blank')
    await person.open(`${page}/m/${meetingId}#token=${TOKEN}`)
    await person.inside()
  }
  for (const person of people) {
    await person.seesAndHears(1)
    await person.page.waitForFunction(async (relay) => {
      const { send, receive } = await (globalThis as any).anteroom.meeting.stats().catch(() => ({}))
      return [send, receive].every((stats) => {
        const pairs = [...(stats?.values() ?? [])].map((one) => stats.get(one.selectedCandidatePairId))
        const own = pairs.filter(Boolean).map((pair) => stats.get(pair.localCandidateId))
        return own.length === 1 && `${own[0].candidateType} ${own[0].relayProtocol} ${own[0].url}` === relay
      })
    }, `relay tls turns:${HERE}:443?transport=tcp`)
  }
})
