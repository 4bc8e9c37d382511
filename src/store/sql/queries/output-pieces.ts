import type { Kysely, Selectable } from 'kysely'
import type { OutputFileRecord, OutputPieceStore } from '../../contract/outputs.ts'
import type { OutputRecord } from '../../store.ts'
import type { Schema } from '../schema.ts'
import type { SqlContext } from '../sql-context.ts'

type Row = Selectable<Schema['outputs']>

export function pieceQueries(
  { db, write, nodeId }: SqlContext,
  toOutput: (row: Row) => OutputRecord,
): OutputPieceStore {
  /** Of this node, with their outputs. */
  const mine = () =>
    db
      .selectFrom('output_pieces as pieces')
      .innerJoin('outputs', 'outputs.output_id', 'pieces.output_id')
      .where('pieces.node_id', '=', nodeId ?? '')
      .where('outputs.deleted_at', 'is', null)
      .selectAll('outputs')
      .select(['pieces.piece as its_piece', 'pieces.files as its_files'])
  type Found = Row & { its_piece: number; its_files: string | null }
  const toPiece = ({ its_piece: piece, ...row }: Found) => ({ output: toOutput(row), piece })
  return {
    takeOver: async (meetingId, sessionId) => {
      if (nodeId === null) return []
      return write({ lane: meetingId, fence: meetingId }, async (tx) => {
        const rows = await tx
          .selectFrom('outputs')
          .selectAll()
          .where('session_id', '=', sessionId)
          .where('state', 'in', ['starting', 'started'])
          .where('deleted_at', 'is', null)
          .orderBy('created_at')
          .execute()
        for (const { output_id, piece, node_id } of rows) {
          await tx
            .insertInto('output_pieces')
            .values({ output_id, piece, node_id: node_id ?? nodeId, files: null, stored_at: null })
            // What the node made of it may be known already.
            .onConflict((conflict) => conflict.columns(['output_id', 'piece']).doNothing())
            .execute()
          await tx
            .updateTable('outputs')
            .set({ piece: piece + 1, node_id: nodeId })
            .where('output_id', '=', output_id)
            .execute()
        }
        return rows.map((row) => ({ output: toOutput(row), piece: row.piece + 1 }))
      })
    },
    handIn: async (outputId, piece, made) => {
      const files = JSON.stringify(made)
      await write({ lane: outputId }, (tx) =>
        tx
          .insertInto('output_pieces')
          .values({ output_id: outputId, piece, node_id: nodeId ?? '', files, stored_at: null })
          .onConflict((conflict) => conflict.columns(['output_id', 'piece']).doUpdateSet({ files }))
          .execute(),
      )
    },
    unfinished: async () => {
      const rows = await mine().where('pieces.files', 'is', null).execute()
      return rows.map(toPiece)
    },
    unstored: async (limit) => {
      const rows = await mine()
        .where('pieces.files', 'is not', null)
        .where('pieces.stored_at', 'is', null)
        .limit(limit)
        .execute()
      return rows.map((row) => ({
        ...toPiece(row),
        files: JSON.parse(row.its_files!) as OutputFileRecord[],
      }))
    },
    stored: async (outputId, piece, at) => {
      await write({ lane: outputId }, (tx) =>
        tx
          .updateTable('output_pieces')
          .set({ stored_at: at })
          .where('output_id', '=', outputId)
          .where('piece', '=', piece)
          .execute(),
      )
    },
    missing: async (outputId) => {
      const rows = await db
        .selectFrom('output_pieces')
        .select('node_id')
        .distinct()
        .where('output_id', '=', outputId)
        .where('files', 'is', null)
        .execute()
      return rows.map(({ node_id }) => node_id)
    },
    ofDropped: async () => {
      const rows = await db
        .selectFrom('output_pieces')
        .select('output_id')
        .distinct()
        .where('node_id', '=', nodeId ?? '')
        .where('output_id', 'not in', db.selectFrom('outputs').select('output_id'))
        .execute()
      return rows.map(({ output_id }) => output_id)
    },
    drop: async (outputId) => {
      await write({ lane: outputId }, (tx) =>
        tx
          .deleteFrom('output_pieces')
          .where('output_id', '=', outputId)
          .where('node_id', '=', nodeId ?? '')
          .execute(),
      )
    },
  }
}

/** Adds the files of earlier pieces to outputs that moved, before their own. */
export async function withPieces(
  db: Kysely<Schema>,
  rows: readonly Row[],
  outputs: OutputRecord[],
): Promise<OutputRecord[]> {
  const moved = rows.filter(({ piece }) => piece > 1).map(({ output_id }) => output_id)
  if (moved.length === 0) return outputs
  const pieces = await db
    .selectFrom('output_pieces')
    .selectAll()
    .where('output_id', 'in', moved)
    .where('files', 'is not', null)
    .orderBy('piece')
    .execute()
  const filesOf = (outputId: string): OutputFileRecord[] =>
    pieces
      .filter(({ output_id }) => output_id === outputId)
      .flatMap(({ files, node_id, stored_at }) =>
        (JSON.parse(files!) as OutputFileRecord[]).map((file) => ({
          ...file,
          ...(stored_at === null ? { heldBy: node_id } : { isStored: true as const }),
        })),
      )
  return outputs.map((output) => ({ ...output, files: [...filesOf(output.outputId), ...output.files] }))
}
