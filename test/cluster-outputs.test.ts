/** Recordings whose node dies or falls silent: the next home of the meeting goes on with them. Real media, without a browser. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { findFfmpeg } from '../scripts/ffmpeg.mjs'
import { joinMeeting, type Agent } from '../src/agent/agent.ts'
import { startNodes, type Nodes } from './support/nodes.ts'
import { withoutPostgres } from './support/postgres.ts'
import type { RealServer } from './support/real-server.ts'
import { decodeErrors, loudest } from './support/recorded-media.ts'
import { tone } from './support/sounds.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

const skip = withoutPostgres || (!findFfmpeg() && 'there is no ffmpeg')
const HERTZ = 440
const RECORDED_MS = 3000
const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })

interface Recorded {
  id: string
  end: string | null
  files: { fileUrl: string; filePath: string; meta: { duration?: number } }[]
}

/** Two nodes, and Ann, who hums in a meeting. */
async function stageOf(t: TestContext, env: NodeJS.ProcessEnv = {}) {
  const stage = await startNodes(t, 2, env)
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-cluster-outputs-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const meetingId = await stage.nodes[0]!.createMeeting()
  const ann = await joinMeeting({
    url: stage.balancer.url,
    token,
    meetingId,
    participantId: 'ann',
    name: 'Ann',
  })
  t.after(() => ann.leave())
  await ann.publishAudio(tone(HERTZ))
  const homeId = (await stage.homeOf(meetingId))!
  const home = stage.at(homeId)
  const next = stage.nodes.find((node) => node !== home)!
  return { stage, folder, meetingId, ann, home, homeId, next }
}

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const giveUpAt = performance.now() + 60_000
  for (;;) {
    const found = await look()
    if (found) return found
    assert.ok(performance.now() < giveUpAt, `never: ${what}`)
    await delay(100)
  }
}

async function ask(node: RealServer, method: string, path: string, body?: object): Promise<any> {
  const answer = await node.rest(method, path, body)
  assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

const back = (stage: Nodes, meetingId: string, ann: Agent, homeId: string): Promise<unknown> =>
  until('Ann is at another node', async () => {
    const at = await stage.homeOf(meetingId)
    return ann.state === 'joined' && at !== undefined && at !== homeId
  })

/** Fetches a file from a node, and checks that it can be decoded and what is heard in it. */
async function hear(folder: string, node: RealServer, file: Recorded['files'][0]): Promise<void> {
  const { pathname } = new URL(file.fileUrl)
  const answer = await fetch(node.url + pathname)
  assert.equal(answer.status, 200, `${node.url}${pathname}`)
  const path = join(folder, `${Math.random()}.webm`)
  await writeFile(path, Buffer.from(await answer.arrayBuffer()))
  assert.equal(decodeErrors(path), '')
  assert.ok(file.meta.duration! * 1000 > RECORDED_MS / 2, `it is only ${file.meta.duration} s long`)
  assert.ok(loudest(path, 0, file.meta.duration!) > -40, 'silent')
}

test('the next home goes on with recordings of a node that was killed', { skip }, async (t) => {
  const { stage, folder, meetingId, ann, home, homeId, next } = await stageOf(t)
  const start = { roomId: meetingId, participantId: 'ann' }
  await ask(home, 'POST', '/v2/recordings/participant/start', start)
  await ask(next, 'POST', '/v2/recordings/participant/track/start', { ...start, kind: 'audio' })
  const all = async (at: RealServer): Promise<Recorded[]> => {
    const of = async (path: string) => (await ask(at, 'GET', `${path}?roomId=${meetingId}`)).data
    return [
      ...(await of('/v2/recordings/participant')),
      ...(await of('/v2/recordings/participant/track')),
    ] as Recorded[]
  }
  const before = await all(next)
  assert.equal(before.length, 2)
  await delay(RECORDED_MS)
  await home.end('SIGKILL')
  await back(stage, meetingId, ann, homeId)
  await delay(RECORDED_MS)
  // They go on: nobody can begin them again.
  const again = await next.rest('POST', '/v2/recordings/participant/start', start)
  assert.equal(again.status, 409, JSON.stringify(again.body))
  await ask(next, 'POST', '/v2/recordings/participant/stop', start)
  await ask(next, 'POST', '/v2/recordings/participant/track/stop', { ...start, kind: 'audio' })
  const ended = await until('both have ended', async () => {
    const now = await all(next)
    return now.every(({ end }) => end !== null) && now
  })
  assert.deepEqual(
    ended.map(({ id }) => id),
    before.map(({ id }) => id),
    'the same recordings',
  )
  for (const { files } of ended) {
    assert.equal(files.length, 1)
    await hear(folder, next, files[0]!)
  }
  assert.match(next.output, /ended an output without what is on the disks of nodes that are away/)

  // The node that was killed comes back with what it had recorded.
  await home.run()
  const whole = await until('both parts are known', async () => {
    const now = await all(next)
    return now.every(({ files }) => files.length === 2) && now
  })
  for (const { files } of whole) {
    const [first, second] = files
    for (const node of [home, next]) {
      await hear(folder, node, first!)
      await hear(folder, node, second!)
    }
  }

  // Each part is on the disk of its node. While that node is away, the part cannot be had, which is said.
  await home.end('SIGKILL')
  for (const { files } of whole) {
    const away = await fetch(next.url + new URL(files[0]!.fileUrl).pathname)
    assert.equal(away.status, 503)
    assert.match(await away.text(), new RegExp(`node ${homeId.replaceAll('.', '\\.')}`))
  }

  // What is deleted meanwhile is deleted there too.
  const places = whole.map(({ id }) => join(home.env.DATA_DIR!, 'outputs', id))
  assert.ok(places.every((place) => existsSync(place)))
  await ask(next, 'DELETE', `/v2/recordings/participant/${whole[0]!.id}`)
  await ask(next, 'DELETE', `/v2/recordings/participant/track/${whole[1]!.id}`)
  await home.run()
  await until('the files are gone', () => Promise.resolve(!places.some((place) => existsSync(place))))
})

test('a node that was silent writes no more of a recording that went on elsewhere', { skip }, async (t) => {
  const { stage, folder, meetingId, ann, home, homeId, next } = await stageOf(t)
  const start = { roomId: meetingId, participantId: 'ann' }
  await ask(home, 'POST', '/v2/recordings/participant/start', start)
  const list = async (): Promise<Recorded[]> =>
    (await ask(next, 'GET', `/v2/recordings/participant?roomId=${meetingId}`)).data
  await delay(RECORDED_MS)
  process.kill(home.pid, 'SIGSTOP')
  try {
    await back(stage, meetingId, ann, homeId)
  } finally {
    process.kill(home.pid, 'SIGCONT')
  }
  const [moved] = await until('what the silent one has is known', async () => {
    const now = await list()
    return now[0]!.files.length === 1 && now
  })
  assert.equal(moved!.end, null, 'it goes on')
  const place = join(home.env.DATA_DIR!, 'outputs', moved!.id)
  const sizes = async () =>
    Promise.all((await readdir(place)).map(async (name) => (await stat(join(place, name))).size))
  const atFirst = await sizes()
  await delay(RECORDED_MS)
  assert.deepEqual(await sizes(), atFirst)
  await ask(next, 'POST', '/v2/recordings/participant/stop', start)
  const [ended] = await until('it has ended', async () => {
    const now = await list()
    return now[0]!.end !== null && now
  })
  assert.equal(ended!.files.length, 2)
  await hear(folder, home, ended!.files[0]!)
  await hear(folder, next, ended!.files[1]!)
  assert.doesNotMatch(home.output, /"level":50/)
})
