/**
 * Parses the command line and prints answers. One description per command gives its options, its help and its errors.
 */
import { parseArgs } from 'node:util'
import type { EnvFile } from './env-file.ts'
import type { Interruption } from './interruption.ts'

/** Exit codes that scripts can use. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, refused: 3 } as const

/** A mistake of the user, in one sentence; shown without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, exitCode: number = exitCodes.failed, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

export interface OptionSpec {
  /** Describes the value in the help; absent for a switch. */
  value?: string
  help: string
  many?: boolean
}

export interface Command {
  /** As typed, e.g. `keys create`. */
  name: string
  /** Positional arguments by name; all required unless in brackets. */
  positionals?: readonly string[]
  summary: string
  details?: string
  options?: Record<string, OptionSpec>
  run: (input: CommandInput) => Promise<CommandResult> | CommandResult
}

export interface CommandInput {
  values: Record<string, string | string[] | boolean | undefined>
  positionals: string[]
  env: NodeJS.ProcessEnv
  /** The number of settings in `.env`, or why it was not read; undefined if there is no such file. */
  envFile: EnvFile | undefined
  interruption: Interruption
  /** Whether output goes to a terminal. */
  isTerminal: boolean
  /** Whether `--json` was given. */
  json: boolean
  /**
   * Prints at once instead of at the end of the command: for what must be shown before the next step, and for a command that
   * keeps running. Throws a `CommandError` if the output cannot be written.
   */
  show: (result: CommandResult) => Promise<CommandResult>
}

/** What `--json` prints, and what is printed otherwise. */
export interface CommandResult {
  json: unknown
  text: string
  exitCode?: number
  /** Whether it has been printed already. */
  isShown?: boolean
}

export function readArguments(
  command: Command,
  args: readonly string[],
): Pick<CommandInput, 'values' | 'positionals'> & { json: boolean; help: boolean } {
  const options: Record<string, { type: 'string' | 'boolean'; multiple?: boolean; short?: string }> = {
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  }
  for (const [name, spec] of Object.entries(command.options ?? {})) {
    options[name] = {
      type: spec.value === undefined ? 'boolean' : 'string',
      ...(spec.many && { multiple: true }),
    }
  }
  let parsed
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new CommandError(
      `${(error as Error).message.split('. ')[0]!}. See: anteroom ${command.name} --help`,
      exitCodes.usage,
    )
  }
  const { json, help, ...values } = parsed.values as CommandInput['values']
  const wanted = command.positionals ?? []
  const required = wanted.filter((name) => !name.startsWith('['))
  if (!help && (parsed.positionals.length < required.length || parsed.positionals.length > wanted.length)) {
    throw new CommandError(`usage: ${usage(command)}`, exitCodes.usage)
  }
  return { values, positionals: parsed.positionals, json: json === true, help: help === true }
}

function usage(command: Command): string {
  const names = (command.positionals ?? []).map((name) => (name.startsWith('[') ? name : `<${name}>`))
  return ['anteroom', command.name, ...names, ...(command.options ? ['[options]'] : [])].join(' ')
}

export function helpOf(command: Command): string {
  const rows: [string, string][] = Object.entries(command.options ?? {}).map(([name, spec]) => [
    `--${name}${spec.value === undefined ? '' : ` <${spec.value}>`}`,
    spec.help,
  ])
  rows.push(['--json', 'print the result as JSON'], ['--help', 'print this'])
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  return [
    `usage: ${usage(command)}`,
    '',
    command.summary,
    ...(command.details ? ['', command.details] : []),
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`),
  ].join('\n')
}

/** A table with aligned columns, for people. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
