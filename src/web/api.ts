/** The pages' own calls to the REST API. */

export interface Pass {
  token: string
  meetingId: string
}

export class ApiError extends Error {
  readonly reason: string
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number

  constructor(reason: string, message: string, status = 0) {
    super(message)
    this.name = 'ApiError'
    this.reason = reason
    this.status = status
  }
}

/** Where the page was served from, a path before it included. */
export const serverUrl = new URL(
  /^(.*?)\/(m\/[^/]+\/?|dashboard(\/.*)?)?$/.exec(location.pathname)?.[1] || '.',
  location.origin,
).href.replace(/\/$/, '')

/** What is not JSON is answered as text. @throws {ApiError} */
export async function call<T>(
  method: 'GET' | 'POST' | 'PATCH' | 'PUT',
  path: string,
  body?: object,
  token?: string,
): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(serverUrl + path, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: token }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
  } catch {
    throw new ApiError('CONNECTION_FAILED', 'The server cannot be reached.')
  }
  if (answer.ok && !answer.headers.get('content-type')?.includes('json')) return (await answer.text()) as T
  const value = (await answer.json().catch(() => ({}))) as T & { code?: string; message?: string }
  if (!answer.ok && path !== '/health')
    throw new ApiError(
      value.code ?? 'SOMETHING_WENT_WRONG',
      value.message ?? 'The server refused.',
      answer.status,
    )
  return value
}

export const startMeeting = (): Promise<Pass> => call('POST', '/page/start', {})
export const signIn = (code: string): Promise<unknown> => call('POST', '/v2/admin/sign-in', { code })
export const exchangeInvite = (code: string): Promise<Pass> => call('POST', '/invites/exchange', { code })
export const createInvite = (
  token: string,
  roomId: string,
  entry: 'direct' | 'ask',
): Promise<{ link: string }> => call('POST', '/v2/invites', { roomId, entry }, token)
/** Whether sound and picture work; `preparing` is there while the server still gets ready for them. */
export interface MediaState {
  available: boolean
  reason?: string
  preparing?: { done: number; total: number }
}
export const health = (): Promise<{ media: MediaState }> => call('GET', '/health')
