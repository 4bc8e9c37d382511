/** What a caller orders, in the words of the contract (outputs §2), and what is stored of it. Pure. */
import type { Static } from 'typebox'
import { Compile } from 'typebox/compile'
import type {
  CompositeConfig,
  HlsConfig,
  LivestreamConfig,
  ParticipantRecordingConfig,
  RecordingConfig,
  TrackRecordingConfig,
  TranscriptionConfig,
} from '../../output/output.ts'
import type { RequestData } from '../../protocol/requests.ts'
import { Refusal, type ErrorName } from '../../protocol/errors.ts'
import type { StartRecordingBody } from '../../protocol/rest/outputs.ts'
import {
  compositionOf,
  LivestreamOutputs,
  readDirPath,
  type CompositionConfig,
  type TranscriptOfRecording,
} from '../../protocol/outputs.ts'

interface Common {
  /** The address of this server as the caller knows it; files are found under it. */
  baseUrl: string
  /** Hears of this output, beside the meeting's own webhook. */
  webhookUrl: string | null
  /** Where its file is to be put as well, by an address that the caller had signed. A secret. */
  uploadTo?: string | undefined
  /** The API key of the caller; null or absent: the meeting's settings start it, or the key is that of the participant who does. */
  apiKey?: string | null
  /** What is kept with it for later: where to put its files, what to make of them. */
  kept?: Readonly<Record<string, unknown>>
}

export type OutputOrdered = Common &
  (
    | { kind: 'recording'; config: RecordingConfig }
    | { kind: 'hls'; config: HlsConfig }
    | { kind: 'livestream'; config: LivestreamConfig }
    | { kind: 'transcription'; config: TranscriptionConfig }
    | { kind: 'participant'; config: ParticipantRecordingConfig }
    | { kind: 'track'; config: TrackRecordingConfig }
    | { kind: 'composite'; config: CompositeConfig }
  )

/** What of a meeting there can be one at a time. */
export function slotOf(order: Pick<OutputOrdered, 'kind'> & { config: object }): string {
  const { participantId = '', kind = '' } = order.config as { participantId?: string; kind?: string }
  return order.kind === 'participant' || order.kind === 'track'
    ? JSON.stringify([order.kind, participantId, kind])
    : order.kind
}

/** A configuration without what must not be stored: the keys of livestreams. */
export function storable(order: OutputOrdered): Record<string, unknown> {
  const { kind, kept } = order
  if (kind !== 'livestream') return { ...order.config, ...kept }
  const { targets, ...config } = order.config
  return { ...config, ...kept, targets: targets.map(({ url }) => ({ url })) }
}

/** What only REST may say. */
interface OverRest {
  onFailure?: Static<typeof StartRecordingBody>['onFailure']
  templateUrl?: string | null | undefined
  fileFormat?: 'mp4' | 'webm' | null | undefined
  preSignedUrl?: string | null | undefined
  webhookUrl?: string | null | undefined
  /** Of a livestream. */
  transcription?: Static<typeof TranscriptOfRecording> | null | undefined
}

/** How long a recorder is started again where the meeting ends without it. */
const WAIT_SECONDS = 30

/** @throws {Refusal} `refusal`, by default INVALID_REQUEST */
export function recordingOrder(
  {
    config,
    awsDirPath,
    transcription,
    webhookUrl,
    onFailure,
    ...rest
  }: RequestData<'startRecording'> & OverRest,
  baseUrl: string,
  refusal?: ErrorName,
): OutputOrdered {
  return {
    kind: 'recording',
    config: {
      ...compositionOf(config, rest.templateUrl),
      fileFormat: rest.fileFormat ?? 'mp4',
      ...(onFailure && { patienceMs: (onFailure.waitTime ?? WAIT_SECONDS) * 1000 }),
    },
    baseUrl,
    webhookUrl: webhookUrl ?? null,
    uploadTo: rest.preSignedUrl ?? undefined,
    kept: keptOf({
      dirPath: dirPathOf('awsDirPath', awsDirPath, refusal),
      transcription,
      onFailure: onFailure?.action,
    }),
  }
}

export function hlsOrder(
  { config, transcription, templateUrl, webhookUrl }: RequestData<'startHls'> & OverRest,
  baseUrl: string,
): OutputOrdered {
  return {
    kind: 'hls',
    config: { ...compositionOf(config, templateUrl), record: isRecorded(config) },
    baseUrl,
    webhookUrl: webhookUrl ?? null,
    kept: keptOf({ transcription }),
  }
}

/** @throws {Refusal} INVALID_LIVESTREAM_CONFIG */
export function livestreamOrder(
  { outputs, config, transcription, templateUrl, webhookUrl }: RequestData<'startLivestream'> & OverRest,
  baseUrl: string,
): OutputOrdered {
  return {
    kind: 'livestream',
    config: {
      ...compositionOf(config, templateUrl),
      // A text is made of the file.
      record: isRecorded(config) || transcription?.enabled === true,
      targets: targetsOf(outputs),
    },
    baseUrl,
    webhookUrl: webhookUrl ?? null,
    kept: keptOf({ transcription }),
  }
}

export function transcriptionOrder(
  { config }: RequestData<'startTranscription'>,
  baseUrl: string,
): OutputOrdered {
  const { language, modelConfig, summary, webhookUrl } = config ?? {}
  const modelId = modelConfig?.modelId
  return {
    kind: 'transcription',
    config: {
      language: language ?? undefined,
      modelId: typeof modelId === 'string' ? modelId : undefined,
      summary: summary?.enabled === true ? { prompt: summary.prompt ?? undefined } : undefined,
    },
    baseUrl,
    webhookUrl: webhookUrl ?? null,
  }
}

const isRecorded = (config: CompositionConfig | null | undefined): boolean =>
  config?.recording?.enabled === true

export function keptOf(kept: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined && value !== null))
}

/** @throws {Refusal} if a folder in the store of files would lead out of its place */
export function dirPathOf(
  field: string,
  dirPath: string | null | undefined,
  refusal: ErrorName = 'INVALID_REQUEST',
): string | undefined {
  const read = readDirPath(dirPath ?? '')
  if (read === undefined)
    throw new Refusal(refusal, {
      message: `${field} must be names separated by slashes, of ASCII letters, digits, spaces and _.!'()*+=,@&$-, none of which begins with a dot.`,
    })
  return read === '' ? undefined : read
}

const targets = Compile(LivestreamOutputs)
const RTMP = /^rtmps?:\/\/[^\s/]+/i

function targetsOf(outputs: unknown): LivestreamConfig['targets'] {
  const problem = (message: string): Refusal => new Refusal('INVALID_LIVESTREAM_CONFIG', { message })
  if (!targets.Check(outputs)) throw problem('outputs must be 1 to 10 of { url, streamKey }.')
  return outputs.map(({ url, streamKey }) => {
    if (!RTMP.test(url) || !URL.canParse(url)) throw problem('Each url must be an rtmp or rtmps address.')
    return { url, streamKey: streamKey ?? '' }
  })
}
