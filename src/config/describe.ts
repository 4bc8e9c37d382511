/** The settings for people: in `--help`, in `.env.example`, and on the dashboard. */
import type { Config } from './read.ts'
import { settings, type Setting } from './settings.ts'

/** Each setting as people may see it: of a secret, only whether it is set. */
export function shownSettings(config: Config): {
  variable: string
  value: string | null
  source: 'environment' | 'default'
  help: string
}[] {
  const values = { ...config, videosdkApiKey: config.apiKey?.apiKey } as Readonly<
    Record<string, string | number | boolean | readonly string[] | undefined>
  >
  return Object.entries(settings as Record<string, Setting<unknown>>).map(
    ([name, { variable, secret, help }]) => ({
      variable,
      value: secret ? null : String(values[name] ?? '') || null,
      source: config.given.includes(variable) ? 'environment' : 'default',
      help,
    }),
  )
}

/** The variables that are settings. */
export function settingNames(): string[] {
  return Object.values(settings).map(({ variable }) => variable)
}

/** The settings as a table for people. */
export function describeSettings(): string {
  const rows = Object.values(settings).map(({ variable, shown, help }) => [variable, shown, help] as const)
  const width = Math.max(...rows.map(([variable]) => variable.length)) + 2
  const second = Math.max(...rows.map(([, shown]) => shown.length)) + 2
  return rows
    .map(([variable, shown, help]) => `  ${variable.padEnd(width)}${shown.padEnd(second)}${help}`)
    .join('\n')
}

/** The settings as a file to copy. */
export function envExample(): string {
  return Object.values(settings)
    .map(({ variable, shown, help }) => `# ${help}\n# ${variable}=${shown === 'cores' ? '' : shown}\n`)
    .join('\n')
}
