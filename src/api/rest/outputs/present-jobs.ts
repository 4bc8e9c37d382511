/** Jobs in the shapes of the REST API. */
import type { JobRecord } from '../../../store/store.ts'
import type { PostTranscription } from '../../../protocol/rest/post-transcriptions.ts'
import type { MergeRecording, Transcoding } from '../../../protocol/rest/transcodings.ts'
import { textAddresses } from '../../../meeting/jobs/kinds.ts'
import { toFile } from './present.ts'
import { noWebhooks } from './webhook-counts.ts'

const iso = (at: number): string => new Date(at).toISOString()
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))

/** The fields of every job. */
function toJob(job: JobRecord, baseUrl: string) {
  const { jobId, meetingId, sessionId, state, problem, files, secret } = job
  const [file] = files
  return {
    id: jobId,
    roomId: meetingId,
    sessionId,
    status: state,
    message: problem,
    file: file ? toFile({ outputId: jobId, secret }, file, baseUrl) : null,
    webhook: noWebhooks,
  }
}

export function toTranscoding(job: JobRecord, baseUrl: string): Transcoding {
  const { kind, inputs, outputId, createdAt, startedAt, endedAt } = job
  return {
    ...toJob(job, baseUrl),
    task: kind as Transcoding['task'],
    recordingIds: kind === 'hls-to-mp4' ? [] : [...new Set(inputs.map((input) => input.outputId))],
    hlsId: kind === 'hls-to-mp4' ? outputId : null,
    createdAt: iso(createdAt),
    startedAt: isoOrNull(startedAt),
    stoppedAt: isoOrNull(endedAt),
  }
}

export function toMergeRecording(job: JobRecord, baseUrl: string): MergeRecording {
  const channel = (side: number) => {
    const own = job.inputs.filter(({ group }) => group === side)
    const pairs = new Map(own.map(({ outputId, participantId }) => [outputId, participantId ?? '']))
    return [...pairs].map(([recordingId, participantId]) => ({ recordingId, participantId }))
  }
  return {
    ...toJob(job, baseUrl),
    meetingId: job.meetingId,
    channel1: channel(0),
    channel2: channel(1),
    start: iso(job.createdAt),
    end: isoOrNull(job.endedAt),
  }
}

export function toPostTranscription(job: JobRecord, baseUrl: string): PostTranscription {
  const { jobId, state, problem, meetingId, sessionId, outputId, inputs, startedAt, endedAt } = job
  const heard = inputs[0]?.file.path
  return {
    id: jobId,
    status: state,
    message: problem,
    roomId: meetingId,
    sessionId,
    recordingId: outputId,
    filePath: heard === undefined ? null : `/${heard}`,
    start: isoOrNull(startedAt),
    end: isoOrNull(endedAt),
    ...textAddresses({ ...job, baseUrl }),
  }
}
