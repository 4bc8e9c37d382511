import { useEffect, useState } from 'react'
import type { MediaState } from '../api.ts'
import { followMedia } from '../media-state.ts'

/** The state of the server's media. Undefined before the first answer, null if there was none. */
export function useMedia(): MediaState | null | undefined {
  const [media, setMedia] = useState<MediaState | null>()
  useEffect(() => followMedia(setMedia), [])
  return media
}
