/** `anteroom serve` and `anteroom token-server`: both run until they are told to stop. */
import type { Command, CommandInput, CommandResult } from './arguments.ts'
import { readConfig } from '../config.ts'
import type { RunningServer } from '../server.ts'

const stopped: CommandResult = { json: { stopped: true }, text: 'stopped' }

/** Runs until SIGINT or SIGTERM, which may come while it starts; then stops in order. */
async function untilStopped(
  { interruption, show }: CommandInput,
  start: (stopping: AbortSignal) => Promise<RunningServer>,
): Promise<CommandResult> {
  interruption.takeTime()
  const { signal } = interruption
  let server: RunningServer
  try {
    server = await start(signal)
  } catch (error) {
    if (signal.aborted) return stopped
    throw error
  }
  if (!signal.aborted) {
    const { urls, welcome } = server
    // Nobody may read it; the server is there all the same.
    await show({ json: { ready: true, urls }, text: welcome }).catch(() => undefined)
  }
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await server.close()
  // A reader who is gone by now does not make the stop a failure.
  await show(stopped).catch(() => undefined)
  return { ...stopped, isShown: true }
}

export const serve: Command = {
  name: 'serve',
  summary: 'the meeting server, with its page, REST and token endpoints',
  details:
    'The first start makes the data folder, its database, the master key and an API key.\nSIGTERM or SIGINT stops it in order, within five seconds; a second one at once.',
  run: (input) =>
    untilStopped(input, async (stopping) => {
      const config = readConfig(input.env)
      // Loaded here and not with the other commands: it takes longest of all.
      const { startServer } = await import('../server.ts')
      return startServer(config, { stopping })
    }),
}

export const tokenServer: Command = {
  name: 'token-server',
  summary: 'only get-token, create-meeting and validate-meeting, in front of VIDEOSDK_API_ENDPOINT',
  run: (input) =>
    untilStopped(input, async () => {
      const config = readConfig(input.env)
      const { startTokenServer } = await import('../server.ts')
      return startTokenServer(config)
    }),
}
