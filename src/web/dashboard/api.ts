/**
 * The dashboard's calls: as the one who is signed in (by cookie), and inside a project with a management token. Tokens live in
 * memory only and are renewed before they expire.
 */
import { ServerClientError, type call, type Method } from '../api.ts'

export interface Api {
  /** A call of the one who runs the server. @throws {ServerClientError} */
  admin<T>(method: Method, path: string, body?: object): Promise<T>
  /** A call inside a project. @throws {ServerClientError} */
  inProject<T>(projectId: string, method: Method, path: string, body?: object): Promise<T>
  /** The same for what is answered as text. @throws {ServerClientError} */
  textInProject(projectId: string, path: string): Promise<string>
  /** Drops what it holds. */
  forget(): void
}

export interface ApiOptions {
  call: typeof call
  /** Ms since the epoch. */
  now: () => number
  /** Called when the server no longer knows who is signed in. */
  onSignedOut: () => void
}

const TOKEN_SECONDS = 3600
/** Before the token expires, so that no call is under way with one that just did. */
const RENEW_EARLIER_SECONDS = 300

export function createApi({ call: send, now, onSignedOut }: ApiOptions): Api {
  const tokens = new Map<string, { token: Promise<string>; renewAt: number }>()

  const admin: Api['admin'] = async (method, path, body) => {
    try {
      return await send(method, path, { ...(body && { body }) })
    } catch (error) {
      if (error instanceof ServerClientError && error.status === 401) onSignedOut()
      throw error
    }
  }

  const tokenOf = (projectId: string): Promise<string> => {
    const there = tokens.get(projectId)
    if (there && there.renewAt > now()) return there.token
    const token = admin<{ token: string }>(
      'POST',
      `/v2/admin/projects/${encodeURIComponent(projectId)}/token`,
      {
        // For REST alone; the permissions are those that its invites may give on.
        permissions: ['allow_join', 'allow_mod'],
        roles: ['crawler'],
        expiresInSeconds: TOKEN_SECONDS,
      },
    ).then((answer) => answer.token)
    tokens.set(projectId, { token, renewAt: now() + (TOKEN_SECONDS - RENEW_EARLIER_SECONDS) * 1000 })
    token.catch(() => tokens.delete(projectId))
    return token
  }

  const asProject = async <T>(projectId: string, work: (token: string) => Promise<T>): Promise<T> => {
    try {
      return await work(await tokenOf(projectId))
    } catch (error) {
      if (!(error instanceof ServerClientError) || error.status !== 401 || !tokens.has(projectId)) throw error
      // Its key may have been revoked since: once more, with a token of another.
      tokens.delete(projectId)
      return work(await tokenOf(projectId))
    }
  }

  return {
    admin,
    inProject: (projectId, method, path, body) =>
      asProject(projectId, (token) => send(method, path, { token, ...(body && { body }) })),
    textInProject: (projectId, path) =>
      asProject(projectId, (token) => send('GET', path, { token, text: true })),
    forget: () => tokens.clear(),
  }
}
