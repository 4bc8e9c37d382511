/** Two servers over one database at the same time: what exists once is made once, whoever asks first. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { meetingRecord } from './support/records.ts'
import { makeDatabase, withoutPostgres } from './support/postgres.ts'
import { createSignIn, newFirstLink, sharedFirstLink } from '../src/api/rest/admin/sign-in.ts'
import { makeFirst } from '../src/project/bootstrap.ts'
import { KeyRing } from '../src/project/key-ring.ts'
import { RevokedTokens } from '../src/project/revoked-tokens.ts'
import { KeptValues } from '../src/meeting/values/kept-values.ts'
import { RealtimeStore } from '../src/meeting/values/realtime-store.ts'
import { Signer } from '../src/webhook/signer.ts'
import { openStore } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'

const onPostgres = { skip: withoutPostgres }
const masterKey = randomBytes(32)
let parent: string
let database: Awaited<ReturnType<typeof makeDatabase>>
let stores: Store[] = []
const folderOf = (node: number): string => join(parent, `node-${node}`)

before(async () => {
  if (withoutPostgres !== false) return
  parent = await mkdtemp(join(tmpdir(), 'anteroom-shared-'))
  database = await makeDatabase()
  // Both at once, in a database without tables.
  stores = await Promise.all(
    [0, 1].map((node) =>
      openStore({ folder: folderOf(node), url: database.url, masterKey, nodeId: `node-${node}` }),
    ),
  )
})
after(async () => {
  for (const store of stores) await store.close()
  if (withoutPostgres !== false) return
  await database.drop()
  await rm(parent, { recursive: true, force: true })
})

/** The same call on both stores at once, many times over. */
const onBoth = <T>(call: (store: Store, node: number) => Promise<T>): Promise<T[]> =>
  Promise.all(stores.map(call))

test('of two values for one name, the first stays, and both servers get it', onPostgres, async () => {
  for (let at = 0; at < 20; at++) {
    const [one, other] = await onBoth((store, node) => store.values.setIfAbsent(`v${at}`, `of ${node}`))
    assert.equal(one, other)
    assert.equal(await stores[0]!.values.get(`v${at}`), one)
    const replaced = await onBoth((store) => store.values.compareAndSet(`v${at}`, one!, 'next'))
    assert.deepEqual(replaced.toSorted(), [false, true])
  }
  assert.equal(await stores[0]!.values.compareAndSet('missing', '', 'x'), false)
})

test('two first starts at once make one project and one key', onPostgres, async () => {
  await onBoth((store, node) =>
    makeFirst({
      store,
      apiKey: undefined,
      keyFile: join(folderOf(node), 'api-key.env'),
      now: Date.now,
      randomBytes,
      randomUUID,
    }),
  )
  assert.equal((await stores[0]!.projects.list()).length, 1)
  const [key, ...others] = await stores[0]!.keys.list()
  assert.deepEqual(others, [])
  // A server that comes a moment later finds the key and writes no file.
  const texts = await Promise.all(
    [0, 1].map((node) => readFile(join(folderOf(node), 'api-key.env'), 'utf8').catch(() => undefined)),
  )
  const written = texts.filter((text) => text !== undefined)
  assert.ok(written.length > 0)
  for (const text of written)
    assert.ok(text.includes(key!.apiKey) && text.includes(key!.secret), 'each file names the key that works')
})

test('two servers sign webhooks with one key', onPostgres, async () => {
  const [one, other] = await onBoth((store) => new Signer(store.secrets).publicKey())
  assert.equal(one, other)
})

const NOWHERE = { address: '', browser: '' }

test('two first starts at once make one sign-in link, and it works', onPostgres, async () => {
  const links = await onBoth((store) => sharedFirstLink({ store, randomBytes }))
  const [link, ...others] = links.filter((one) => one !== undefined)
  assert.deepEqual(others, [])
  const signIn = createSignIn({ store: stores[1]!, now: Date.now, randomBytes })
  assert.ok(await signIn.withCode(link!.split('=')[1]!, NOWHERE))
  const next = await onBoth((store) => sharedFirstLink({ store, randomBytes }))
  assert.equal(next.filter((one) => one !== undefined).length, 1, 'after it was used, there is another one')
})

test('of two sign-ins with one code, one succeeds', onPostgres, async () => {
  for (let at = 0; at < 10; at++) {
    const code = (await newFirstLink({ store: stores[0]!, randomBytes })).split('=')[1]!
    const cookies = await onBoth((store) =>
      createSignIn({ store, now: Date.now, randomBytes }).withCode(code, NOWHERE),
    )
    assert.equal(cookies.filter((cookie) => cookie !== undefined).length, 1)
  }
})

test('a lease belongs to one node until it gives it back or it ends', onPostgres, async () => {
  const [one, other] = stores as [Store, Store]
  for (let at = 0; at < 10; at++)
    assert.deepEqual((await onBoth((store) => store.leases.take(`work ${at}`, 60_000))).toSorted(), [
      false,
      true,
    ])
  assert.equal(await one.leases.take('sweep', 60_000), true)
  assert.equal(await one.leases.take('sweep', 60_000), true, 'its holder may prolong it')
  assert.equal(await other.leases.take('sweep', 60_000), false)
  await other.leases.release('sweep')
  assert.equal(await other.leases.take('sweep', 60_000), false, 'nobody else can give it back')
  await one.leases.release('sweep')
  assert.equal(await other.leases.take('sweep', -1), true)
  assert.equal(await one.leases.take('sweep', 60_000), true, 'it had ended, by the clock of the database')
})

test('a file of a session is served by every node, and goes with the session', onPostgres, async () => {
  const [one, other] = stores as [Store, Store]
  const { projectId } = (await one.projects.list())[0]!
  await one.meetings.create(meetingRecord({ id: 'e'.repeat(24), meetingId: 'files', projectId }))
  for (const sessionId of ['going-on', 'has-ended'])
    await one.sessions.start({
      sessionId,
      meetingId: 'files',
      projectId,
      startedAt: 1,
      endedAt: sessionId === 'going-on' ? null : 2,
      endReason: null,
    })
  const bytes = randomBytes(5_000_000)
  await one.files.put('going-on', 'file-one', bytes)
  await one.files.put('has-ended', 'file-two', bytes)
  assert.ok((await other.files.get('going-on', 'file-one'))!.equals(bytes))
  assert.deepEqual(await other.files.list('going-on'), [{ fileId: 'file-one', bytes: 5_000_000 }])
  assert.equal(await other.files.get('has-ended', 'file-one'), undefined, 'it belongs to the other session')
  // A node that has just started knows of no session.
  await other.files.keepOnly(new Set())
  assert.deepEqual(await one.files.list('has-ended'), [])
  assert.equal((await one.files.list('going-on')).length, 1)
  await other.files.drop('going-on')
  assert.equal(await one.files.get('going-on', 'file-one'), undefined)
})

test(
  'files and jobs belong to their node, and what goes on to the home of its session',
  onPostgres,
  async () => {
    const [one, other] = stores as [Store, Store]
    const { projectId } = (await one.projects.list())[0]!
    const shared = {
      projectId,
      meetingId: 'files',
      sessionId: 'going-on',
      config: {},
      secret: 's',
      baseUrl: '',
      webhookUrl: null,
      apiKey: null,
    }
    const output = {
      ...shared,
      kind: 'recording',
      participantId: null,
      createdAt: 1,
      startedAt: 1,
      storedAt: null,
      files: [],
    } as const
    await one.outputs.create({ ...output, outputId: 'running', state: 'started', endedAt: null })
    await one.outputs.create({ ...output, outputId: 'ended', state: 'stopped', endedAt: 5 })
    await one.jobs.create({
      ...shared,
      jobId: 'a-job',
      kind: 'hls-to-mp4',
      outputId: null,
      inputs: [],
      state: 'pending',
      createdAt: 1,
      startedAt: null,
      endedAt: null,
      files: [],
      problem: null,
      storedAt: null,
    })
    const seen = async ({ outputs, jobs }: Store) =>
      [
        ...(await outputs.unfinished()),
        ...(await outputs.endedBefore(10, 10, false)),
        ...(await outputs.unstored(10)),
      ]
        .map(({ outputId }) => outputId)
        .concat((await jobs.unfinished()).map(({ jobId }) => jobId))
    assert.deepEqual(
      await seen(one),
      ['ended', 'ended', 'a-job'],
      'whichever node gets the session goes on with its output',
    )
    assert.deepEqual(await seen(other), [], 'another node that starts takes up nothing of a living one')
    assert.ok(await other.outputs.get('running'), 'everybody may read of it')
    assert.deepEqual(
      [
        await other.outputs.elsewhere('ended'),
        await other.outputs.elsewhere('a-job'),
        await one.outputs.elsewhere('ended'),
      ],
      ['node-0', 'node-0', undefined],
    )
  },
)

test('each node keeps its own samples, and both see all', onPostgres, async () => {
  await onBoth((store, node) => store.figures.addSample({ at: 60_000, figures: { joins: node + 1 } }))
  for (const store of stores)
    assert.deepEqual(
      (await store.figures.samples(0, 100_000))
        .map(({ nodeId, figures }) => [nodeId, figures.joins])
        .toSorted(),
      [
        ['node-0', 1],
        ['node-1', 2],
      ],
    )
  assert.equal(await stores[0]!.figures.dropBefore(100_000, 10), 2)
})

test(
  'a revocation on one node is seen by the others, which read the lists only then',
  onPostgres,
  async () => {
    const [one, other] = stores as [Store, Store]
    const key = (await one.keys.list())[0]!
    const ring = new KeyRing(other, Date.now)
    const revoked = new RevokedTokens({ store: other, now: Date.now })
    const refresh = async () => [await ring.refresh(), (await revoked.refresh()).length]
    await refresh()
    const before = await other.version()
    await one.keys.used(new Map([[key.apiKey, Date.now()]]))
    await one.values.set('anything', 'else')
    assert.equal(await other.version(), before, 'nothing moved that a node has in memory')

    await new RevokedTokens({ store: one, now: Date.now }).add(key.projectId, 'jti:1')
    const afterToken = await other.version()
    assert.notEqual(afterToken, before)
    assert.deepEqual(await refresh(), [false, 1])
    assert.ok(revoked.has({ projectId: key.projectId, tokenId: 'jti:1' }))

    await one.keys.revoke(key.apiKey, 1)
    const afterKey = await other.version()
    assert.notEqual(afterKey, afterToken)
    assert.deepEqual(await refresh(), [true, 0])
    assert.equal(ring.find(key.apiKey)!.revoked, true)

    await one.projects.change(key.projectId, { name: 'renamed' })
    assert.notEqual(await other.version(), afterKey)
  },
)

test('a node whose clock is wrong takes back no lease of another', onPostgres, async () => {
  const [one, other] = stores as [Store, Store]
  const { projectId } = (await one.projects.list())[0]!
  const ids = { projectId, meetingId: 'files', sessionId: 'clock' }
  await one.sessions.start({ ...ids, startedAt: 1, endedAt: null, endReason: null }, [
    {
      ...ids,
      deliveryId: 'd',
      event: 'e',
      endPoint: 'https://x.example',
      body: '{}',
      occurredAt: 1,
      about: null,
    },
  ])
  const at = Date.now()
  const leased = await one.outbox.lease(at, at + 30_000, 10)
  assert.deepEqual(
    leased.map(({ deliveryId }) => deliveryId),
    ['d'],
  )
  const hour = 3_600_000
  assert.deepEqual(await other.outbox.lease(at + hour, at + hour + 30_000, 10), [])
  await other.outbox.repairAfterClockSkew(at - hour, at - hour + 1, at - hour + 1)
  assert.deepEqual(await other.outbox.lease(at, at + 30_000, 10), [])
  await one.outbox.settle('d', { state: 'delivered', at, tookMs: 1, status: 200, error: null, answer: null })
  await onBoth((store) => store.check())
})

test('shared values of a session are there at its next home, with whose they are', onPostgres, async () => {
  const [one, other] = stores as [Store, Store]
  const sessionId = 'going-on'
  const errors: unknown[] = []
  const keeper = new KeptValues({
    sessionId,
    store: one.sessionValues!,
    onError: (error) => errors.push(error),
  })
  const openAudience = (): never => assert.fail('nobody observes')
  const values = new RealtimeStore({ maxKeys: 8, openAudience, onSet: keeper.set })
  const ann = { tokenId: 'jti:ann', participantId: 'ann' }
  const bob = { tokenId: 'jti:bob', participantId: 'bob' }
  values.set('slide', '1', 'ann', ann)
  values.set('gone', 'x', 'ann', ann)
  await keeper.flush()
  values.set('slide', '2', 'bob', bob)
  values.set('gone', null, 'bob', bob)
  values.set('of a backend', 'y', 'server', { tokenId: 'jti:server' })
  await keeper.flush()

  const kept = await other.sessionValues!.list(sessionId)
  const next = new RealtimeStore({ maxKeys: 8, openAudience, kept })
  assert.deepEqual(
    ['slide', 'gone', 'of a backend'].map((key) => next.get(key)),
    ['2', null, 'y'],
  )
  assert.deepEqual(
    kept.find(({ key }) => key === 'slide'),
    { key: 'slide', value: '2', ...ann },
    'the key stays on the account of who made it',
  )
  // A quarter of eight keys is the share of one participant.
  next.set('second', '1', 'ann', ann)
  assert.throws(() => next.set('third', '1', 'ann', ann), { code: 'STORE_SET_FAILED' })

  values.set('late', 'z', 'ann', ann)
  await keeper.drop()
  await keeper.flush()
  assert.deepEqual(await other.sessionValues!.list(sessionId), [], 'they go with the session')
  assert.deepEqual(errors, [])
})
