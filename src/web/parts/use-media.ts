import { useEffect, useState } from 'react'
import { health, type MediaState } from '../api.ts'

const AGAIN_MS = 2000

/** Whether the server has sound and picture; asked again for as long as it prepares them. Undefined until it is known. */
export function useMedia(): MediaState | undefined {
  const [media, setMedia] = useState<MediaState>()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    const ask = async (): Promise<void> => {
      const found = await health().then(
        (answer) => answer.media,
        () => undefined,
      )
      if (isOver) return
      setMedia((before) => found ?? before)
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
