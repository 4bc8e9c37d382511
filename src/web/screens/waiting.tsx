import { NotifyChoice } from '../parts/notify-choice.tsx'
import { text } from '../texts/texts.ts'

/** In the lobby, or about to be inside. */
export function Waiting({ waiting, onCancel }: { waiting: boolean; onCancel: () => void }) {
  return (
    <main className="centre">
      <section className="card" role="status" data-testid={waiting ? 'waiting' : 'joining'}>
        <div className="knock" aria-hidden="true" />
        <h1>{waiting ? text('waiting.title') : text('join.joining')}</h1>
        <p>{waiting ? text('waiting.advice') : text('oneMoment')}</p>
        {waiting && <NotifyChoice text={text('waiting.notify')} />}
        <button onClick={onCancel}>{text('cancel')}</button>
      </section>
    </main>
  )
}
