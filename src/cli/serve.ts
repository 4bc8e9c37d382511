/** `anteroom serve` and `anteroom token-server`: both run until they are told to stop. */
import type { Command, CommandResult } from './arguments.ts'
import { readConfig } from '../config.ts'
import { startServer, startTokenServer, type RunningServer } from '../server.ts'

const STOP_TIMEOUT_MS = 4500

function greet({ welcome, urls }: RunningServer, json: boolean): void {
  console.log(json ? JSON.stringify({ ready: true, urls }) : welcome)
}

/** Runs until SIGINT or SIGTERM; then stops in order, and in any case within five seconds. */
async function untilStopped(server: RunningServer): Promise<CommandResult> {
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
  // Whoever asks a second time does not want to wait.
  process.once('SIGINT', () => process.exit(0))
  setTimeout(() => process.exit(0), STOP_TIMEOUT_MS).unref()
  await server.close()
  return { json: { stopped: true }, text: 'stopped' }
}

export const serve: Command = {
  name: 'serve',
  summary: 'the meeting server, with its page, REST and token endpoints',
  run: async ({ env, json }) => {
    const server = await startServer(readConfig(env))
    greet(server, json)
    return untilStopped(server)
  },
}

export const tokenServer: Command = {
  name: 'token-server',
  summary: 'only get-token, create-meeting and validate-meeting, in front of VIDEOSDK_API_ENDPOINT',
  run: async ({ env, json }) => {
    const server = await startTokenServer(readConfig(env))
    greet(server, json)
    return untilStopped(server)
  },
}
