import { lazy, memo, Suspense } from 'react'
import { text } from '../../texts/texts.ts'
import { useModel } from '../model.ts'
import './activities.css'
import { Polls } from './polls.tsx'
import { TimerSection } from './timer.tsx'

const BreakoutsSection = lazy(async () => ({
  default: (await import('../breakouts/section.tsx')).BreakoutsSection,
}))

/** What people do together in a meeting, beside talking. */
export const ActivitiesPanel = memo(function ActivitiesPanel({ onClose }: { onClose: () => void }) {
  useModel()
  return (
    <aside className="panel activities" aria-label={text('activities')} data-testid="activities">
      <Polls />
      <TimerSection />
      <Suspense fallback={null}>
        <BreakoutsSection />
      </Suspense>
      <button onClick={onClose}>{text('close')}</button>
    </aside>
  )
})
