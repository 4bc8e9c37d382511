/** Where the files of an output or a job are after it has ended: in its folder, or in the store of files; whoever reads them need not know. */
import { createWriteStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { BorrowedFile, FileStore, StoredFile, Unsatisfiable } from '../../output/files/files.ts'
import type { JobRecord, OutputRecord, Store } from '../../store/store.ts'

/** What the place of files follows from. */
export interface FilesOf extends Pick<OutputRecord, 'outputId' | 'config' | 'storedAt'> {
  /** Whether this file is in the store; default: whether the files of the output are. */
  isStored?: boolean
  /** It is a job; `outputId` is its id. */
  isJob?: true
}

/** A job, as what has files. */
export const filesOfJob = ({ jobId, config, storedAt, files }: JobRecord) => ({
  outputId: jobId,
  config,
  storedAt,
  files,
  isJob: true as const,
})

export interface KeptFilesOptions {
  outputs: Pick<Store['outputs'], 'markDeleted' | 'delete'>
  jobs: Pick<Store['jobs'], 'markDeleted' | 'delete'>
  /** Undefined: files stay in the folders of outputs. */
  files: FileStore | undefined
  folderOf: (outputId: string) => string
  /** For copies of stored files. */
  borrowedFolder: string
  newId: () => string
  now: () => number
  /** Awaited before an output is deleted, as nothing is known of it afterwards. */
  beforeDrop: () => Promise<unknown>
}

export class KeptFiles {
  readonly #options: KeptFilesOptions
  /** How many use the files in a folder. */
  readonly #users = new Map<string, number>()
  /** Folders that go when nobody uses them any more. */
  readonly #leaving = new Set<string>()

  constructor(options: KeptFilesOptions) {
    this.#options = options
  }

  /** The file in the folder of an output or a job; undefined if it is not there. */
  async localPath(outputId: string, path: string): Promise<string | undefined> {
    const file = join(this.#options.folderOf(outputId), path)
    return (await stat(file).catch(() => undefined))?.isFile() ? file : undefined
  }

  /** From the store. @throws {FileStoreError} */
  async read(output: FilesOf, path: string, range?: string): Promise<StoredFile | Unsatisfiable | undefined> {
    const { files } = this.#options
    return isStored(output) ? files?.read(keyOf(output, path), range) : undefined
  }

  /** Of a file in the store. @throws {FileStoreError} */
  async sizeOf(output: FilesOf, path: string): Promise<number | undefined> {
    const { files } = this.#options
    return isStored(output) ? files?.sizeOf(keyOf(output, path)) : undefined
  }

  /** A file for programs; undefined if there is none. @throws {FileStoreError} */
  async borrow(output: FilesOf, path: string): Promise<BorrowedFile | undefined> {
    const { borrowedFolder, newId } = this.#options
    const release = this.hold(output.outputId)
    const local = await this.localPath(output.outputId, path)
    if (local !== undefined) {
      return {
        path: local,
        release: () => {
          release()
          return Promise.resolve()
        },
      }
    }
    release()
    const found = await this.read(output, path)
    if (!found || 'unsatisfiable' in found) return undefined
    const folder = join(borrowedFolder, newId())
    const copy = join(folder, path)
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
    try {
      await mkdir(dirname(copy), { recursive: true, mode: 0o700 })
      await pipeline(found.body, createWriteStream(copy))
    } catch (error) {
      await remove()
      throw error
    }
    return { path: copy, release: remove }
  }

  /** The files in the output's folder stay until the result is called. */
  hold(outputId: string): () => void {
    this.#users.set(outputId, (this.#users.get(outputId) ?? 0) + 1)
    let held = true
    return () => {
      if (!held) return
      held = false
      const left = this.#users.get(outputId)! - 1
      if (left > 0) this.#users.set(outputId, left)
      else this.#users.delete(outputId)
      if (left === 0 && this.#leaving.delete(outputId)) void this.leaveFolder(outputId)
    }
  }

  /** Deletes the folder of an output whose files are in the store, as soon as nobody uses it. */
  async leaveFolder(outputId: string): Promise<void> {
    if (this.#users.has(outputId)) this.#leaving.add(outputId)
    else await this.#removeFolder(outputId).catch(() => undefined)
  }

  /** Nobody sees the output any more. Its files on this machine are gone then, and those in the store soon. */
  async drop(output: FilesOf): Promise<void> {
    const { now, beforeDrop } = this.#options
    await beforeDrop()
    await this.#rowsOf(output).markDeleted(output.outputId, now())
    if (output.storedAt === null && this.#options.files === undefined) await this.finishDrop(output)
    else await this.#removeFolder(output.outputId)
  }

  /** Deletes what is left of an output that is marked as deleted. @throws {FileStoreError} */
  async finishDrop(output: FilesOf): Promise<void> {
    const { files, now } = this.#options
    await this.#removeFolder(output.outputId)
    await files?.drop(folderKeyOf(output))
    await this.#rowsOf(output).delete(output.outputId, now())
  }

  #rowsOf({ isJob }: FilesOf) {
    return isJob ? this.#options.jobs : this.#options.outputs
  }

  #removeFolder(outputId: string): Promise<void> {
    return rm(this.#options.folderOf(outputId), { recursive: true, force: true })
  }
}

const isStored = (output: FilesOf): boolean => output.isStored ?? output.storedAt !== null

/** The folder of an output in the store; no two have the same. */
export function folderKeyOf({ outputId, config }: Pick<FilesOf, 'outputId' | 'config'>): string {
  const { dirPath } = config
  return typeof dirPath === 'string' && dirPath !== '' ? `${dirPath}/${outputId}` : outputId
}

export function keyOf(output: Pick<FilesOf, 'outputId' | 'config'>, path: string): string {
  return `${folderKeyOf(output)}/${path}`
}
