import { BrandLine, BrandLinks } from '../parts/brand.tsx'
import { NotifyChoice } from '../parts/notify-choice.tsx'
import { text } from '../texts/texts.ts'

interface WaitingProps {
  waiting: boolean
  /** How many people wait before this one, if that is known. */
  before?: number | undefined
  onCancel: () => void
}

/** In the lobby, or about to be inside. */
export function Waiting({ waiting, before, onCancel }: WaitingProps) {
  return (
    <main className="centre">
      <section className="card" role="status" data-testid={waiting ? 'waiting' : 'joining'}>
        <BrandLine />
        <div className="knock" aria-hidden="true" />
        <h1>{waiting ? text('waiting.title') : text('join.joining')}</h1>
        <p>{waiting ? text('waiting.advice') : text('oneMoment')}</p>
        {waiting && before !== undefined && (
          <p data-testid="queue">{text('waiting.before', { count: before })}</p>
        )}
        {waiting && <NotifyChoice text={text('waiting.notify')} />}
        <button onClick={onCancel}>{text('cancel')}</button>
        <BrandLinks />
      </section>
    </main>
  )
}
