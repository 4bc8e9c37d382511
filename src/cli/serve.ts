/** `anteroom serve` and `anteroom token-server`: both run until they are stopped. */
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command, CommandInput, CommandResult } from './arguments.ts'
import { readConfig, type Config } from '../config/read.ts'
import { STOP_LIMIT_MS } from './interruption.ts'
import type { RunningServer } from '../server/contract.ts'

/** The settings, with the log format resolved: pretty on a terminal, else JSON. */
function settingsFor({ env, isTerminal, json }: CommandInput): Config {
  const config = readConfig(env)
  const fitting = isTerminal && !json ? 'pretty' : 'json'
  return { ...config, logFormat: config.logFormat === 'auto' ? fitting : config.logFormat }
}

/** Writes a log line at every log level, because the person who starts a server waits for it. */
const logLine = (msg: string, fields: Record<string, unknown> = {}): string =>
  JSON.stringify({ level: 30, time: Date.now(), ...fields, msg })

/** How to call this program: by its name if it is installed, through npm in a source folder. */
function ownCommand(script = ''): string {
  return basename(script) === 'anteroom' ? 'anteroom' : 'npm run anteroom --'
}

/** Runs until SIGINT or SIGTERM, then stops in order. The signal may come during the start. */
async function untilStopped(
  input: CommandInput,
  start: (config: Config, stopping: AbortSignal) => Promise<RunningServer>,
): Promise<CommandResult> {
  const { interruption, show } = input
  const config = settingsFor(input)
  const forPeople = config.logFormat === 'pretty'
  const stopped = (): CommandResult => ({
    json: { stopped: true },
    text: forPeople ? 'stopped' : logLine('stopped'),
  })
  const drainMs = config.drainSeconds * 1000
  interruption.takeTime(drainMs + STOP_LIMIT_MS)
  const { signal } = interruption
  let server: RunningServer
  try {
    server = await start(config, signal)
  } catch (error) {
    if (signal.aborted) return stopped()
    throw error
  }
  if (!signal.aborted) {
    const { urls, ready } = server
    const lines = [
      logLine('ready', ready.fields),
      ...ready.hints.map(({ msg, ...fields }) => logLine(msg, fields)),
    ]
    const text = forPeople ? ready.text : lines.join('\n')
    // Nobody may be reading the output; the server runs all the same.
    await show({ json: { ready: true, urls }, text }).catch(() => undefined)
  }
  const { drain } = server
  if (!signal.aborted) {
    const told = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    await Promise.race([told, ...(drain ? [drain.ended] : [])])
  }
  if (drain && signal.aborted && drainMs > 0) {
    drain.begin(drainMs)
    // What is left by then is cut off without more ado.
    await Promise.race([drain.ended, delay(drainMs, undefined, { ref: false })])
  }
  await server.close()
  // A reader that has gone does not turn the stop into a failure.
  const result = stopped()
  await show(result).catch(() => undefined)
  return { ...result, isShown: true }
}

export const serve: Command = {
  name: 'serve',
  summary: 'runs the meeting server, with its page, REST and token endpoints',
  details:
    'The first start creates the data folder, its database, the master key and an API key.\nSIGTERM or SIGINT stops it in order, within five seconds; a second signal stops it at once.\nOne of several nodes is drained first, for up to DRAIN_SECONDS.',
  run: (input) =>
    untilStopped(input, async (config, stopping) => {
      // Loaded on demand, because it takes longest of all.
      const { startServer } = await import('../server/start.ts')
      return startServer(config, { stopping, command: ownCommand(process.argv[1]) })
    }),
}

export const tokenServer: Command = {
  name: 'token-server',
  summary: 'runs only get-token, create-meeting and validate-meeting, in front of VIDEOSDK_API_ENDPOINT',
  run: (input) =>
    untilStopped(input, async (config) => {
      const { startTokenServer } = await import('../server/token-server.ts')
      return startTokenServer(config)
    }),
}
