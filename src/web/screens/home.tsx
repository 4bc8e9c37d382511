import { useEffectEvent, useLayoutEffect, useRef } from 'react'
import { showStart, type StartActions } from './start-screen.ts'

/** The start page, for whoever comes back to it. */
export function Home({ onStart, onJoin }: StartActions) {
  const element = useRef<HTMLDivElement>(null)
  const start = useEffectEvent(onStart)
  const join = useEffectEvent(onJoin)
  useLayoutEffect(
    () =>
      showStart(element.current!, {
        onStart: (isEncrypted) => start(isEncrypted),
        onJoin: (to) => join(to),
      }),
    [],
  )
  return <div ref={element} style={{ display: 'contents' }} />
}
