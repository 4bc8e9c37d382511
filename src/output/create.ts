/** Creates the engines of this process. */
import { createCompositeRecorder } from './composites/create.ts'
import { createComposer, type Composer, type ComposerOptions } from './composer/create.ts'
import type { OutputEngine, Outputs } from './output.ts'
import { createTranscriber, type TranscriberOptions } from './speech/transcriber.ts'
import { createParticipantRecorder, createTrackRecorder } from './tracks/create.ts'
import type { RecorderOptions } from './tracks/recorder.ts'

export type { ComposerOptions }

export interface OutputsOptions {
  /** If undefined, there are no compositions. */
  composer?: ComposerOptions
  transcription: TranscriberOptions
  /** For recordings of participants and tracks; if undefined, there are none. */
  recorder?: RecorderOptions
}

export function createOutputs({ composer, transcription, recorder }: OutputsOptions): Outputs {
  return {
    ...(composer ? createComposer(composer) : absentComposer()),
    transcription: createTranscriber(transcription),
    participant: recorder ? createParticipantRecorder(recorder) : absent('recordings of participants'),
    track: recorder ? createTrackRecorder(recorder) : absent('recordings of tracks'),
    composite: recorder ? createCompositeRecorder(recorder) : absent('composite recordings'),
  }
}

function absentComposer(): Composer {
  return {
    recording: absent('recordings'),
    hls: { ...absent('HLS'), takeThumbnail: () => Promise.resolve(undefined) },
    livestream: absent('livestreams'),
  }
}

/** A kind of output that this server does not support. */
function absent<Config>(what: string): OutputEngine<Config> {
  const unavailable = `This server does not make ${what}.`
  return {
    unavailable,
    start: () => {
      throw new Error(unavailable)
    },
    recover: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  }
}
