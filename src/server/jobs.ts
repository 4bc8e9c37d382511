/** Wires what is made of outputs after they ended. */
import type { Logger } from 'pino'
import { Jobs } from '../meeting/jobs/jobs.ts'
import { postTranscriptionOrder } from '../meeting/jobs/post-transcription.ts'
import type { OutputParts } from '../meeting/outputs/parts.ts'
import { FileStoreError, NodeAwayError, NoRoomError } from '../output/files/problem.ts'
import { JobProblem, NO_ROOM } from '../output/jobs/problem.ts'
import type { OutputRecord } from '../store/store.ts'
import { createJobEngines } from '../output/jobs/create.ts'
import { findPrograms } from '../output/programs.ts'
import type { Ground } from './ground.ts'

export function openJobs({ config, parts: given }: Ground, parts: OutputParts): Jobs {
  return new Jobs({
    parts,
    engines:
      given.jobs ??
      createJobEngines({
        ...findPrograms(config, process.env.PATH ?? ''),
        transcription: parts.engines.transcription,
        diskReserveBytes: config.diskReserveMegabytes * 1_000_000,
      }),
    borrowFile: async (outputId, file, signal) => {
      const output = await parts.store.outputs.get(outputId)
      if (!output) return undefined
      return parts.kept
        .borrowWhole(await parts.kept.locate(output, file), file.path, signal)
        .catch((error: unknown) => {
          if (!(error instanceof FileStoreError)) throw error
          const why =
            error instanceof NoRoomError
              ? NO_ROOM
              : error instanceof NodeAwayError
                ? error.message
                : 'The store of files cannot be read now.'
          throw new JobProblem(why, { cause: error })
        })
    },
    maxJobs: config.maxJobs,
  })
}

/** Begins what was asked for with an output that has ended. Never rejects: the output is there all the same. */
export async function followUp(jobs: Jobs, ended: OutputRecord, log: Logger): Promise<void> {
  const order = postTranscriptionOrder(ended)
  if (!order) return
  try {
    await jobs.start(order)
  } catch (error) {
    log.error({ err: error, outputId: ended.outputId }, 'failed to begin the text of a recording')
  }
}
