/**
 * All refusals: name, number on the wire, HTTP status and one plain sentence.
 *
 * Numbers and names are those of the published clients (contract, rest-and-tokens §5.6), including their misspellings.
 * Names that have no number there are sent as 5000 on a socket; REST callers read the name.
 */
const table = {
  INVALID_API_KEY: [4001, 401, 'This server does not know the API key in the token.'],
  INVALID_TOKEN: [4002, 401, 'Token is invalid or expired'],
  INVALID_MEETING_ID: [4003, 404, 'There is no meeting with this id.'],
  INVALID_PARTICIPANT_ID: [4004, 400, 'The participant id is not valid.'],
  DUPLICATE_PARTICIPANT: [4005, 409, 'The participant has joined from another device or tab.'],
  INVALID_PERMISSIONS: [4008, 403, 'The token does not permit this.'],
  MAX_PARTCIPANT_REACHED: [4009, 403, 'The meeting is full.'],
  MAX_SPEAKER_REACHED: [4010, 403, 'No more streams can be sent to this meeting.'],
  START_WHITEBOARD_FAILED: [4054, 409, 'The whiteboard could not be opened.'],
  STOP_WHITEBOARD_FAILED: [4055, 409, 'There is no whiteboard to close.'],
  WHITEBOARD_OPERATION_IN_PROGRESS: [
    4056,
    409,
    'The whiteboard is being opened or closed; try again in a moment.',
  ],
  ADD_ON_SERVICES_DISABLED: [4021, 403, 'This server does not offer this service.'],
  UNAUTHORIZED_MEETING_ID: [4022, 403, 'The token is for another meeting.'],
  UNAUTHORIZED_PARTCIPANT_ID: [4023, 403, 'The token is for another participant.'],
  UNAUTHORIZED_ROLE: [4024, 403, 'The roles in the token do not allow this.'],
  UNAUTHORIZED_REQUEST: [4025, 403, 'This request is not allowed.'],
  START_RECORDING_FAILED: [4011, 409, 'The recording could not be started.'],
  STOP_RECORDING_FAILED: [4012, 409, 'No recording is running.'],
  START_LIVESTREAM_FAILED: [4013, 409, 'The livestream could not be started.'],
  STOP_LIVESTREAM_FAILED: [4014, 409, 'No livestream is running.'],
  INVALID_LIVESTREAM_CONFIG: [4015, 400, 'The outputs of the livestream are not valid.'],
  START_HLS_FAILED: [4016, 409, 'HLS could not be started.'],
  STOP_HLS_FAILED: [4017, 409, 'No HLS is running.'],
  PREV_RECORDING_PROCESSING: [
    4018,
    409,
    'The previous recording is still being finished; try again in a few seconds.',
  ],
  PREV_RTMP_RECORDING_PROCESSING: [
    4019,
    409,
    'The previous livestream is still being finished; try again in a few seconds.',
  ],
  PREV_HLS_STREAMING_PROCESSING: [
    4020,
    409,
    'The previous HLS is still being finished; try again in a few seconds.',
  ],
  RECORDING_LIMIT: [4028, 503, 'This server can make no more recordings now.'],
  HLS_LIMIT: [4029, 503, 'This server can make no more HLS now.'],
  LIVESTREAM_LIMIT: [4030, 503, 'This server can make no more livestreams now.'],
  START_TRANSCRIPTION_FAILED: [4031, 409, 'The transcription could not be started.'],
  STOP_TRANSCRIPTION_FAILED: [4032, 409, 'No transcription is running.'],
  START_PARTICIPANT_RECORDING_FAILED: [4035, 409, 'The recording of the participant could not be started.'],
  STOP_PARTICIPANT_RECORDING_FAILED: [4036, 409, 'The participant is not being recorded.'],
  START_TRACK_RECORDING_FAILED: [4037, 409, 'The recording of the track could not be started.'],
  STOP_TRACK_RECORDING_FAILED: [4038, 409, 'The track is not being recorded.'],
  START_COMPOSITE_RECORDING_FAILED: [4039, 409, 'The composite recording could not be started.'],
  STOP_COMPPOSITE_RECORDING_FAILED: [4040, 409, 'No such composite recording is running.'],
  STORE_SET_FAILED: [4045, 400, 'The value could not be set.'],
  STORE_OBSERVE_FAILED: [4085, 429, 'The key could not be observed.'],
  CREATE_CONSUMER_FAILED: [4050, 500, 'The stream could not be delivered.'],
  CODEC_NOT_SUPPORTED: [4051, 400, 'This server does not support the codec.'],
  MEETING_ID_DISABLED: [4052, 400, 'Room is disabled'],
  APIKEY_DEACTIVATED: [4053, 401, 'The API key in the token was revoked.'],
  RESPOND_ENTRY_FAILED: [4059, 409, 'The entry request no longer exists.'],
  CHANGE_MODE_FAILED: [4065, 400, 'The mode could not be changed.'],
  SWITCH_MEETING_FAILED: [4076, 409, 'The meeting could not be switched.'],
  MEDIA_RELAY_FAILED: [4078, 409, 'The media could not be relayed.'],
  REMOVE_PARTICIPANT_FAILED: [4066, 404, 'The participant is not in this meeting.'],
  SOMETHING_WENT_WRONG: [5000, 500, 'Something went wrong on the server.'],

  REMOVED_FROM_SESSION: [4025, 403, 'You were removed from this session.'],
  ENCRYPTION_REQUIRED: [
    5000,
    403,
    'This meeting is end-to-end encrypted, and accepts only media that the sender has encrypted.',
  ],
  REMOVED_FOR_NOW: [4025, 403, 'You were removed; you may join again.'],
  ENTRY_DENIED: [4025, 403, 'Entry was denied.'],
  MEETING_LOCKED: [4025, 403, 'The meeting is locked; nobody new can join now.'],
  MEDIA_UNAVAILABLE: [5000, 503, 'Media is off on this server, so nobody can join.'],
  MEDIA_PREPARING: [5000, 503, 'Media is being prepared; nobody can join yet.'],
  STORE_UNAVAILABLE: [5000, 503, 'The server cannot reach its storage now; try again in a moment.'],
  TOO_SLOW: [5000, 408, 'The client reads too slowly; the connection is closed and may reconnect.'],
  HOME_UNREACHABLE: [
    5000,
    503,
    'The server that holds this meeting cannot be reached now; try again in a moment.',
  ],
  SERVER_STOPPING: [5000, 503, 'The server is restarting; the client reconnects by itself.'],
  INVALID_REQUEST: [5000, 400, 'The request is malformed.'],
  INVALID_STATE: [5000, 409, 'This is not possible now.'],
  NOT_FOUND: [404, 404, 'Nothing was found at this address.'],
  METHOD_NOT_ALLOWED: [5000, 405, 'This address does not support this method.'],
  PRECONDITION_FAILED: [5000, 412, 'This is no longer the current state; the entity tag is out of date.'],
  PRECONDITION_REQUIRED: [5000, 428, 'Send If-Match with the entity tag of the session, or with *.'],
  UNPROCESSABLE: [5000, 422, 'The server understands the request but cannot follow it.'],
  NOT_ACCEPTABLE: [5000, 406, 'The server cannot answer in a format that the request accepts.'],
  REQUEST_TIMEOUT: [5000, 408, 'The request took too long to arrive.'],
  PAYLOAD_TOO_LARGE: [5000, 413, 'The request is too large.'],
  RANGE_NOT_SATISFIABLE: [5000, 416, 'The requested range does not exist.'],
  UNSUPPORTED_MEDIA_TYPE: [5000, 415, 'The body must be JSON or a form.'],
  RATE_LIMITED: [5000, 429, 'Too many requests; try again in a moment.'],
  UNAUTHORIZED: [5000, 401, 'Credentials are required.'],
  UPSTREAM_UNAVAILABLE: [5000, 502, 'The meeting service behind this server does not answer.'],
} as const satisfies Record<string, readonly [number: number, status: number, sentence: string]>

/** The stable name of a refusal, for code to switch on. */
export type ErrorName = keyof typeof table

export const errorNames = Object.keys(table) as ErrorName[]

export interface RefusalOptions {
  /** One plain sentence that replaces the table's. Must not contain a token or a secret. */
  message?: string
  /** The reason for logs and tests: a stable word such as `signature` or `expired`. Never sent to clients. */
  reason?: string
  /** When to try again. Default for RATE_LIMITED: 1. */
  retryAfterSeconds?: number
  cause?: unknown
}

/** A refusal: the caller may not do this, or the request is wrong. Anything else that is thrown is a defect of the server. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: ErrorName
  readonly reason: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorName, options: RefusalOptions = {}) {
    const { stackTraceLimit } = Error
    // A refusal is an answer, not a failure. In a flood of bad tokens, stack traces would cost more than all checks.
    if (code !== 'SOMETHING_WENT_WRONG') Error.stackTraceLimit = 0
    super(
      options.message ?? table[code][2],
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.reason = options.reason
    this.retryAfterSeconds = options.retryAfterSeconds ?? (code === 'RATE_LIMITED' ? 1 : undefined)
  }

  /** The code on the socket and at init-config. */
  get number(): number {
    return table[this.code][0]
  }

  /** The HTTP status. */
  get status(): number {
    return table[this.code][1]
  }
}

/** Body of every failed REST call (contract, rest-and-tokens §1.4). */
export interface ErrorBody {
  statusCode: number
  error: string
  message: string
  code: string
}

export function restErrorBody(refusal: Refusal): ErrorBody {
  return { statusCode: refusal.status, error: refusal.message, message: refusal.message, code: refusal.code }
}

/** Turns anything thrown into a refusal; anything else becomes `SOMETHING_WENT_WRONG` and keeps its cause. */
export function asRefusal(thrown: unknown): Refusal {
  return thrown instanceof Refusal ? thrown : new Refusal('SOMETHING_WENT_WRONG', { cause: thrown })
}
