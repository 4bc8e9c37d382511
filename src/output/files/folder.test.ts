import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { openFolder } from './folder.ts'
import { FileStoreError } from './problem.ts'
import { tryFileStore } from './open.ts'

const root = mkdtempSync(join(tmpdir(), 'anteroom-files-'))
after(() => rmSync(root, { recursive: true, force: true }))
const file = join(root, 'a file.txt')
writeFileSync(file, '0123456789')
const store = openFolder(join(root, 'kept'))

test('a folder that cannot be used says so in one sentence', async () => {
  writeFileSync(join(root, 'no-folder'), '')
  const error = await openFolder(join(root, 'no-folder'))
    .put('a/b', file, 'text/plain')
    .catch((reason: unknown) => reason)
  assert.ok(error instanceof FileStoreError)
  assert.match(error.message, /^The folder \S+no-folder of FILES_URL cannot be used \(E\w+\)\.$/)
})

test('a file here that cannot be read is not the problem of the store', async () => {
  const error = await store.put('a/b', join(root, 'absent'), 'text/plain').catch((reason: unknown) => reason)
  assert.ok(!(error instanceof FileStoreError))
})

test('puts, reads, lists and drops', async () => {
  assert.equal(await store.sizeOf('x/1/a.txt'), undefined)
  assert.equal(await store.read('x/1/a.txt'), undefined)
  assert.deepEqual(await store.list('x/1'), [])
  await store.put('x/1/a.txt', file, 'text/plain')
  await store.put('x/1/a.txt', file, 'text/plain')
  await store.put('x/1/sub/b.txt', file, 'text/plain')
  await store.put('x/10/c.txt', file, 'text/plain')
  assert.deepEqual((await store.list('x/1')).sort(), ['x/1/a.txt', 'x/1/sub/b.txt'])
  assert.equal(await store.sizeOf('x/1/a.txt'), 10)
  const part = await store.read('x/1/a.txt', 'bytes=-3')
  assert.ok(part && 'body' in part)
  assert.deepEqual([await text(part.body), part.length, part.part], ['789', 3, { from: 7, to: 9, of: 10 }])
  assert.deepEqual(await store.read('x/1/a.txt', 'bytes=10-'), { unsatisfiable: 10 })
  await store.drop('x/1')
  await store.drop('x/1')
  assert.deepEqual(await store.list('x'), ['x/10/c.txt'])
})

test('does all that doctor tries, and leaves nothing', async () => {
  await tryFileStore(store, 'probe')
  assert.equal(readdirSync(join(root, 'kept')).includes('probe'), false)
})

test('what is there but differs is put anew', async () => {
  await store.put('y/a.txt', file, 'text/plain')
  const kept = join(root, 'kept', 'y', 'a.txt')
  chmodSync(kept, 0o600)
  writeFileSync(kept, '01234567zz')
  await store.put('y/a.txt', file, 'text/plain')
  const found = await store.read('y/a.txt')
  assert.ok(found && 'body' in found)
  assert.equal(await text(found.body), '0123456789')
})
