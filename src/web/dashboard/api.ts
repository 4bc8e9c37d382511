/**
 * The dashboard's calls: as the one who is signed in (by cookie), and inside a project with a management token. Tokens live in
 * memory only and are renewed before they expire.
 */
import type { call } from '../api.ts'
import { ApiError } from '../api.ts'

export type Method = Parameters<typeof call>[0]

export interface Api {
  /** A call of the one who runs the server. @throws {ApiError} */
  admin<T>(method: Method, path: string, body?: object): Promise<T>
  /** A call inside a project. @throws {ApiError} */
  inProject<T>(projectId: string, method: Method, path: string, body?: object): Promise<T>
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
      return await send(method, path, body)
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) onSignedOut()
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

  return {
    admin,
    inProject: async (projectId, method, path, body) => {
      try {
        return await send(method, path, body, await tokenOf(projectId))
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 401 || !tokens.has(projectId)) throw error
        // Its key may have been revoked since: once more, with a token of another.
        tokens.delete(projectId)
        return send(method, path, body, await tokenOf(projectId))
      }
    },
    forget: () => tokens.clear(),
  }
}
