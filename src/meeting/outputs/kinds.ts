/** What each kind of output sends, refuses and reports (contract, outputs §1). Pure. */
import type { OutputEventName, OutputPhase } from '../../protocol/webhooks.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { Notification } from '../../protocol/notifications.ts'
import type { OutputProblem } from '../../output/output.ts'
import type { OutputKind, OutputRecord, OutputState } from '../../store/store.ts'
import { fileAddress } from './addresses.ts'

interface Row {
  /** The first part of the names of its webhooks. */
  event: OutputEventName
  startFailed: ErrorName
  stopFailed: ErrorName
  /** A start while the one before is still being finished. */
  processing: ErrorName
  /** The number of the notification `error`: it ended by itself. */
  died: number
}

export const outputKinds: Record<OutputKind, Row> = {
  recording: {
    event: 'recording',
    startFailed: 'START_RECORDING_FAILED',
    stopFailed: 'STOP_RECORDING_FAILED',
    processing: 'PREV_RECORDING_PROCESSING',
    died: 5001,
  },
  livestream: {
    event: 'livestream',
    startFailed: 'START_LIVESTREAM_FAILED',
    stopFailed: 'STOP_LIVESTREAM_FAILED',
    processing: 'PREV_RTMP_RECORDING_PROCESSING',
    died: 5002,
  },
  hls: {
    event: 'hls',
    startFailed: 'START_HLS_FAILED',
    stopFailed: 'STOP_HLS_FAILED',
    processing: 'PREV_HLS_STREAMING_PROCESSING',
    died: 5003,
  },
  transcription: {
    event: 'transcription',
    startFailed: 'START_TRANSCRIPTION_FAILED',
    stopFailed: 'STOP_TRANSCRIPTION_FAILED',
    processing: 'START_TRANSCRIPTION_FAILED',
    died: 5007,
  },
  participant: {
    event: 'participant-recording',
    startFailed: 'START_PARTICIPANT_RECORDING_FAILED',
    stopFailed: 'STOP_PARTICIPANT_RECORDING_FAILED',
    processing: 'START_PARTICIPANT_RECORDING_FAILED',
    died: 5001,
  },
  track: {
    event: 'participant-track-recording',
    startFailed: 'START_TRACK_RECORDING_FAILED',
    stopFailed: 'STOP_TRACK_RECORDING_FAILED',
    processing: 'START_TRACK_RECORDING_FAILED',
    died: 5001,
  },
  composite: {
    event: 'composite-recording',
    startFailed: 'START_COMPOSITE_RECORDING_FAILED',
    stopFailed: 'STOP_COMPPOSITE_RECORDING_FAILED',
    processing: 'START_COMPOSITE_RECORDING_FAILED',
    died: 5001,
  },
}

/** The state of an output towards clients. A failed output is a stopped one: there is no such state in the contract. */
type ShownState = Exclude<OutputState, 'failed'>

const statusOf = (prefix: string, state: ShownState): string => `${prefix}_${state.toUpperCase()}`

/** The addresses of HLS. */
function hlsAddresses(output: OutputRecord) {
  const playbackHlsUrl = fileAddress(output, 'index.m3u8')
  return {
    playbackHlsUrl,
    livestreamUrl: fileAddress(output, 'live.m3u8'),
    downstreamUrl: playbackHlsUrl,
  }
}

/**
 * The notifications of a new state; a joiner gets those of the present state. Published clients hear both the state and the older
 * notification of its start or end, each of which sets other fields of an app (contract, outputs §0.1).
 */
export function notificationsOf(output: OutputRecord, state: ShownState): Notification[] {
  const { kind } = output
  const isOn = state === 'started'
  switch (kind) {
    case 'recording':
      return [
        { method: 'recordingStateChanged', status: statusOf('RECORDING', state) },
        ...older(state, { method: 'recordingStarted' }, { method: 'recordingStopped' }),
      ]
    case 'livestream':
      return [
        { method: 'livestreamStateChanged', status: statusOf('LIVESTREAM', state) },
        ...older(state, { method: 'livestreamStarted' }, { method: 'livestreamStopped' }),
      ]
    case 'hls': {
      const addresses = hlsAddresses(output)
      const { downstreamUrl } = addresses
      return [
        { method: 'hlsStateChanged', status: statusOf('HLS', state), ...(isOn && addresses) },
        ...older(state, { method: 'hlsStarted', downstreamUrl }, { method: 'hlsStopped' }),
      ]
    }
    case 'transcription':
      return [
        {
          method: 'transcriptionStateChanged',
          status: statusOf('TRANSCRIPTION', state),
          id: output.outputId,
        },
      ]
    // REST alone starts and stops these, and the published clients know no notification of them.
    case 'participant':
    case 'track':
    case 'composite':
      return []
  }
}

function older(state: ShownState, started: Notification, stopped: Notification): Notification[] {
  return state === 'started' ? [started] : state === 'stopped' ? [stopped] : []
}

/** HLS can be fetched. */
export function playableNotification(output: OutputRecord): Notification {
  return { method: 'hlsPlayableStateChanged', isPlayable: true, ...hlsAddresses(output) }
}

/** Tells a client that an output ended by itself (contract, outputs §0.5). */
export function errorNotification(kind: OutputKind, { message }: OutputProblem): Notification {
  return { method: 'error', code: outputKinds[kind].died, name: `${kind.toUpperCase()}_FAILED`, message }
}

/** What a webhook tells beyond the state (contract, outputs §4). */
export function factDetails(output: OutputRecord, state: OutputPhase): Record<string, unknown> {
  const { kind, outputId: id, participantId, config } = output
  const owner = participantId === null ? {} : { participantId }
  switch (kind) {
    case 'recording':
    case 'composite': {
      const [file] = output.files
      if (state !== 'stopped' || !file) return { id }
      return { id, filePath: `/${file.path}`, fileUrl: fileAddress(output, file.path) }
    }
    case 'hls':
      return state === 'started' || state === 'playable' ? { id, ...hlsAddresses(output) } : { id }
    case 'transcription':
      return { id, type: 'realtime' }
    case 'livestream':
      return { id }
    case 'participant':
    case 'track':
      return {
        id,
        ...owner,
        ...(kind === 'track' ? { kind: config.kind } : { fileFormat: config.fileFormat }),
        ...(state === 'stopped' && {
          fileDetails: output.files.map(({ path }) => ({
            filePath: `/${path}`,
            fileUrl: fileAddress(output, path),
          })),
        }),
      }
  }
}
