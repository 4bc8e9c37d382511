/** The pages' own calls to the REST API. */
import type { InvitedPass, NewInvite, Pass as BarePass } from '../protocol/rest/invites.ts'
import type { Inside, KnockedPass, KnockSetting } from '../protocol/rest/knock.ts'
import type { LetInAlways } from '../protocol/rest/sessions.ts'
import type { Health } from '../protocol/rest/watching.ts'
import { createCaller, type CallOptions, type Method } from '../server-client/call.ts'

export { ServerClientError } from '../server-client/call.ts'
export type { CallOptions, LetInAlways, Method }

/** The token with which the page joins a meeting. */
export interface Pass extends BarePass {
  /** Whether the person must ask to join; absent if the page does not know. */
  entry?: InvitedPass['entry']
  /** The participant that the token is for, if the person knocked. */
  participantId?: string
  /** Of end-to-end encryption. The server never gets it. */
  key?: string
}

/** The address that the page was served from, including a path in front of it. */
export const serverUrl = new URL(
  /^(.*?)\/(m\/[^/]+\/?|check\/?|dashboard(\/.*)?)?$/.exec(location.pathname)?.[1] || '.',
  location.origin,
).href.replace(/\/$/, '')

const TIMEOUT_MS = 30_000

/**
 * Calls the REST API with this token; without one, with the cookie of a sign-in.
 *
 * @throws {ServerClientError}
 */
export function call<T>(
  method: Method,
  path: string,
  { token, ...options }: CallOptions & { token?: string | undefined } = {},
): Promise<T> {
  const asCaller = createCaller({ baseUrl: serverUrl, timeoutMs: TIMEOUT_MS, token: () => token })
  return asCaller<T>(method, path, options)
}

export const startMeeting = (isEncrypted: boolean): Promise<Pass> =>
  call('POST', '/page/start', { body: isEncrypted ? { encryption: 'required' } : {} })
export const signIn = (code: string): Promise<unknown> =>
  call('POST', '/v2/admin/sign-in', { body: { code } })
export const exchangeInvite = (code: string): Promise<InvitedPass> =>
  call('POST', '/invites/exchange', { body: { code } })
/** Requests a pass by knocking; it names the participant that it is for. */
export const knock = (meetingId: string): Promise<KnockedPass> =>
  call('POST', '/page/knock', { body: { meetingId } })
export const mayBeKnockedAt = (token: string, roomId: string): Promise<KnockSetting> =>
  call('GET', `/v2/rooms/${encodeURIComponent(roomId)}/knock`, { token })
export const allowKnocking = (token: string, roomId: string, allowed: boolean): Promise<KnockSetting> =>
  call('PUT', `/v2/rooms/${encodeURIComponent(roomId)}/knock`, { body: { knock: allowed }, token })
export const whoIsInside = ({ token, meetingId }: Pass): Promise<Inside> =>
  call('GET', `/v2/rooms/${encodeURIComponent(meetingId)}/inside`, { token })
export const createInvite = (token: string, roomId: string, entry: NewInvite['entry']): Promise<NewInvite> =>
  call('POST', '/v2/invites', { body: { roomId, entry }, token })

export const letInAlways = (token: string, roomId: string): Promise<LetInAlways> =>
  call('GET', `/v2/rooms/${encodeURIComponent(roomId)}/let-in-always`, { token })
export const askAgain = (token: string, roomId: string, participantId: string): Promise<unknown> =>
  call('POST', `/v2/rooms/${encodeURIComponent(roomId)}/let-in-always/lift`, {
    body: { participantId },
    token,
  })

/** Whether the server's media is on; `preparing` tells the progress while it is being prepared. */
export type MediaState = Health['media']
export const health = (): Promise<Health> => call('GET', '/health', { accept: [503] })
