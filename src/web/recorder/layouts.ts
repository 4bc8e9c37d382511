/** The layout as hosts change it while it runs, over chat (contract, outputs §2.2). */
import type { Layout } from '../../protocol/outputs.ts'

const TYPES = ['GRID', 'SPOTLIGHT', 'SIDEBAR'] as const
const PRIORITIES = ['SPEAKER', 'PIN'] as const
const MAX_TILES = 25

/** What a message of a layout topic changes; undefined where it is none. */
export function readLayout(text: string, now: Layout): Layout | undefined {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return undefined
  }
  const given = (message as { layout?: unknown } | null)?.layout
  if (typeof given !== 'object' || given === null) return undefined
  const { type, priority, gridSize } = given as Record<string, unknown>
  const tiles = Number(gridSize)
  return {
    type: TYPES.find((one) => one === type) ?? now.type,
    priority: PRIORITIES.find((one) => one === priority) ?? now.priority,
    gridSize: tiles >= 1 ? Math.min(MAX_TILES, Math.floor(tiles)) : now.gridSize,
  }
}
