/** Finds the command, runs it, prints its result, and sets the exit code. */
import {
  CommandError,
  exitCodes,
  helpOf,
  readArguments,
  type Command,
  type CommandResult,
} from './arguments.ts'
import { auditCommands } from './audit.ts'
import { backup, migrate, restore, rotateKey } from './backup.ts'
import { doctor } from './doctor.ts'
import { drain } from './drain.ts'
import { readEnvFile } from './env-file.ts'
import { importCommand } from './import.ts'
import { init } from './init.ts'
import type { Interruption } from './interruption.ts'
import { keyCommands } from './keys.ts'
import { load } from './load.ts'
import { meetingCommands } from './meetings.ts'
import { moveCheck } from './move-check.ts'
import { peopleCommands } from './people.ts'
import { adminReset, projectCommands } from './projects.ts'
import { nodeCommands } from './nodes.ts'
import { serve, tokenServer } from './serve.ts'
import { tokenCommands } from './tokens.ts'
import { webhookCommands } from './webhooks.ts'
import { StartError } from '../errors.ts'
import { version } from '../version.ts'
import { Refusal } from '../protocol/errors.ts'
import { describeSettings, settingNames } from '../config/describe.ts'

const commands: readonly Command[] = [
  serve,
  tokenServer,
  init,
  importCommand,
  ...projectCommands,
  ...keyCommands,
  ...tokenCommands,
  ...meetingCommands,
  ...nodeCommands,
  backup,
  migrate,
  restore,
  rotateKey,
  drain,
  ...webhookCommands,
  adminReset,
  ...auditCommands,
  ...peopleCommands,
  doctor,
  moveCheck,
  load,
]
const ENV_FILE = '.env'

export async function main(args: readonly string[], interruption: Interruption): Promise<void> {
  try {
    process.exitCode = await run(args, interruption)
  } catch (error) {
    // A mistake of the user or a problem of the machine is one sentence; only a defect of the program shows a stack.
    const known = error instanceof CommandError || error instanceof StartError || error instanceof Refusal
    console.error(known ? error.message : error)
    process.exit(
      error instanceof CommandError
        ? error.exitCode
        : error instanceof Refusal
          ? exitCodes.refused
          : exitCodes.failed,
    )
  }
}

async function run(args: readonly string[], interruption: Interruption): Promise<number> {
  const [first, second] = args
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    await print(overview())
    return first === undefined ? exitCodes.usage : exitCodes.ok
  }
  if (first === '--version' || first === '-v') {
    await print(version)
    return exitCodes.ok
  }
  const command =
    commands.find(({ name }) => name === `${first} ${second ?? ''}`) ??
    commands.find(({ name }) => name === first)
  if (!command) {
    const group = commands.filter(({ name }) => name.startsWith(`${first} `))
    if (group.length === 0)
      throw new CommandError(`There is no command "${first}". See: anteroom --help`, exitCodes.usage)
    await print(group.map(helpOf).join('\n\n'))
    return second === '--help' || second === '-h' ? exitCodes.ok : exitCodes.usage
  }
  const { json, help, ...given } = readArguments(command, args.slice(command.name.split(' ').length))
  if (help) {
    await print(helpOf(command))
    return exitCodes.ok
  }
  const envFile = readEnvFile(ENV_FILE, settingNames())
  if (envFile && 'problem' in envFile && command !== doctor) throw new CommandError(envFile.problem)
  const say = (result: CommandResult): Promise<void> =>
    print(json ? JSON.stringify(result.json) : result.text)
  const show = async (result: CommandResult): Promise<CommandResult> => {
    await say(result)
    return { ...result, isShown: true }
  }
  // The environment overrides the file.
  if (envFile && 'settings' in envFile)
    for (const [name, value] of Object.entries(envFile.settings)) process.env[name] ??= value
  const result = await command.run({
    ...given,
    env: process.env,
    envFile,
    interruption,
    isTerminal: process.stdout.isTTY,
    json,
    show,
  })
  if (!result.isShown) await say(result)
  return result.exitCode ?? exitCodes.ok
}

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2
  return [
    'usage: anteroom <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'Each command has --help and --json; anteroom --version prints the version. Settings come from the environment, or from a file .env in this folder:',
    '',
    describeSettings(),
  ].join('\n')
}

// Each write reports its own failure.
process.stdout.on('error', () => undefined)

/** Resolves when the text has been written; a closed pipe and a full disk are failures. */
async function print(text: string): Promise<void> {
  if (text === '') return
  const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) =>
    process.stdout.write(`${text}\n`, resolve),
  )
  if (error)
    throw new CommandError(
      `Standard output cannot be written to (${error.code ?? error.message}).`,
      exitCodes.failed,
      {
        cause: error,
      },
    )
}
