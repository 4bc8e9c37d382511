/** What each kind of job tells the backend (contract, outputs §4). Pure. */
import type { JobEvent, JobPhase } from '../../protocol/webhooks.ts'
import type { JobKind, JobRecord } from '../../store/store.ts'
import { fileAddress } from '../outputs/addresses.ts'

interface Row {
  /** Its webhooks, by what happens to it. */
  events: Partial<Record<JobPhase, JobEvent>>
}

export const jobKinds: Record<JobKind, Row> = {
  'composite-merge': { events: eventsOf('composite-merge') },
  'hls-to-mp4': { events: eventsOf('hls-to-mp4') },
  'meeting-recording-merge': { events: eventsOf('meeting-recording-merge') },
  'participant-merge': {
    events: { completed: 'merge-recording-completed', failed: 'merge-recording-failed' },
  },
  'post-transcription': {
    events: {
      started: 'transcription-started',
      completed: 'transcription-stopped',
      failed: 'transcription-failed',
      cancelled: 'transcription-failed',
    },
  },
}

function eventsOf(
  name: 'composite-merge' | 'hls-to-mp4' | 'meeting-recording-merge',
): Record<JobPhase, JobEvent> {
  return {
    started: `${name}-started`,
    completed: `${name}-completed`,
    failed: `${name}-failed`,
    cancelled: `${name}-cancelled`,
  }
}

/** What a webhook tells beyond the event. */
export function jobDetails(job: JobRecord): Record<string, unknown> {
  const { jobId: id, secret, baseUrl, problem, files, kind, outputId: recordingId } = job
  if (kind === 'post-transcription')
    return {
      id,
      type: 'post',
      recordingId,
      ...(problem !== null && { message: problem }),
      ...(files.length > 0 && textAddresses(job)),
    }
  const [file] = files
  return {
    id,
    ...(problem !== null && { message: problem }),
    ...(file && {
      filePath: `/${file.path}`,
      fileUrl: fileAddress({ outputId: id, secret, baseUrl }, file.path),
    }),
  }
}

/** Where the texts of a transcription are, each by the ending of its name. */
export function textAddresses({ jobId: outputId, secret, baseUrl, files }: JobRecord) {
  const named = (name: string): Record<string, string> =>
    Object.fromEntries(
      files
        .map(({ path }) => path)
        .filter((path) => path.startsWith(`${name}.`))
        .map((path) => [path.slice(name.length + 1), fileAddress({ outputId, secret, baseUrl }, path)]),
    )
  return { transcriptionFilePaths: named('transcription'), summarizedFilePaths: named('summary') }
}
