import { NotifyChoice } from '../parts/notify-choice.tsx'

/** In the lobby, or about to be inside. */
export function Waiting({ waiting, onCancel }: { waiting: boolean; onCancel: () => void }) {
  return (
    <main className="centre">
      <section className="card" role="status" data-testid={waiting ? 'waiting' : 'joining'}>
        <div className="knock" aria-hidden="true" />
        <h1>{waiting ? 'You asked to join' : 'Joining…'}</h1>
        <p>
          {waiting
            ? 'Somebody inside will let you in. Keep this window open: it chimes when you are let in.'
            : 'One moment.'}
        </p>
        {waiting && <NotifyChoice text="Notify me too" />}
        <button onClick={onCancel}>Cancel</button>
      </section>
    </main>
  )
}
