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
  const { jobId: id, secret, baseUrl, problem, files } = job
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
