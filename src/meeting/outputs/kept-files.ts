/**
 * Where the files of an output or a job are after it has ended: in its folder, in the store of files, or on the disk of another
 * node; whoever reads them need not know.
 */
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { contentTypeOf } from '../../output/files/content-types.ts'
import type { BorrowedFile, FileStore, StoredFile, Unsatisfiable } from '../../output/files/files.ts'
import { FileStoreError, NoRoomError } from '../../output/files/problem.ts'
import type { JobRecord, OutputFileRecord, OutputRecord, Store } from '../../store/store.ts'

/** What the place of files follows from. */
export interface FilesOf extends Pick<OutputRecord, 'outputId' | 'config' | 'storedAt'> {
  /** Whether this file is in the store; default: whether the files of the output are. */
  isStored?: boolean
  /** The other node that has this file on its disk. */
  heldBy?: string | undefined
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
  outputs: Pick<Store['outputs'], 'elsewhere' | 'markDeleted' | 'delete'>
  jobs: Pick<Store['jobs'], 'markDeleted' | 'delete'>
  /** Undefined: files stay in the folders of outputs. */
  files: FileStore | undefined
  /** What is on the disk of another node; undefined for a server alone. */
  onNode?: ((nodeId: string) => Pick<FileStore, 'read' | 'sizeOf'>) | undefined
  folderOf: (outputId: string) => string
  /** For copies of stored files. */
  borrowedFolder: string
  /** Whether this machine has room for so many bytes more. */
  hasRoom: (bytes: number) => Promise<boolean>
  newId: () => string
  now: () => number
  /** Awaited before an output is deleted, as nothing is known of it afterwards. */
  beforeDrop: () => Promise<unknown>
}

/** How many files of a playlist are fetched at once. */
const AT_ONCE = 4

export class KeptFiles {
  readonly #options: KeptFilesOptions
  /** How many use the files in a folder. */
  readonly #users = new Map<string, number>()
  /** Folders that go when nobody uses them any more. */
  readonly #leaving = new Set<string>()

  constructor(options: KeptFilesOptions) {
    this.#options = options
  }

  /** Whether files are put into a store. */
  get hasStore(): boolean {
    return this.#options.files !== undefined
  }

  /** The file in the folder of an output or a job; undefined if it is not there. */
  async localPath(outputId: string, path: string): Promise<string | undefined> {
    const file = join(this.#options.folderOf(outputId), path)
    return (await stat(file).catch(() => undefined))?.isFile() ? file : undefined
  }

  /** Adds where one of its files is, unless that is this machine. Default: a file that is not in its record. */
  async locate<F extends FilesOf>(
    output: F,
    file?: Pick<OutputFileRecord, 'heldBy' | 'isStored'>,
  ): Promise<F & Required<Pick<FilesOf, 'isStored' | 'heldBy'>>> {
    const isStored = file?.heldBy === undefined && (file?.isStored ?? output.storedAt !== null)
    const heldBy = isStored
      ? undefined
      : (file?.heldBy ?? (await this.#options.outputs.elsewhere(output.outputId)))
    return { ...output, isStored, heldBy }
  }

  /** From the store, or from another node. @throws {FileStoreError} */
  async read(output: FilesOf, path: string, range?: string): Promise<StoredFile | Unsatisfiable | undefined> {
    const { files, key } = this.#placeOf(output, path)
    return files?.read(key, range)
  }

  /** Of a file in the store, or on another node. @throws {FileStoreError} */
  async sizeOf(output: FilesOf, path: string): Promise<number | undefined> {
    const { files, key } = this.#placeOf(output, path)
    return files?.sizeOf(key)
  }

  #placeOf(output: FilesOf, path: string) {
    const { files, onNode } = this.#options
    const { heldBy, outputId } = output
    if (heldBy !== undefined) return { files: onNode?.(heldBy), key: `${outputId}/${path}` }
    return { files: isStored(output) ? files : undefined, key: keyOf(output, path) }
  }

  /** A file for programs; undefined if there is none. @throws {FileStoreError} */
  borrow(output: FilesOf, path: string): Promise<BorrowedFile | undefined> {
    return this.#borrow(output, path, { whole: false })
  }

  /**
   * The same; a playlist comes with the files that it names, beside it.
   * @throws {FileStoreError}
   * @throws the reason of `signal`
   */
  borrowWhole(output: FilesOf, path: string, signal: AbortSignal): Promise<BorrowedFile | undefined> {
    return this.#borrow(output, path, { whole: path.endsWith('.m3u8'), signal })
  }

  async #borrow(
    output: FilesOf,
    path: string,
    { whole, signal }: { whole: boolean; signal?: AbortSignal },
  ): Promise<BorrowedFile | undefined> {
    const release = this.hold(output.outputId)
    const size = await this.#sizeHere(output.outputId, path, whole)
    if (size !== undefined) {
      return {
        path: join(this.#options.folderOf(output.outputId), path),
        size,
        release: () => {
          release()
          return Promise.resolve()
        },
      }
    }
    release()
    const folder = join(this.#options.borrowedFolder, this.#options.newId())
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
    try {
      const fetched = await this.#fetch(output, path, { folder, whole, signal })
      if (fetched === undefined) await remove()
      return fetched === undefined ? undefined : { path: join(folder, path), size: fetched, release: remove }
    } catch (error) {
      await remove()
      signal?.throwIfAborted()
      throw error
    }
  }

  /** Undefined if it is not on this machine, or not all of it. */
  async #sizeHere(outputId: string, path: string, whole: boolean): Promise<number | undefined> {
    const folder = this.#options.folderOf(outputId)
    try {
      const names = whole ? namedIn(await readFile(join(folder, path), 'utf8')) : []
      const paths = [path, ...names.map((name) => join(dirname(path), name))]
      let size = 0
      for (const one of paths) {
        const found = await stat(join(folder, one))
        if (!found.isFile()) return undefined
        size += found.size
      }
      return size
    } catch {
      return undefined
    }
  }

  /** Copies what is not on this machine. Answers how long it is; undefined if it is not there. */
  async #fetch(
    output: FilesOf,
    path: string,
    { folder, whole, signal }: { folder: string; whole: boolean; signal: AbortSignal | undefined },
  ): Promise<number | undefined> {
    const copy = async (one: string): Promise<number | undefined> => {
      signal?.throwIfAborted()
      const found = await this.read(output, one)
      if (!found || 'unsatisfiable' in found) return undefined
      if (!(await this.#options.hasRoom(found.length))) {
        found.body.destroy()
        throw new NoRoomError('This machine has no room for a copy of the file.')
      }
      await mkdir(dirname(join(folder, one)), { recursive: true, mode: 0o700 })
      await pipeline(found.body, createWriteStream(join(folder, one)), { signal })
      return found.length
    }
    const own = await copy(path)
    if (own === undefined || !whole) return own
    let size = own
    const names = namedIn(await readFile(join(folder, path), 'utf8'))
    for (let next = 0; next < names.length; next += AT_ONCE) {
      const some = names.slice(next, next + AT_ONCE)
      // All of them have ended before the folder may be deleted.
      const copied = await Promise.allSettled(some.map((name) => copy(join(dirname(path), name))))
      for (const one of copied) {
        if (one.status === 'rejected') throw one.reason
        if (one.value === undefined) throw new FileStoreError('A file of a playlist is missing.')
        size += one.value
      }
    }
    return size
  }

  /**
   * Has a file made that belongs to an output from then on. `make` writes it into the folder that it is given, and answers its path there.
   * @throws {FileStoreError}
   */
  async add<Made extends { path: string }>(
    output: FilesOf & Pick<OutputRecord, 'endedAt'>,
    make: (folder: string) => Promise<Made | undefined>,
  ): Promise<Made | undefined> {
    const { files, folderOf, borrowedFolder, newId } = this.#options
    const { outputId, endedAt } = output
    const isAway = isStored(output)
    const folder = isAway ? join(borrowedFolder, newId()) : folderOf(outputId)
    const release = this.hold(outputId)
    try {
      if (isAway) await mkdir(folder, { recursive: true, mode: 0o700 })
      const made = await make(folder)
      // Where the others are being put away, it may come too late to be found with them.
      if (made && files && endedAt !== null)
        await files
          .put(keyOf(output, made.path), join(folder, made.path), contentTypeOf(made.path) ?? '')
          .catch((error: unknown) => {
            if (isAway) throw error
          })
      return made
    } finally {
      release()
      if (isAway) await rm(folder, { recursive: true, force: true })
    }
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

  /** Nobody sees the output any more. Its files on this machine are gone then, and those in the store and on another node soon. */
  async drop(output: FilesOf): Promise<void> {
    const { now, beforeDrop, outputs, files } = this.#options
    await beforeDrop()
    await this.#rowsOf(output).markDeleted(output.outputId, now())
    const isHere = (await outputs.elsewhere(output.outputId)) === undefined
    if (output.storedAt === null && files === undefined && isHere) await this.finishDrop(output)
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

/** The files beside a playlist of ours. */
const namedIn = (playlist: string): string[] =>
  playlist.split('\n').filter((line) => /^[\w-]+\.\w+$/.test(line))
