import { useEffect, useState } from 'react'
import type { Timer } from '../../../client/client.ts'
import { leftOf, nextTickIn } from './timer-model.ts'

/**
 * What is left of a timer, drawn anew each second while it runs.
 * @param onEnd called once when it runs out while it is shown
 */
export function useLeft(timer: Timer | undefined, onEnd?: () => void): number | undefined {
  const [, setTick] = useState(0)
  useEffect(() => {
    if (!timer) return
    let tick: ReturnType<typeof setTimeout> | undefined
    const plan = (): void => {
      const inMs = nextTickIn(timer, performance.now())
      if (inMs === undefined) return
      tick = setTimeout(() => {
        setTick((count) => count + 1)
        if (leftOf(timer, performance.now()) === 0) onEnd?.()
        plan()
      }, inMs)
    }
    plan()
    return () => clearTimeout(tick)
  }, [timer, onEnd])
  return timer && leftOf(timer, performance.now())
}
