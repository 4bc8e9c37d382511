/** The dashboard's calls: all with the cookie of the sign-in; those inside a project name it. No token is held. */
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

/** A page of another address cannot set it, so it stands in for the content type of calls without a body. */
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
