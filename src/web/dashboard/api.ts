/** The dashboard's API client. Calls carry the sign-in cookie, and those about a project name it; the page holds no token. */
import { ServerClientError, type call, type CallOptions, type Method } from '../api.ts'

export interface Api {
  /** A call about the server. @throws {ServerClientError} */
  admin<T>(method: Method, path: string, body?: object): Promise<T>
  /** A call inside a project. @throws {ServerClientError} */
  inProject<T>(projectId: string, method: Method, path: string, body?: object): Promise<T>
  /** The same for what is answered as text. @throws {ServerClientError} */
  textInProject(projectId: string, path: string): Promise<string>
}

export interface ApiOptions {
  call: typeof call
  /** Called when the server no longer knows who is signed in. */
  onSignedOut: () => void
}

/** Proves that a call without a body comes from this page: pages of other origins cannot set this header. */
const OWN_PAGE = { 'x-requested-with': 'dashboard' }

export function createApi({ call: send, onSignedOut }: ApiOptions): Api {
  const ask = async <T>(method: Method, path: string, options: CallOptions): Promise<T> => {
    try {
      return await send<T>(method, path, options)
    } catch (error) {
      if (error instanceof ServerClientError && error.status === 401) onSignedOut()
      throw error
    }
  }
  const inside = (projectId: string) => ({ ...OWN_PAGE, 'x-anteroom-project': projectId })
  return {
    admin: (method, path, body) => ask(method, path, { headers: OWN_PAGE, ...(body && { body }) }),
    inProject: (projectId, method, path, body) =>
      ask(method, path, { headers: inside(projectId), ...(body && { body }) }),
    textInProject: (projectId, path) => ask('GET', path, { headers: inside(projectId), text: true }),
  }
}
