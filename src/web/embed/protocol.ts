/** What an app that embeds the page and the page tell each other, by `postMessage`. */

/** A later version adds; what is here keeps its meaning. */
export const VERSION = 1

export type Command = { command: 'leave' } | { command: 'mic' | 'camera' | 'share'; on: boolean }

/** A command of the app; undefined for anything else. */
export function commandOf(data: unknown): Command | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const { type, version, command, on } = data as Record<string, unknown>
  if (type !== 'anteroom:command' || version !== VERSION) return undefined
  if (command === 'leave') return { command }
  if (command !== 'mic' && command !== 'camera' && command !== 'share') return undefined
  return typeof on === 'boolean' ? { command, on } : undefined
}
