/** Puts the files of outputs and jobs that have ended into the store of files, and deletes there what was deleted here. Goes on after a restart. */
import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { contentTypeOf } from '../../output/files/content-types.ts'
import { FileStoreError } from '../../output/files/problem.ts'
import type { FileStore } from '../../output/files/files.ts'
import type { OutputFileRecord, OutputPiece, Store } from '../../store/store.ts'
import { filesOfJob, keyOf, folderKeyOf, type FilesOf, type KeptFiles } from './kept-files.ts'
import { pieceName } from './pieces.ts'

export interface PutAwayOptions {
  outputs: Pick<Store['outputs'], 'get' | 'change' | 'unstored' | 'deleted' | 'pieces'>
  jobs: Pick<Store['jobs'], 'get' | 'change' | 'unstored' | 'deleted'>
  files: FileStore
  kept: KeptFiles
  /** Holds the folders of all outputs and jobs. */
  folder: string
  folderOf: (outputId: string) => string
  now: () => number
  log: PutAwayLog
}

interface PutAwayLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** An output or a job that has ended. */
type Ended = FilesOf & { files: readonly unknown[] }

/** How soon one that has ended is noticed. */
const LOOK_MS = 3000
/** After a failure; twice as long after each further one. */
const FIRST_RETRY_MS = 5000
const LAST_RETRY_MS = 300_000
const AT_ONCE = 4
const STEP = 100

export class PutAway {
  readonly #options: PutAwayOptions
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #isStopped = false
  #failures = 0
  /** Outputs and jobs that could not be read here; they are tried again after the next start. */
  readonly #unreadable = new Set<string>()

  constructor(options: PutAwayOptions) {
    this.#options = options
  }

  start(): void {
    this.#begin(true)
  }

  /** Ends what is under way; it is done anew after the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#options.files.close()
    await this.#round
  }

  #begin(isFirst: boolean): void {
    this.#round = this.#work(isFirst)
      .then(
        () => {
          if (this.#failures > 0)
            this.#options.log.info({ place: this.#options.files.place }, 'reached the store of files again')
          this.#failures = 0
          return LOOK_MS
        },
        (error: unknown) => {
          const waitMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LAST_RETRY_MS)
          this.#failures++
          if (!this.#isStopped) this.#report(error, waitMs)
          return waitMs
        },
      )
      .then((waitMs) => {
        if (this.#isStopped) return
        this.#timer = setTimeout(() => this.#begin(false), waitMs).unref()
      })
  }

  #report(error: unknown, waitMs: number): void {
    const seconds = Math.round(waitMs / 1000)
    const why = error instanceof FileStoreError ? error.message : 'The files could not be put away.'
    this.#options.log.warn(
      { err: error },
      `keep files on this machine, and try the store of files again in ${seconds} s: ${why}`,
    )
  }

  async #work(isFirst: boolean): Promise<void> {
    const { outputs, jobs, files, kept } = this.#options
    if (isFirst) {
      // Tells at the start whether the store can be used.
      await files.sizeOf('anteroom')
      await this.#leaveStored()
    }
    const deletedJobs = (await jobs.deleted(STEP)).map(filesOfJob)
    for (const one of [...(await outputs.deleted(STEP)), ...deletedJobs]) {
      if (this.#isStopped) return
      await kept.finishDrop(one)
    }
    // Those that cannot be read stay at the head of the list.
    const limit = STEP + this.#unreadable.size
    const unstoredJobs = (await jobs.unstored(limit)).map(filesOfJob)
    for (const one of [...(await outputs.unstored(limit)), ...unstoredJobs]) {
      if (this.#isStopped) return
      if (!this.#unreadable.has(one.outputId)) await this.#putAway(one)
    }
    for (const one of await outputs.pieces.unstored(limit)) {
      if (this.#isStopped) return
      await this.#putPiece(one)
    }
  }

  /** Folders that a killed process had no time to delete. */
  async #leaveStored(): Promise<void> {
    const { outputs, jobs, kept, folder } = this.#options
    for (const id of await readdir(folder).catch(() => [])) {
      const one = (await outputs.get(id)) ?? (await jobs.get(id))
      if (one && one.storedAt !== null) await kept.leaveFolder(id)
    }
  }

  async #putAway(output: Ended): Promise<void> {
    const { outputs, jobs, files, kept, now, log } = this.#options
    const { outputId } = output
    const rows = output.isJob ? jobs : outputs
    const release = kept.hold(outputId)
    try {
      const paths = await this.#pathsOf(outputId)
      if (
        paths.length === 0 &&
        output.files.length > 0 &&
        (await files.list(folderKeyOf(output))).length === 0
      )
        throw new Error('its files are not on this machine')
      await this.#putAll(output, paths)
      // Deleted meanwhile: what was put is dropped with it, as it is still marked.
      if (!(await rows.get(outputId))) return
      await rows.change(outputId, { storedAt: now() })
      if (paths.length > 0)
        log.info({ outputId, files: paths.length }, 'put the files of an output into the store')
    } catch (error) {
      if (!(await rows.get(outputId))) return
      if (error instanceof FileStoreError) throw error
      this.#unreadable.add(outputId)
      log.warn(
        { err: error, outputId },
        'leave the files of an output where they are, as they cannot be read',
      )
      return
    } finally {
      release()
    }
    await kept.leaveFolder(outputId)
  }

  /** What this node made of an output that went on at another one. */
  async #putPiece({ output, piece, files }: OutputPiece & { files: OutputFileRecord[] }): Promise<void> {
    const { outputs, kept, now, log } = this.#options
    const { outputId } = output
    const name = pieceName(outputId, piece)
    if (this.#unreadable.has(name)) return
    const release = kept.hold(outputId)
    try {
      const paths = files.map(({ path }) => path)
      const found = await Promise.all(paths.map((path) => kept.localPath(outputId, path)))
      if (found.includes(undefined)) {
        this.#unreadable.add(name)
        log.warn({ outputId, piece }, 'leave a piece of an output where it is, as it cannot be read')
        return
      }
      await this.#putAll(output, paths)
      await outputs.pieces.stored(outputId, piece, now())
    } finally {
      release()
    }
  }

  async #pathsOf(outputId: string): Promise<string[]> {
    const folder = this.#options.folderOf(outputId)
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && !entry.name.endsWith('.part'))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  }

  /** Playlists last, so that what they name is there. */
  async #putAll(output: FilesOf, paths: readonly string[]): Promise<void> {
    const { files, folderOf } = this.#options
    const folder = folderOf(output.outputId)
    const ordered = paths.toSorted((a, b) => Number(a.endsWith('.m3u8')) - Number(b.endsWith('.m3u8')))
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < ordered.length && !this.#isStopped) {
        const path = ordered[next++]!
        const type = contentTypeOf(path) ?? 'application/octet-stream'
        await files.put(keyOf(output, path), join(folder, path), type)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    if (this.#isStopped) throw new FileStoreError('The server stops.')
  }
}
