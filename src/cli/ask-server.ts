/** Makes one call to the running server with these settings, for work that only the server can do. */
import { readConfig } from '../config/read.ts'
import { createCaller, ServerClientError, type Method } from '../server-client/call.ts'
import { CommandError, exitCodes } from './arguments.ts'

const TIMEOUT_MS = 10_000

/** @throws {CommandError} if no server answers, or it refuses */
export async function askServer<Answer>(
  env: NodeJS.ProcessEnv,
  path: string,
  body: object,
  authorization: string,
  method: Method = 'POST',
): Promise<Answer> {
  const { host, port } = readConfig(env)
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const call = createCaller({
    baseUrl: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    timeoutMs: TIMEOUT_MS,
    token: () => authorization,
  })
  try {
    return await call<Answer>(method, path, method === 'DELETE' ? {} : { body })
  } catch (error) {
    if (!(error instanceof ServerClientError)) throw error
    if (error.status === undefined) throw new CommandError(`No server answers on ${address}:${port}.`)
    throw new CommandError(error.message, exitCodes.refused)
  }
}
