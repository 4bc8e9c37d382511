import { useEffect, useState } from 'react'
import { health, type MediaState } from '../api.ts'

const AGAIN_MS = 2000

/**
 * The state of the server's media, polled while it is being prepared. Undefined before the first answer, null if there
 * was none.
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
      // A server that does not answer may be restarting.
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
