import { lazy, Suspense } from 'react'

const Choice = lazy(() => import('../effects/choice.tsx'))

/** The background of one's own picture and the noise of one's own sound. Loaded when it is shown. */
export function EffectChoice() {
  return (
    <Suspense fallback={null}>
      <Choice />
    </Suspense>
  )
}
