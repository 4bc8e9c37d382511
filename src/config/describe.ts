/** Describes the settings in `--help`, in `.env.example`, and on the dashboard. */
import type { Config } from './read.ts'
import { settingRows, type Setting } from './settings.ts'

/** Each setting for display. Secrets are hidden: only whether they are set is shown. */
export function shownSettings(config: Config): {
  variable: string
  value: string | null
  source: 'environment' | 'default'
  help: string
}[] {
  const values = { ...config, videosdkApiKey: config.apiKey?.apiKey } as Readonly<
    Record<string, string | number | boolean | readonly string[] | { toString(): string } | undefined>
  >
  return settingRows.map(([name, { env, secret, schema }]) => ({
    variable: env,
    value: secret ? null : String(values[name] ?? '') || null,
    source: config.given.includes(env) ? 'environment' : 'default',
    help: schema.description ?? '',
  }))
}

/** The variables of all settings. */
export function settingNames(): string[] {
  return settingRows.map(([, { env }]) => env)
}

/** The settings as a table of text. */
export function describeSettings(): string {
  const rows = settingRows.map(([, row]) => [row.env, shownDefault(row), row.schema.description] as const)
  const width = Math.max(...rows.map(([env]) => env.length)) + 2
  const second = Math.max(...rows.map(([, shown]) => shown.length)) + 2
  return rows.map(([env, shown, help]) => `  ${env.padEnd(width)}${shown.padEnd(second)}${help}`).join('\n')
}

/** The settings as a file to copy. */
export function envExample(): string {
  return settingRows
    .map(
      ([, row]) =>
        `# ${row.schema.description}\n# ${row.env}=${row.shownDefault === undefined ? shownDefault(row) : ''}\n`,
    )
    .join('\n')
}

function shownDefault(row: Setting): string {
  return row.shownDefault ?? String(row.schema.default ?? '')
}
