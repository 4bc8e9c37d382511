/** The pages' own calls to the REST API. */
import type { NewInvite, Pass } from '../protocol/rest/invites.ts'
import type { Health } from '../protocol/rest/watching.ts'
import { createCaller, type CallOptions, type Method } from '../server-client/call.ts'

export { ServerClientError } from '../server-client/call.ts'
export type { CallOptions, Method, Pass }

/** The address that the page was served from, including a path in front of it. */
export const serverUrl = new URL(
  /^(.*?)\/(m\/[^/]+\/?|dashboard(\/.*)?)?$/.exec(location.pathname)?.[1] || '.',
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

export const startMeeting = (): Promise<Pass> => call('POST', '/page/start', { body: {} })
export const signIn = (code: string): Promise<unknown> =>
  call('POST', '/v2/admin/sign-in', { body: { code } })
export const exchangeInvite = (code: string): Promise<Pass> =>
  call('POST', '/invites/exchange', { body: { code } })
export const createInvite = (token: string, roomId: string, entry: NewInvite['entry']): Promise<NewInvite> =>
  call('POST', '/v2/invites', { body: { roomId, entry }, token })

/** Whether the server's media is on; `preparing` tells the progress while it is being prepared. */
export type MediaState = Health['media']
export const health = (): Promise<Health> => call('GET', '/health', { accept: [503] })
