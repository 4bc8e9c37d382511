/** Outputs in the shapes of the REST API. */
import type { OutputFileRecord, OutputRecord } from '../../../store/store.ts'
import type { Hls, Livestream } from '../../../protocol/rest/broadcasts.ts'
import type { CompositeRecording } from '../../../protocol/rest/composite-recordings.ts'
import type { CompositeConfig } from '../../../output/output.ts'
import type { OutputFileShape, Recording } from '../../../protocol/rest/outputs.ts'
import type { ParticipantRecording, TrackRecording } from '../../../protocol/rest/participant-recordings.ts'
import type { Transcription } from '../../../protocol/rest/transcriptions.ts'
import type { Composition } from '../../../protocol/outputs.ts'
import { fileAddress } from '../../../meeting/outputs/addresses.ts'
import { noWebhooks } from './webhook-counts.ts'

const iso = (at: number): string => new Date(at).toISOString()
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at))

/** The fields of every output. `baseUrl`: of the caller, who may know this server by another address than the starter. */
function toOutput(output: OutputRecord, baseUrl: string) {
  const { outputId, meetingId, sessionId, projectId, createdAt, startedAt, endedAt } = output
  return {
    id: outputId,
    roomId: meetingId,
    sessionId,
    userId: projectId,
    createdAt: iso(createdAt),
    updatedAt: iso(endedAt ?? startedAt ?? createdAt),
    start: isoOrNull(startedAt ?? createdAt),
    end: isoOrNull(endedAt),
    webhook: noWebhooks,
    links: {
      get_room: `${baseUrl}/v2/rooms/${meetingId}`,
      get_session: `${baseUrl}/v2/sessions/${sessionId}`,
    },
  }
}

export function toFile(
  output: Pick<OutputRecord, 'outputId' | 'secret'>,
  file: OutputFileRecord,
  baseUrl: string,
): OutputFileShape {
  const { fileId, path, type, size, meta = {}, endedAt } = file
  const { resolution, duration } = meta
  return {
    id: fileId,
    type,
    size,
    filePath: `/${path}`,
    fileUrl: fileAddress({ ...output, baseUrl }, path),
    userStorage: null,
    meta,
    ratio: resolution && duration ? { [resolution.height]: Math.round(size / duration) } : {},
    createdAt: iso(endedAt),
    updatedAt: iso(endedAt),
  }
}

export function toParticipantRecording(output: OutputRecord, baseUrl: string): ParticipantRecording {
  const { participantName, fileFormat } = output.config as { participantName?: string; fileFormat?: string }
  return {
    ...toOutput(output, baseUrl),
    participantId: output.participantId ?? '',
    participantName: participantName ?? '',
    fileFormat: fileFormat ?? 'webm',
    files: output.files.map((file) => toFile(output, file, baseUrl)),
  }
}

export function toTrackRecording(output: OutputRecord, baseUrl: string): TrackRecording {
  return { ...toParticipantRecording(output, baseUrl), kind: String(output.config.kind) }
}

export function toRecording(output: OutputRecord, baseUrl: string): Recording {
  const [file] = output.files
  return {
    ...toOutput(output, baseUrl),
    fileId: file?.fileId ?? null,
    file: file ? toFile(output, file, baseUrl) : null,
    ...(output.files.length > 1 && { files: output.files.map((one) => toFile(output, one, baseUrl)) }),
  }
}

export function toCompositeRecording(output: OutputRecord, baseUrl: string): CompositeRecording {
  const { participants, fileFormat } = output.config as unknown as CompositeConfig
  return {
    ...toRecording(output, baseUrl),
    meetingId: output.meetingId,
    participants: (participants ?? []).map(({ participantId, kinds }) => ({ participantId, kind: kinds })),
    fileFormat,
  }
}

export function toHls(output: OutputRecord, baseUrl: string): Hls {
  const { startedAt, endedAt, files, outputId } = output
  const { quality, orientation, mode } = output.config as unknown as Composition
  const [whole] = files
  const lasted = startedAt === null || endedAt === null ? null : (endedAt - startedAt) / 1000
  const playbackHlsUrl = fileAddress({ ...output, baseUrl }, 'index.m3u8')
  return {
    ...toOutput(output, baseUrl),
    playbackHlsUrl,
    livestreamUrl: fileAddress({ ...output, baseUrl }, 'live.m3u8'),
    downstreamUrl: playbackHlsUrl,
    duration: whole?.meta?.duration ?? lasted,
    quality,
    orientation,
    mode,
    composerId: outputId,
    captureLog: [],
  }
}

export function toLivestream(output: OutputRecord, baseUrl: string): Livestream {
  const { targets = [] } = output.config as { targets?: { url: string }[] }
  return {
    ...toOutput(output, baseUrl),
    composerId: output.outputId,
    outputs: targets.map(({ url }) => ({ url })),
  }
}

export function toTranscription(output: OutputRecord, baseUrl: string): Transcription {
  const { outputId, state, meetingId: roomId, sessionId, createdAt, startedAt, endedAt, files } = output
  const addresses = (name: string) =>
    Object.fromEntries(
      files
        .map(({ path }) => [path, path.split('/').at(-1)!] as const)
        .filter(([, last]) => last.startsWith(`${name}.`))
        .map(([path, last]) => [last.slice(name.length + 1), fileAddress({ ...output, baseUrl }, path)]),
    )
  return {
    id: outputId,
    status: state,
    roomId,
    sessionId,
    start: isoOrNull(startedAt ?? createdAt),
    end: isoOrNull(endedAt),
    transcriptionFilePaths: addresses('transcription'),
    summarizedFilePaths: addresses('summary'),
    extension: { enabled: true, provider: 'anteroom', extensionConfig: { roomId, sessionId } },
  }
}
