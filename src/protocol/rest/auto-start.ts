/** What begins by itself with each session of a meeting (contract, outputs §2.4). */
import { Type, type Static } from 'typebox'
import { CheckedDirPath, CompositionConfig, optional, TranscriptOfRecording, Url } from '../outputs.ts'
import { StartCompositeBody } from './composite-recordings.ts'

export const AutoStartConfig = Type.Object({
  recording: optional(
    Type.Object({
      config: optional(CompositionConfig),
      transcription: optional(TranscriptOfRecording),
      templateUrl: optional(Url),
      awsDirPath: optional(CheckedDirPath),
    }),
  ),
  hls: optional(
    Type.Object({
      config: optional(CompositionConfig),
      transcription: optional(TranscriptOfRecording),
      templateUrl: optional(Url),
    }),
  ),
  composite: optional(
    Type.Omit(StartCompositeBody, ['roomId', 'preSignedURL'], {
      description:
        'As the body of `POST /v2/recordings/composite/start`. The image of a watermark is given as `imageBase64`, and there is no `preSignedURL`, which takes one file only.',
    }),
  ),
})
export type AutoStartConfig = Static<typeof AutoStartConfig>
