#!/usr/bin/env node
/**
 * The command line: `anteroom serve | token-server | projects | keys | token | meeting | webhooks | admin | doctor | move-check`. The only file that ends the process.
 */
import { existsSync } from 'node:fs'
import { CommandError, exitCodes, helpOf, readArguments, type Command } from './cli/arguments.ts'
import { backup, restore, rotateKey } from './cli/backup.ts'
import { doctor } from './cli/doctor.ts'
import { keyCommands } from './cli/keys.ts'
import { meetingCommands } from './cli/meetings.ts'
import { load } from './cli/load.ts'
import { moveCheck } from './cli/move-check.ts'
import { adminReset, projectCommands } from './cli/projects.ts'
import { serve, tokenServer } from './cli/serve.ts'
import { tokenCommands } from './cli/tokens.ts'
import { webhookCommands } from './cli/webhooks.ts'
import { describeSettings } from './config.ts'

const commands: readonly Command[] = [
  serve,
  tokenServer,
  ...projectCommands,
  ...keyCommands,
  ...tokenCommands,
  ...meetingCommands,
  backup,
  restore,
  rotateKey,
  ...webhookCommands,
  adminReset,
  doctor,
  moveCheck,
  load,
]

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2
  return [
    'usage: anteroom <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'Each command has --help and --json. Settings come from the environment, or from a file .env here:',
    '',
    describeSettings(),
  ].join('\n')
}

async function main(args: readonly string[]): Promise<number> {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const [first, second] = args
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    console.log(overview())
    return first === undefined ? exitCodes.usage : exitCodes.ok
  }
  const command =
    commands.find(({ name }) => name === `${first} ${second ?? ''}`) ??
    commands.find(({ name }) => name === first)
  if (!command) {
    const group = commands.filter(({ name }) => name.startsWith(`${first} `))
    if (group.length === 0)
      throw new CommandError(`There is no command "${first}". See: anteroom --help`, exitCodes.usage)
    console.log(group.map(helpOf).join('\n\n'))
    return second === '--help' || second === '-h' ? exitCodes.ok : exitCodes.usage
  }
  const input = readArguments(command, args.slice(command.name.split(' ').length), process.env)
  if (input.help) {
    console.log(helpOf(command))
    return exitCodes.ok
  }
  const result = await command.run(input)
  if (input.json) console.log(JSON.stringify(result.json))
  else if (result.text !== '') console.log(result.text)
  return result.exitCode ?? exitCodes.ok
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    // A mistake of the person or of the machine is one sentence; only a defect of ours shows where it was.
    const known =
      error instanceof CommandError ||
      (error instanceof Error && ['ConfigError', 'StartError', 'Refusal'].includes(error.name))
    console.error(known ? error.message : error)
    const refused = error instanceof Error && error.name === 'Refusal'
    process.exit(
      error instanceof CommandError ? error.exitCode : refused ? exitCodes.refused : exitCodes.failed,
    )
  },
)
