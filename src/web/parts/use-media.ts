import { useEffect, useState } from 'react'
import { health, type MediaState } from '../api.ts'

const AGAIN_MS = 2000

/**
 * Whether the server has sound and picture; asked again for as long as it prepares them. Undefined until the first answer,
 * null where there was none.
 */
export function useMedia(): MediaState | null | undefined {
  const [media, setMedia] = useState<MediaState | null>()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    const ask = async (): Promise<void> => {
      const found = await health().then(
        (answer) => answer.media,
        () => undefined,
      )
      if (isOver) return
      setMedia((before) => found ?? before ?? null)
      // A server that does not answer may be starting again.
      if (found === undefined || found.preparing) timer = setTimeout(() => void ask(), AGAIN_MS)
    }
    void ask()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [])
  return media
}
