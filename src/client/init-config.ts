/** The call before the socket: where the meeting is, or why nobody gets in. */
import { isReadable, problemOfParticipantId } from '../protocol/ids.ts'
import { MeetingError } from './errors.ts'

/** How often a server that prepares its media is asked again. */
export const PREPARING_MS = 3000

export interface EntryOptions {
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
  /** Data of the app, visible to the others. */
  metaData?: Record<string, unknown>
  /** Called with the progress while the entry waits for the server's media. */
  onPreparing?: (preparing: Preparing) => void
  /** Ends that wait; the call then rejects with its reason. */
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

/** @throws {MeetingError} an id that no server takes */
export function checkIds(meetingId: string, participantId: string): void {
  const problem = problemOfParticipantId(participantId)
  if (problem !== undefined)
    throw new MeetingError(4004, 'INVALID_PARTICIPANT_ID', `The participant id ${problem}.`)
  if (!isReadable(meetingId))
    throw new MeetingError(4003, 'INVALID_MEETING_ID', 'There is no meeting with this id.')
}

/** Waits for a server that still prepares its media. @throws {MeetingError} */
export async function initConfig(
  options: Pick<EntryOptions, 'url' | 'token' | 'meetingId' | 'onPreparing' | 'signal'>,
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

export function randomId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => letters[byte % letters.length]).join(
    '',
  )
}
