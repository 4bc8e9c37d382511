/**
 * A server whose media worker must be built first: everything else works at once, and media switches on without a
 * restart.
 */
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '../src/client/connect.ts'
import type { Preparing } from '../src/client/init-config.ts'
// The browser APIs that the client needs.
import './support/own-client.ts'
import type { MeetingError } from '../src/client/errors.ts'
import { launchBrowser, Person } from './support/browser.ts'
import { RealServer } from './support/real-server.ts'
import { SlowBuild } from './support/slow-build.ts'
import { API_KEY, signAnything } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

const PATIENCE_MS = 120_000
const STEPS = 4
const cli = join(import.meta.dirname, '../src/cli.ts')
const cleanups: (() => unknown)[] = []
// Windows that stay in a meeting would use more processor time than all that follows.
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function until<T>(find: () => Promise<T | undefined | false>, what: () => string): Promise<T> {
  const giveUpAt = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    assert.ok(Date.now() < giveUpAt, what())
    await delay(50)
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function preparing(env: NodeJS.ProcessEnv = {}): Promise<{ build: SlowBuild; server: RealServer }> {
  const build = new SlowBuild(STEPS)
  cleanups.push(() => build.remove())
  build.reach(1)
  const server = await RealServer.start({ ...build.env, LOG_LEVEL: 'info', ...env })
  cleanups.push(() => server.stop())
  return { build, server }
}

/** The answer of `/health/ready` at this step of the build. */
const at = (server: RealServer, step: number): Promise<{ status: number; body: any }> =>
  until(
    async () => {
      const ready = await server.rest('GET', '/health/ready')
      return ready.body.missing[0]?.preparing?.done === step && ready
    },
    () => server.output,
  )

test('tokens, meetings, REST and the page answer immediately; clients are told the progress, and join without a restart', async () => {
  const { build, server } = await preparing()
  const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })
  assert.match(server.output, /"media":"being prepared/)
  const ready = await at(server, 1)
  assert.equal(ready.status, 503)
  const [missing] = ready.body.missing
  assert.deepEqual(
    [missing.part, missing.reason, missing.preparing.total],
    ['media', 'Media is being prepared, 1 of 4.', STEPS],
  )

  assert.equal((await fetch(`${server.url}/get-token`)).status, 200)
  assert.equal((await server.rest('POST', '/create-meeting', { token })).status, 200)
  const meetingId = await server.createMeeting()
  assert.equal((await server.rest('POST', `/validate-meeting/${meetingId}`, { token })).status, 200)
  assert.equal((await server.rest('GET', `/v2/rooms/${meetingId}`)).status, 200)
  assert.equal((await server.rest('GET', '/health/live')).status, 200)
  const health = await server.rest('GET', '/health')
  assert.equal(health.status, 200)
  assert.deepEqual(health.body.media, {
    available: false,
    reason: missing.reason,
    preparing: missing.preparing,
  })

  // Published clients get a number that they know, and a sentence.
  const refused = await server.rest('POST', '/infra/v1/meetings/init-config', { roomId: meetingId }, token)
  assert.equal(refused.status, 503)
  const { code, name, error } = refused.body
  assert.deepEqual(
    [code, name, error, refused.body.preparing.done],
    [5000, 'MEDIA_PREPARING', 'Media is being prepared, 1 of 4.', 1],
  )
  const early = new WireClient({ url: server.url, token, meetingId, participantId: 'early' })
  const told = await early.hears('error')
  assert.deepEqual([told.code, told.message], [5000, 'Media is being prepared, 1 of 4.'])
  early.close()

  // Our own client waits, and reports the progress.
  let hearFirst: (how: Preparing) => void
  const first = new Promise<Preparing>((resolve) => (hearFirst = resolve))
  const coming = connect({
    url: server.url,
    token,
    meetingId,
    name: 'Ann',
    participantId: 'ann',
    mic: false,
    camera: false,
    onPreparing: (how) => hearFirst(how),
  })
  const { done, total } = await first
  assert.deepEqual([done, total], [1, STEPS])
  build.reach(3)
  const later = await at(server, 3)
  assert.ok(later.body.missing[0].preparing.secondsLeft > 0)
  assert.match(later.body.missing[0].reason, /^Media is being prepared, 3 of 4; (about|less).* left\.$/)
  build.reach(STEPS)
  await until(
    async () => (await server.rest('GET', '/health/ready')).status === 200,
    () => server.output,
  )
  // It gets as far as possible without a browser's WebRTC; the test of the page covers the rest.
  await coming.then(
    (meeting) => meeting.leave(),
    (error: unknown) => assert.equal((error as MeetingError).reason, 'MEDIA_FAILED'),
  )
  assert.equal((await server.rest('GET', '/health')).body.media.available, true)
  const late = new WireClient({ url: server.url, token, meetingId, participantId: 'late' })
  await late.enter()
  late.close()
  assert.match(server.output, /"msg":"media is on"/)
})

test('a waiting client that leaves is released', async () => {
  const { server } = await preparing()
  const meetingId = await server.createMeeting()
  const giveUp = new AbortController()
  const waiting = connect({
    url: server.url,
    token: signAnything({ apikey: API_KEY, permissions: ['allow_join'] }),
    meetingId,
    name: 'Ann',
    mic: false,
    camera: false,
    signal: giveUp.signal,
    onPreparing: () => giveUp.abort(new Error('enough')),
  })
  await assert.rejects(waiting, /enough/)
})

test('the page shows the progress, and joins by itself', async () => {
  const { build, server } = await preparing()
  const browser = await launchBrowser()
  cleanups.push(() => browser.close())
  const ann = await Person.at(browser, 'Ann')
  await ann.page.goto(server.url)
  await ann.page.getByTestId('media-off').getByText('Media is being prepared, 1 of 4').waitFor()
  await ann.page.getByTestId('start').click()
  // A person who clicks before the server's answer waits too, and can cancel.
  const joins = Promise.withResolvers<undefined>()
  await ann.page.route('**/health', async (route) => {
    await joins.promise
    await route.continue()
  })
  await ann.preJoin()
  await ann.page.getByRole('button', { name: 'Cancel' }).waitFor()
  joins.resolve(undefined)
  await ann.page.getByTestId('preparing').getByText('You will join').waitFor()
  build.reach(2)
  await ann.page.getByTestId('preparing').getByText('2 of 4').waitFor()
  // A person can cancel, and try again.
  await ann.page.getByRole('button', { name: 'Cancel' }).click()
  await ann.page.getByRole('button', { name: 'Join' }).click()
  build.reach(STEPS)
  await ann.inside()
  const bob = await Person.at(browser, 'Bob')
  await bob.open(await ann.invite('direct'))
  await bob.inside()
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])

  // The server is replaced by one that must build its worker: participants wait too, and return.
  await server.end('SIGTERM')
  build.forget()
  build.reach(1)
  await bob.page.setViewportSize({ width: 375, height: 740 })
  await server.run()
  for (const { page } of [ann, bob])
    await page.getByTestId('reconnecting').getByText('Media is being prepared, 1 of 4').waitFor()
  // On a phone, the sentence has the full width and moves nothing aside.
  assert.ok((await bob.page.getByTestId('reconnecting').boundingBox())!.width > 340)
  build.reach(STEPS)
  for (const { page } of [ann, bob]) await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  assert.deepEqual([...ann.errors, ...bob.errors], [])
})

test('a port that media cannot use stops the start, also before the worker is built', async () => {
  const { build, server } = await preparing()
  await at(server, 1)
  await server.end('SIGTERM')
  for (const taken of ['UDP', 'TCP']) {
    // The port of the second worker.
    const port = Number(server.env.MEDIA_PORT) + 1
    const [socket, listener] = [createSocket('udp4'), createServer()]
    if (taken === 'UDP') await once(socket.bind(port, '127.0.0.1'), 'listening')
    else await once(listener.listen(port, '127.0.0.1'), 'listening')
    // Without the check of the port it would run on.
    const limits = { timeout: 120_000, killSignal: 'SIGKILL' as const }
    try {
      await assert.rejects(
        promisify(execFile)(process.execPath, [cli, 'serve'], { env: server.env, ...limits }),
        ({ code, stderr }: any) => {
          assert.equal(code, 1)
          assert.match(
            stderr,
            new RegExp(`^Port ${port}, which media needs .*is in use; set MEDIA_PORT.*\n$`),
          )
          return true
        },
      )
    } finally {
      socket.close()
      listener.close()
    }
  }
  assert.equal(build.builds.length, 1)
})

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`the build ends with its server, by ${signal} too, and the next start continues it`, async () => {
    const { build, server } = await preparing()
    await at(server, 1)
    const [ninja] = build.builds
    await server.end(signal)
    await until(
      async () => !isAlive(ninja!),
      () => 'the build goes on',
    )
    build.reach(2)
    await server.run()
    await at(server, 2)
    build.reach(STEPS)
    await until(
      async () => (await server.rest('GET', '/health/ready')).status === 200,
      () => server.output,
    )
    assert.match(server.output, /going on with the build that was interrupted/)
  })
}

test('of two servers one builds, and the other waits and reports the progress, as doctor does', async () => {
  const { build, server } = await preparing()
  const other = await RealServer.start({ ...build.env, LOG_LEVEL: 'info' })
  cleanups.push(() => other.stop())
  build.reach(2)
  await Promise.all([at(server, 2), at(other, 2)])
  assert.equal(build.builds.length, 1)
  const { stdout } = await promisify(execFile)(process.execPath, [cli, 'doctor', '--json'], {
    env: { ...other.env, PORT: '0', HTTPS_PORT: '0' },
  })
  const found = JSON.parse(stdout).find(({ check }: any) => check === 'media worker')
  assert.equal(found.verdict, 'note')
  assert.match(found.says, /another process is preparing it: Media is being prepared, 2 of 4/)
  build.reach(STEPS)
  for (const one of [server, other])
    await until(
      async () => (await one.rest('GET', '/health/ready')).status === 200,
      () => one.output,
    )
  assert.equal(build.builds.length, 1)
})

test('a failed build is reported, and everything else keeps working', async () => {
  const { build, server } = await preparing()
  await at(server, 1)
  assert.equal((await server.rest('GET', '/health/ready')).status, 503)
  await server.end('SIGTERM')
  build.fail('FAILED: worker.o\n')
  await server.run()
  const reason = await until(
    async () => {
      const { media } = (await server.rest('GET', '/health')).body
      return media.preparing === undefined && (media.reason as string)
    },
    () => server.output,
  )
  assert.match(
    reason,
    /^Media is off, all else works: the media worker could not be built \(.*see .*build\.log/,
  )
  assert.equal((await fetch(`${server.url}/get-token`)).status, 200)
  const refused = await server.rest(
    'POST',
    '/infra/v1/meetings/init-config',
    { roomId: await server.createMeeting() },
    signAnything({ apikey: API_KEY, permissions: ['allow_join'] }),
  )
  assert.deepEqual([refused.status, refused.body.name], [503, 'MEDIA_UNAVAILABLE'])
})

test('PREPARE_MEDIA=false builds nothing, and the sentence says what to do', async () => {
  const { build, server } = await preparing({ PREPARE_MEDIA: 'false' })
  const { media } = (await server.rest('GET', '/health')).body
  assert.match(media.reason, /npm run worker/)
  assert.equal(build.builds.length, 0)
})
