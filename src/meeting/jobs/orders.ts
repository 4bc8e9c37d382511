/** What callers order of jobs, in the words of the contract (outputs §3.1, §3.2). Pure. */
import type { FilesPlace } from '../../output/files/files.ts'
import type { CompositeMergeConfig, PlacedMark } from '../../output/jobs/job.ts'
import { Refusal } from '../../protocol/errors.ts'
import type {
  ChannelEntry,
  ParticipantMergeBody,
  Storage,
  Watermark,
} from '../../protocol/rest/transcodings.ts'
import type { JobInput, OutputKind, OutputRecord } from '../../store/store.ts'
import { dirPathOf, keptOf } from '../outputs/orders.ts'
import type { JobOrdered } from './jobs.ts'

interface Caller {
  /** The address of this server as the caller knows it. */
  baseUrl: string
  webhookUrl: string | null | undefined
  apiKey: string | null
  /** The folder in the store of files; undefined: the top. */
  dirPath: string | undefined
}

/**
 * The folder that the caller wants the file in. A file must not go elsewhere than asked without a word, so what is not this server's
 * store is refused; no caller may write with its credentials into another bucket.
 * @throws {Refusal} INVALID_REQUEST
 */
export function dirPathOfStorage(
  storage: Storage | null | undefined,
  place: FilesPlace | undefined,
): string | undefined {
  if (storage == null) return undefined
  const refuse = (message: string): never => {
    throw new Refusal('INVALID_REQUEST', { message })
  }
  if (place?.kind !== 's3')
    return refuse(
      'storage is not supported here: this server keeps files in a folder, and its FILES_URL names no S3 store.',
    )
  if (storage.type !== 's3') refuse(`storage.type must be s3: this server has no ${storage.type} account.`)
  if (storage.bucket != null && storage.bucket !== place.bucket)
    refuse('storage.bucket must be the bucket in which this server keeps files, or be left out.')
  return dirPathOf('storage.dirPath', storage.dirPath)
}

/** The groups of recordings of people and of screens. */
const [PEOPLE, SCREENS] = [0, 1]
/** So many files are open at once. */
const MAX_FILES = 200

/** @throws {Refusal} INVALID_REQUEST or INVALID_STATE, where it is not one that can be used */
export function assertUsable(
  output: OutputRecord,
  kinds: readonly OutputKind[],
  first: Pick<OutputRecord, 'meetingId'>,
): void {
  const { outputId, kind, meetingId, endedAt, files } = output
  const refuse = (code: 'INVALID_REQUEST' | 'INVALID_STATE', message: string): never => {
    throw new Refusal(code, { message })
  }
  if (!kinds.includes(kind))
    refuse('INVALID_REQUEST', `${outputId} is a ${named[kind]}, which cannot be used here.`)
  if (meetingId !== first.meetingId) refuse('INVALID_REQUEST', 'The recordings must be of one meeting.')
  if (endedAt === null)
    refuse('INVALID_STATE', `The ${named[kind]} ${outputId} goes on still; stop it first.`)
  if (files.length === 0) refuse('INVALID_STATE', `The ${named[kind]} ${outputId} has no file.`)
}

const named: Record<OutputKind, string> = {
  recording: 'recording of a meeting',
  hls: 'HLS output',
  livestream: 'livestream',
  transcription: 'transcription',
  participant: 'recording of a participant',
  track: 'recording of a track',
  composite: 'composite recording',
}

export function compositeMergeOrder(
  outputs: readonly OutputRecord[],
  watermark: PlacedMark | null,
  caller: Caller,
): JobOrdered {
  const config: CompositeMergeConfig = { watermark, screens: SCREENS }
  const order = common(outputs[0]!, caller)
  const group = ({ config }: OutputRecord): number =>
    String(config.kind).startsWith('screen') ? SCREENS : PEOPLE
  return {
    kind: 'composite-merge',
    ...order,
    config: { ...order.config, ...config },
    inputs: limited(outputs.flatMap((output) => inputsOf(output, group(output)))),
  }
}

export function meetingRecordingMergeOrder(
  outputs: readonly OutputRecord[],
  presignedOutputUrl: string | null | undefined,
  caller: Caller,
): JobOrdered {
  return {
    kind: 'meeting-recording-merge',
    ...common(outputs[0]!, caller),
    uploadTo: presignedOutputUrl ?? undefined,
    inputs: limited(outputs.flatMap((output) => inputsOf(output))),
  }
}

export function hlsToMp4Order(hls: OutputRecord, caller: Caller): JobOrdered {
  return {
    kind: 'hls-to-mp4',
    ...common(hls, caller),
    outputId: hls.outputId,
    inputs: inputsOf(hls).filter(({ file }) => file.path === 'index.m3u8'),
  }
}

/** Left and right, each with the recordings that are meant. */
export function participantMergeOrder(
  channels: readonly (readonly OutputRecord[])[],
  caller: Caller,
): JobOrdered {
  const inputs = channels.flatMap((outputs, group) => outputs.flatMap((output) => inputsOf(output, group)))
  return { kind: 'participant-merge', ...common(channels.flat()[0]!, caller), inputs: limited(inputs) }
}

/** Whether a recording is one that an entry of a channel means. */
export function isMeant(
  { participantId, recordingId, type }: ChannelEntry,
  forAll: ParticipantMergeBody['type'],
  output: OutputRecord,
): boolean {
  if (output.participantId !== participantId) return false
  if (recordingId != null) return output.outputId === recordingId
  const kind = forAll ?? type ?? 'participant'
  return output.kind === kind && (kind === 'participant' || output.config.kind === 'audio')
}

function common(
  { projectId, meetingId, sessionId }: OutputRecord,
  { baseUrl, webhookUrl, apiKey, dirPath }: Caller,
) {
  return {
    projectId,
    meetingId,
    sessionId,
    outputId: null,
    config: keptOf({ dirPath }),
    baseUrl,
    webhookUrl: webhookUrl ?? null,
    apiKey,
  }
}

function inputsOf({ outputId, participantId, config, files }: OutputRecord, group = 0): JobInput[] {
  const name = typeof config.participantName === 'string' ? config.participantName : null
  return files.map((file) => ({ outputId, file, participantId, participantName: name, group }))
}

function limited(inputs: JobInput[]): JobInput[] {
  if (inputs.length > MAX_FILES)
    throw new Refusal('INVALID_REQUEST', {
      message: `The recordings have ${inputs.length} files; ${MAX_FILES} can be merged.`,
    })
  return inputs
}

/** @throws {Refusal} INVALID_REQUEST */
export function markOf(
  { type, startTime, lat, long }: Omit<Watermark, 'image'>,
  image: Buffer | undefined,
): PlacedMark {
  const needs = (message: string): Refusal => new Refusal('INVALID_REQUEST', { message })
  switch (type) {
    case 'image':
      if (!image) throw needs('A watermark of type image needs image.')
      return imageMark(image)
    case 'timestamp': {
      const startAt = Date.parse(startTime ?? '')
      if (Number.isNaN(startAt)) throw needs('A watermark of type timestamp needs startTime, in ISO 8601.')
      return { type: 'time', startAt }
    }
    case 'lat_long':
      if (lat == null || long == null) throw needs('A watermark of type lat_long needs lat and long.')
      return { type: 'text', text: `${lat}, ${long}` }
  }
}

const FORMATS = [
  ['png', [0x89, 0x50, 0x4e, 0x47]],
  ['jpeg', [0xff, 0xd8, 0xff]],
] as const

/** By its first bytes, as other formats could name files of this machine. @throws {Refusal} INVALID_REQUEST */
export function imageMark(image: Buffer): Extract<PlacedMark, { type: 'image' }> {
  const found = FORMATS.find(([, begins]) => begins.every((byte, at) => image[at] === byte))
  const isWebp = image.toString('latin1', 0, 4) === 'RIFF' && image.toString('latin1', 8, 12) === 'WEBP'
  const format = found?.[0] ?? (isWebp ? 'webp' : undefined)
  if (!format) throw new Refusal('INVALID_REQUEST', { message: 'The image must be a PNG, JPEG or WebP.' })
  return { type: 'image', format, base64: image.toString('base64') }
}
