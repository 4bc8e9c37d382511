/**
 * Pieces of outputs. When a meeting gets a new home, that node goes on with each output and begins a new piece of it. The node
 * that had it before hands in what it made: at once if it still runs, otherwise after its next start.
 */
import { join } from 'node:path'
import type { OutputFile } from '../../output/output.ts'
import type { RunningOutput } from './running.ts'
import type { OutputFileRecord, OutputKind, OutputPiece, OutputRecord } from '../../store/store.ts'
import { Refusal } from '../../protocol/errors.ts'
import { filesOfJob } from './kept-files.ts'
import { engineOf, fileRecords, type OutputParts } from './parts.ts'

/** How soon a piece is noticed that another node went on from. */
const LOOK_MS = 3000
/** The most that are deleted in one look. */
const AT_ONCE = 100

/** The folder of a piece within that of its output. HLS is replaced instead, so that it keeps its address. */
export function pieceFolder(kind: OutputKind, piece: number): string {
  return piece === 1 || kind === 'hls' ? '' : `piece-${piece}`
}

/** As files of the whole output. */
export function inPiece(
  kind: OutputKind,
  piece: number,
  files: readonly OutputFileRecord[],
): OutputFileRecord[] {
  const folder = pieceFolder(kind, piece)
  return folder === '' ? [...files] : files.map((file) => ({ ...file, path: `${folder}/${file.path}` }))
}

/** Names a piece in `OutputParts.making`. */
export const pieceName = (outputId: string, piece: number): string => `${outputId}/${piece}`

/** Ends what this process makes of an output that another node goes on with, and hands it in. */
export async function handIn(
  parts: OutputParts,
  { record, run, piece, turn }: Pick<RunningOutput, 'record' | 'run' | 'piece' | 'turn'>,
): Promise<void> {
  try {
    const files = await run.stop()
    await turn
    await write(parts, record, piece, files)
  } catch (error) {
    // The next start makes it.
    if (error instanceof Refusal && error.code === 'SERVER_STOPPING') return
    parts.onError(error, 'failed to hand in a piece of an output')
  } finally {
    parts.making.delete(pieceName(record.outputId, piece))
  }
}

async function write(
  { store, newOutputId }: OutputParts,
  { outputId, kind }: OutputRecord,
  piece: number,
  files: readonly OutputFile[],
): Promise<void> {
  // The new home has taken the place of what was streamed from here.
  const made = kind === 'hls' ? [] : inPiece(kind, piece, fileRecords(files, newOutputId))
  await store.outputs.pieces.handIn(outputId, piece, made)
}

/** Says which parts of an output that has ended are missing so far. */
export async function tellMissing({ store, warn }: OutputParts, { outputId }: OutputRecord): Promise<void> {
  const nodes = await store.outputs.pieces.missing(outputId)
  if (nodes.length > 0)
    warn({ outputId, nodes }, 'ended an output without what is on the disks of nodes that are away')
}

/** Hands in the pieces that an earlier process of this node left behind, and deletes the files of outputs and jobs that are gone. */
export class Pieces {
  readonly #parts: OutputParts
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined

  constructor(parts: OutputParts) {
    this.#parts = parts
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#work ??= this.#look()
        .catch((error: unknown) => this.#report(error, 'failed to look for pieces of outputs'))
        .finally(() => (this.#work = undefined))
    }, LOOK_MS).unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#work
  }

  async #look(): Promise<void> {
    const { store, making, kept, dropFolder } = this.#parts
    const { pieces } = store.outputs
    // What was deleted at another node. Where there is a store of files, `PutAway` does it.
    if (!kept.hasStore) {
      const jobs = (await store.jobs.deleted(AT_ONCE)).map(filesOfJob)
      for (const one of [...(await store.outputs.deleted(AT_ONCE)), ...jobs]) await kept.finishDrop(one)
    }
    for (const one of await pieces.unfinished()) {
      if (this.#parts.isStopping) return
      if (making.has(pieceName(one.output.outputId, one.piece))) continue
      await this.#recover(one).catch((error: unknown) =>
        this.#report(error, 'failed to hand in a piece of an output'),
      )
    }
    for (const outputId of await pieces.ofDropped()) {
      await dropFolder(outputId)
      await pieces.drop(outputId)
    }
  }

  async #recover({ output, piece }: OutputPiece): Promise<void> {
    const { engines, folderOf } = this.#parts
    const { outputId, kind, config } = output
    const folder = join(folderOf(outputId), pieceFolder(kind, piece))
    const files = await engineOf(engines, kind)
      .recover({ outputId, folder, config })
      .catch((error: unknown) => {
        if (error instanceof Refusal && error.code === 'SERVER_STOPPING') throw error
        this.#report(error, 'failed to recover a piece of an output')
        return []
      })
    await write(this.#parts, output, piece, files)
  }

  #report(error: unknown, message: string): void {
    if (!this.#parts.isStopping) this.#parts.onError(error, message)
  }
}
