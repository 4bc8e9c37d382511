/** Creates the engines of jobs of this process. */
import type { TranscriptionEngine } from '../output.ts'
import { compositeMerge } from './composite-merge.ts'
import { endToEnd } from './end-to-end.ts'
import { hlsToMp4 } from './hls-to-mp4.ts'
import type { JobEngine, JobEngines } from './job.ts'
import { postTranscription } from './post-transcription.ts'
import { whileThereIsRoom } from './room.ts'
import { stereo } from './stereo.ts'

export interface JobEnginesOptions {
  /** Undefined where there is none. */
  ffmpegBin: string | undefined
  /** Makes the texts of recordings. */
  transcription: TranscriptionEngine
  /** This much is left to the rest of the machine. */
  diskReserveBytes: number
}

export function createJobEngines({
  ffmpegBin,
  transcription,
  diskReserveBytes,
}: JobEnginesOptions): JobEngines {
  const engine = (make: (ffmpegBin: string) => JobEngine['run']): JobEngine => {
    const run = make(ffmpegBin ?? '')
    return {
      unavailable:
        ffmpegBin === undefined
          ? 'Merging and converting files needs ffmpeg on the server: install it, or set FFMPEG_BIN.'
          : undefined,
      run: (config, place) => whileThereIsRoom(place, diskReserveBytes, (inside) => run(config, inside)),
    }
  }
  return {
    'composite-merge': engine(compositeMerge),
    'hls-to-mp4': engine(hlsToMp4),
    'meeting-recording-merge': engine(endToEnd),
    'participant-merge': engine(stereo),
    'post-transcription': postTranscription(transcription),
  }
}
