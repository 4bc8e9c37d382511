/** Opens the store of files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { FilesPlace, FileStore } from './files.ts'
import { openFolder } from './folder.ts'
import { FileStoreError } from './problem.ts'
import { openS3, type S3Credentials } from './s3.ts'

/** Nothing is asked of it yet. */
export function openFileStore(place: FilesPlace, credentials: S3Credentials | undefined): FileStore {
  if (place.kind === 'folder') return openFolder(place.folder)
  return openS3(place, credentials ?? { accessKeyId: '', secretAccessKey: '' })
}

const PROBE = 'Written by anteroom doctor, and deleted at once.'

/** Does everything with a file of ours that the server does with those of outputs. @throws {FileStoreError} */
export async function tryFileStore(store: FileStore, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-probe-'))
  try {
    const file = join(folder, 'probe.txt')
    await writeFile(file, PROBE)
    const key = `${name}/probe.txt`
    await store.put(key, file, 'text/plain')
    const found = await store.read(key, 'bytes=0-6')
    const part = found && 'body' in found ? await text(found.body) : undefined
    const keys = await store.list(name)
    await store.drop(name)
    if (part !== PROBE.slice(0, 7)) throw new FileStoreError(`${store.place} does not give parts of files.`)
    if (!keys.includes(key)) throw new FileStoreError(`${store.place} does not list its files.`)
    if ((await store.sizeOf(key)) !== undefined)
      throw new FileStoreError(`${store.place} does not delete files.`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
