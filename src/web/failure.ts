/** Says in the language of the page why something that a person did has failed. */
import { DeviceError, MeetingError } from '../client/client.ts'
import { ServerClientError } from '../server-client/call.ts'
import { adviceFor, browserOf, problemOf } from './device-advice.ts'
import type { TextKey } from './texts/languages.ts'
import { shownLanguage, text } from './texts/texts.ts'

/** The sentence for each code of a refusal that the page may get. */
const refusals: Record<string, TextKey> = {
  INVALID_PERMISSIONS: 'failure.notAllowed',
  UNAUTHORIZED_ROLE: 'failure.notAllowed',
  UNAUTHORIZED_REQUEST: 'failure.notAllowed',
  INVALID_STATE: 'failure.notNow',
  WHITEBOARD_OPERATION_IN_PROGRESS: 'failure.notNow',
  START_RECORDING_FAILED: 'failure.notNow',
  STOP_RECORDING_FAILED: 'failure.notNow',
  PREV_RECORDING_PROCESSING: 'failure.notNow',
  START_LIVESTREAM_FAILED: 'failure.notNow',
  STOP_LIVESTREAM_FAILED: 'failure.notNow',
  PREV_RTMP_RECORDING_PROCESSING: 'failure.notNow',
  START_HLS_FAILED: 'failure.notNow',
  STOP_HLS_FAILED: 'failure.notNow',
  PREV_HLS_STREAMING_PROCESSING: 'failure.notNow',
  START_TRANSCRIPTION_FAILED: 'failure.notNow',
  STOP_TRANSCRIPTION_FAILED: 'failure.notNow',
  RESPOND_ENTRY_FAILED: 'failure.gone',
  REMOVE_PARTICIPANT_FAILED: 'failure.gone',
  NOT_FOUND: 'failure.gone',
  RECORDING_LIMIT: 'failure.full',
  HLS_LIMIT: 'failure.full',
  LIVESTREAM_LIMIT: 'failure.full',
  MAX_SPEAKER_REACHED: 'failure.full',
  ADD_ON_SERVICES_DISABLED: 'failure.notOffered',
  ENCRYPTION_REQUIRED: 'failure.encrypted',
  PAYLOAD_TOO_LARGE: 'failure.tooLarge',
  RATE_LIMITED: 'failure.tooMuch',
  STORE_UNAVAILABLE: 'failure.later',
  HOME_UNREACHABLE: 'failure.later',
  SERVER_STOPPING: 'failure.later',
  MEDIA_UNAVAILABLE: 'failure.later',
  CONNECTION_FAILED: 'failure.later',
  TIMEOUT: 'failure.later',
}

/** @param otherwise what is said of an error without a sentence here */
export function failureOf(error: unknown, otherwise: TextKey = 'didNotWork'): string {
  if (error instanceof DeviceError && error.device !== 'screen') {
    const device = error.device === 'mic' ? 'microphone' : 'camera'
    const advice = adviceFor(error.problem, device, browserOf(navigator.userAgent))
    return `${problemOf(error.problem, device)} ${advice}`
  }
  // The sentences of the server and the client are English, and tell more.
  if (error instanceof Error && shownLanguage() === 'en') return error.message
  if (error instanceof DeviceError) return text('failure.screen')
  const code =
    error instanceof MeetingError ? error.reason : error instanceof ServerClientError ? error.code : undefined
  return text((code !== undefined ? refusals[code] : undefined) ?? otherwise)
}
