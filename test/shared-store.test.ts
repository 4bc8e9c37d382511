/** Two servers over one database at the same time: what exists once is made once, whoever asks first. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeDatabase, withoutPostgres } from './support/postgres.ts'
import { createSignIn, newFirstLink } from '../src/api/rest/admin/sign-in.ts'
import { makeFirst } from '../src/project/bootstrap.ts'
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
    [0, 1].map((node) => openStore({ folder: folderOf(node), url: database.url, masterKey })),
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
  for (const node of [0, 1]) {
    const text = await readFile(join(folderOf(node), 'api-key.env'), 'utf8')
    assert.ok(
      text.includes(key!.apiKey) && text.includes(key!.secret),
      'each server names the key that works',
    )
  }
})

test('two servers sign webhooks with one key', onPostgres, async () => {
  const [one, other] = await onBoth((store) => new Signer(store.secrets).publicKey())
  assert.equal(one, other)
})

test('of two sign-ins with one code, one succeeds', onPostgres, async () => {
  for (let at = 0; at < 10; at++) {
    const code = (await newFirstLink({ store: stores[0]!, randomBytes })).split('=')[1]!
    const cookies = await onBoth((store) =>
      createSignIn({ store, now: Date.now, randomBytes }).withCode(code),
    )
    assert.equal(cookies.filter((cookie) => cookie !== undefined).length, 1)
  }
})
