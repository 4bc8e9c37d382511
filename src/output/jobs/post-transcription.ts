import type { TranscriptionEngine } from '../output.ts'
import type { JobEngine } from './job.ts'
import { RecogniserError } from '../speech/recogniser.ts'
import { JobProblem } from './problem.ts'

/** Makes the text of a recording. Without a recogniser it fails and says why: the recording is worth having all the same. */
export function postTranscription(transcription: TranscriptionEngine): JobEngine {
  return {
    unavailable: undefined,
    run: async (config, { folder, inputs, signal }) => {
      const { recordedUnavailable } = transcription
      if (recordedUnavailable !== undefined) throw new JobProblem(recordedUnavailable)
      const { path, startedAt, endedAt } = inputs[0]!
      try {
        return await transcription.transcribeRecorded({
          path,
          startedAt,
          endedAt,
          folder,
          config,
          signal,
        })
      } catch (error) {
        throw error instanceof RecogniserError ? new JobProblem(error.message, { cause: error }) : error
      }
    },
  }
}
