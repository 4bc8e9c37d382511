/** Joins a meeting with a token. */
import { MeetingError } from '../client/errors.ts'
import type { LeftReason, MeetingState, Timings } from '../client/events.ts'
import { checkIds, initConfig, randomId, type EntryOptions } from '../client/init-config.ts'
import { Agent } from './agent-meeting.ts'

export interface JoinOptions extends EntryOptions {
  /** Called while others decide whether to let us in, because the token only asks. */
  onWaiting?: () => void
  /** Ends the wait; the call then rejects with its reason, and nobody sees us any more. */
  signal?: AbortSignal
}

/**
 * Resolves when we are in the meeting: with a token that only asks, when somebody lets us in.
 * @throws {MeetingError} the server's refusal with its code and sentence, a denied request, or that the server cannot be
 * reached
 */
export async function joinMeeting(options: JoinOptions): Promise<Agent> {
  const { participantId = randomId(), signal, onWaiting } = options
  checkIds(options.meetingId, participantId)
  const timings: Timings = { start: performance.now() }
  const { baseUrl, socketPath = '', iceServersPlain = [], requestId, encryption } = await initConfig(options)
  signal?.throwIfAborted()
  if (encryption === 'required')
    throw new MeetingError(
      5000,
      'ENCRYPTION_REQUIRED',
      'This meeting is end-to-end encrypted, which a program of this library cannot do.',
    )
  timings.initConfig = performance.now()
  const agent = new Agent({
    url: `${new URL(options.url).protocol}//${baseUrl}`,
    path: `${socketPath}/socket.io`,
    token: options.token,
    meetingId: options.meetingId,
    participantId,
    name: options.name,
    ...(options.message !== undefined && { message: options.message }),
    metaData: options.metaData ?? {},
    iceServers: iceServersPlain,
    iceServersOnceAdmitted: async () => (await initConfig(options)).iceServersPlain ?? [],
    requestId,
    timings,
  })
  await joined(agent, onWaiting, signal)
  return agent
}

function joined(
  agent: Agent,
  onWaiting: (() => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const listening: (() => void)[] = []
    const settle = (): void => {
      for (const off of listening) off()
      signal?.removeEventListener('abort', giveUp)
    }
    const giveUp = (): void => {
      settle()
      void agent.leave()
      reject(signal!.reason as Error)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    listening.push(
      agent.on('stateChanged', (state: MeetingState) => {
        if (state === 'waiting') onWaiting?.()
        if (state !== 'joined') return
        settle()
        resolve()
      }),
      agent.on('left', ({ code, message, error }: LeftReason) => {
        settle()
        reject(error ?? new MeetingError(code, message, 'The server ended the connection before we were in.'))
      }),
    )
  })
}
