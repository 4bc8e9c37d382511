import { useMemo } from 'react'
import { useModel } from './model.ts'
import { tileView, type TileContent } from './tile-model.ts'
import { useView } from './use-view.ts'

/** The tile of one participant; undefined after they left. */
export function useTile(id: string): TileContent | undefined {
  const { meeting, chat, settings } = useModel()
  return useView(useMemo(() => tileView(meeting, chat, settings, id), [meeting, chat, settings, id]))
}
