/** Finishes what a stopped or killed server left unfinished. */
import type { OutputFile } from '../../output/output.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { OutputRecord } from '../../store/store.ts'
import { deliveriesOf, engineOf, fileRecords, type OutputParts } from './parts.ts'

/**
 * Finds the outputs that an earlier process left behind, and then, while the server already works, reports each as stopped with the
 * files that can be made of it, or as failed.
 */
export async function recoverOutputs(parts: OutputParts): Promise<void> {
  const left = await parts.store.outputs.unfinished()
  const work = finishAll(parts, left).finally(() => parts.ending.delete(work))
  parts.ending.add(work)
}

/** One after the other, as making files costs processor time. */
async function finishAll(parts: OutputParts, left: readonly OutputRecord[]): Promise<void> {
  for (const output of left) {
    if (parts.isStopping) return
    try {
      await finish(parts, output)
    } catch (error) {
      // The next start finishes it.
      if (error instanceof Refusal && error.code === 'SERVER_STOPPING') return
      parts.onError(error, 'failed to report a recovered output')
    }
  }
}

async function finish(parts: OutputParts, output: OutputRecord): Promise<void> {
  const files = fileRecords(await recover(parts, output), parts.newOutputId)
  // A livestream leaves no file.
  const state = files.length > 0 || output.kind === 'livestream' ? 'stopped' : 'failed'
  const endedAt = Math.max(output.createdAt, ...files.map((file) => file.endedAt))
  const meeting = await parts.store.meetings.get(output.meetingId)
  const deliveries = meeting ? deliveriesOf(parts, meeting, { ...output, files }, state) : []
  await parts.store.outputs.change(output.outputId, { state, endedAt, files }, deliveries)
  await parts.followUp({ ...output, state, endedAt, files })
}

async function recover(parts: OutputParts, output: OutputRecord): Promise<OutputFile[]> {
  const { outputId, kind, config } = output
  try {
    return await engineOf(parts.engines, kind).recover({ outputId, folder: parts.folderOf(outputId), config })
  } catch (error) {
    if (error instanceof Refusal && error.code === 'SERVER_STOPPING') throw error
    parts.onError(error, 'failed to recover an output')
    return []
  }
}
