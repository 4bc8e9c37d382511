/** Recordings of one participant, as callers of REST order them (contract, outputs §3.1). Pure. */
import { Refusal } from '../../protocol/errors.ts'
import type {
  StartParticipantRecordingBody,
  StartTrackRecordingBody,
} from '../../protocol/rest/participant-recordings.ts'
import { dirPathOf, keptOf, type OutputOrdered } from './orders.ts'

interface Caller {
  /** The address of this server as the caller knows it. */
  baseUrl: string
  /** The participant's, to be kept with the recording. */
  participantName: string
}

export function participantOrder(
  { participantId, fileFormat, ...more }: StartParticipantRecordingBody,
  caller: Caller,
): OutputOrdered {
  return {
    kind: 'participant',
    config: { participantId, fileFormat: fileFormat ?? 'webm' },
    ...common(more, caller),
  }
}

/** @throws {Refusal} INVALID_REQUEST */
export function trackOrder(
  { participantId, kind, fileFormat, ...more }: StartTrackRecordingBody,
  caller: Caller,
): OutputOrdered {
  if (fileFormat === 'mp3' && !kind.endsWith('audio'))
    throw new Refusal('INVALID_REQUEST', { message: 'MP3 holds sound alone: ask for webm or mp4.' })
  return {
    kind: 'track',
    config: { participantId, kind, fileFormat: fileFormat ?? 'webm' },
    ...common(more, caller),
  }
}

function common(
  {
    webhookUrl,
    bucketDirPath,
    metadata,
  }: Pick<StartTrackRecordingBody, 'webhookUrl' | 'bucketDirPath' | 'metadata'>,
  { baseUrl, participantName }: Caller,
) {
  return {
    baseUrl,
    webhookUrl: webhookUrl ?? null,
    kept: keptOf({ dirPath: dirPathOf('bucketDirPath', bucketDirPath), metadata, participantName }),
  }
}
