/** Connects to a meeting with a token. */
import { isReadable, problemOfParticipantId } from '../protocol/ids.ts'
import { Encryption } from './encryption/encryption.ts'
import type { SharedKey } from './encryption/keys.ts'
import { MeetingError } from './errors.ts'
import type { Timings } from './events.ts'
import { Meeting, PREPARING_MS } from './meeting.ts'

export interface ConnectOptions {
  /** Address of the server, e.g. `https://meet.example.org`; a path is kept. */
  url: string
  token: string
  meetingId: string
  /** The name that others see. */
  name: string
  /** For those who let people in, if the token asks: one line of at most 200 characters. */
  message?: string
  /** Default: eight random characters. Must not contain white space or invisible characters; see `protocol/ids.ts`. */
  participantId?: string
  /**
   * `true`: the default device; a track: that one, which the meeting stops when it is switched off or ends. Default
   * `true`. A device that cannot be opened does not prevent the join.
   */
  mic?: MediaStreamTrack | boolean
  camera?: MediaStreamTrack | boolean
  /** Data of the app, visible to the others. */
  metaData?: Record<string, unknown>
  /**
   * Encrypts our sound and picture end to end, and shows of the others only what was encrypted with the same key: a
   * passphrase of at least 8 characters, or at least 16 random bytes. The server never gets it (docs/encryption.md).
   */
  encryption?: { key: SharedKey }
  /** Called with the progress while `connect` waits for the server's media. */
  onPreparing?: (preparing: Preparing) => void
  /** Ends that wait; `connect` then rejects with its reason. */
  signal?: AbortSignal
}

/** Progress of the server's media. */
export interface Preparing {
  done: number
  /** 0 while the number of steps is unknown. */
  total: number
  secondsLeft: number | null
  /** The progress in one sentence. */
  message: string
}

interface InitConfig {
  data?: {
    baseUrl: string
    socketPath?: string
    iceServersPlain?: RTCIceServer[]
    encryption?: 'required' | 'optional'
    maxFileBytes?: number
  }
  error?: string
  code?: number
  name?: string
  preparing?: Omit<Preparing, 'message'>
}

/**
 * Requests entry, and waits for a server that still prepares its media. Resolves when the server accepted the request:
 * `meeting.state` is then `waiting`, or about to become `joined`.
 * @throws {MeetingError} the server's refusal with its code and sentence, or that it cannot be reached
 */
export async function connect(options: ConnectOptions): Promise<Meeting> {
  const { participantId = randomId() } = options
  const problem = problemOfParticipantId(participantId)
  if (problem !== undefined)
    throw new MeetingError(4004, 'INVALID_PARTICIPANT_ID', `The participant id ${problem}.`)
  if (!isReadable(options.meetingId))
    throw new MeetingError(4003, 'INVALID_MEETING_ID', 'There is no meeting with this id.')
  const timings: Timings = { start: performance.now() }
  const [{ baseUrl, socketPath = '', iceServersPlain = [], maxFileBytes = 0, requestId }, encryption] =
    await prepare(options).catch((error: unknown) => {
      // The tracks would belong to the meeting, but there is none.
      for (const track of [options.mic, options.camera]) if (typeof track === 'object') track.stop()
      throw error
    })
  timings.initConfig = performance.now()
  const scheme = new URL(options.url).protocol
  const meeting = new Meeting({
    url: `${scheme}//${baseUrl}`,
    path: `${socketPath}/socket.io`,
    token: options.token,
    meetingId: options.meetingId,
    participantId,
    name: options.name,
    ...(options.message !== undefined && { message: options.message }),
    mic: options.mic ?? true,
    camera: options.camera ?? true,
    metaData: options.metaData ?? {},
    encryption,
    filesUrl: options.url.replace(/\/+$/, ''),
    maxFileBytes,
    iceServers: iceServersPlain,
    iceServersOnceAdmitted: async () => (await initConfig(options)).iceServersPlain ?? [],
    requestId,
    timings,
  })
  await meeting.accepted
  return meeting
}

/** The address to connect to, and our encryption; the slow derivation of the key delays nothing. */
async function prepare(
  options: ConnectOptions,
): Promise<[Awaited<ReturnType<typeof initConfig>>, Encryption | undefined]> {
  const key = options.encryption?.key
  const starting = key === undefined ? undefined : Encryption.start(options.meetingId, key)
  // A bad key is reported below, when the server has answered.
  starting?.catch(() => undefined)
  // Where the server refuses, the worker that was started is of no use.
  const config = await initConfig(options).catch(async (error: unknown) => {
    await starting?.then((encryption) => encryption.close()).catch(() => undefined)
    throw error
  })
  if (!starting && config.encryption === 'required')
    throw new MeetingError(
      5000,
      'ENCRYPTION_REQUIRED',
      'This meeting is end-to-end encrypted, and needs its key.',
    )
  return [config, await starting]
}

async function initConfig(
  options: ConnectOptions,
): Promise<NonNullable<InitConfig['data']> & { requestId: string | undefined }> {
  const { url, token, meetingId, onPreparing, signal } = options
  signal?.throwIfAborted()
  let answer: Response
  let body: InitConfig
  try {
    answer = await fetch(`${url.replace(/\/+$/, '')}/infra/v1/meetings/init-config`, {
      method: 'POST',
      headers: { authorization: token, 'content-type': 'application/json' },
      body: JSON.stringify({ roomId: meetingId }),
    })
    body = (await answer.json()) as InitConfig
  } catch (cause) {
    throw new MeetingError(0, 'CONNECTION_FAILED', 'The server cannot be reached.', cause)
  }
  if (body.name === 'MEDIA_PREPARING') {
    const { done = 0, total = 0, secondsLeft = null } = body.preparing ?? {}
    onPreparing?.({ done, total, secondsLeft, message: body.error ?? '' })
    await pause(PREPARING_MS, signal)
    return initConfig(options)
  }
  if (answer.status !== 200 || !body.data) {
    throw new MeetingError(
      body.code ?? 5000,
      body.name ?? 'SOMETHING_WENT_WRONG',
      body.error ?? 'The server refused.',
    )
  }
  return { ...body.data, requestId: answer.headers.get('x-request-id') ?? undefined }
}

/** @throws the signal's reason */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      clearTimeout(timer)
      reject(signal!.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp)
      resolve()
    }, ms)
    signal?.addEventListener('abort', giveUp, { once: true })
  })
}

function randomId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => letters[byte % letters.length]).join(
    '',
  )
}
