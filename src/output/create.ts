/** Creates the engines of this process. */
import type { OutputEngine, Outputs } from './output.ts'
import { createTranscriber, type TranscriberOptions } from './speech/transcriber.ts'
import { createParticipantRecorder, createTrackRecorder } from './tracks/create.ts'
import type { RecorderOptions } from './tracks/recorder.ts'

export interface OutputsOptions {
  transcription: TranscriberOptions
  /** Of participants and tracks; without it they are not recorded. */
  recorder?: RecorderOptions
}

export function createOutputs({ transcription, recorder }: OutputsOptions): Outputs {
  return {
    recording: absent('recordings'),
    hls: absent('HLS'),
    livestream: absent('livestreams'),
    transcription: createTranscriber(transcription),
    participant: recorder ? createParticipantRecorder(recorder) : absent('recordings of participants'),
    track: recorder ? createTrackRecorder(recorder) : absent('recordings of tracks'),
  }
}

/** A kind of output that this version does not make. */
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
