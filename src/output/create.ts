/** Creates the engines of this process. */
import type { OutputEngine, Outputs } from './output.ts'
import { createTranscriber, type TranscriberOptions } from './speech/transcriber.ts'

export interface OutputsOptions {
  transcription: TranscriberOptions
}

export function createOutputs(options: OutputsOptions): Outputs {
  return {
    recording: absent('recordings'),
    hls: absent('HLS'),
    livestream: absent('livestreams'),
    transcription: createTranscriber(options.transcription),
    participant: absent('recordings of participants'),
    track: absent('recordings of tracks'),
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
