/** Makes one call to the running server with these settings, for work that only the server can do. */
import { readConfig } from '../config/read.ts'
import { CommandError, exitCodes } from './arguments.ts'

const TIMEOUT_MS = 10_000

/** @throws {CommandError} if no server answers, or it refuses */
export async function askServer<Answer>(
  env: NodeJS.ProcessEnv,
  path: string,
  body: object,
  authorization: string,
): Promise<Answer> {
  const { host, port } = readConfig(env)
  const address = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  let answer: Response
  try {
    answer = await fetch(`http://${address.includes(':') ? `[${address}]` : address}:${port}${path}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
  } catch (error) {
    throw new CommandError(`No server answers on ${address}:${port}: ${(error as Error).message}.`)
  }
  const value = (await answer.json()) as Answer & { message?: string }
  if (!answer.ok)
    throw new CommandError(value.message ?? `The server answered ${answer.status}.`, exitCodes.refused)
  return value
}
