import { memo, useMemo } from 'react'
import { clickedOnce } from '../parts/clicked-once.ts'
import { Foreign } from '../parts/foreign.tsx'
import { NotifyChoice } from '../parts/notify-choice.tsx'
import { useModel } from './model.ts'
import { waitingView } from './people-model.ts'
import { useView } from './use-view.ts'

/** Shows the oldest entry request to people who may answer it. */
export const Knock = memo(function Knock() {
  const { meeting, actions } = useModel()
  const waiting = useView(useMemo(() => waitingView(meeting), [meeting]))
  const { lobby } = meeting
  const [first] = waiting
  if (!first) return null
  return (
    <section className="toast knock-toast" role="alert" data-testid="knock">
      <p>
        <strong>
          <Foreign text={first.name} />
        </strong>{' '}
        asks to join{waiting.length > 1 && `, and ${waiting.length - 1} more`}
      </p>
      <Message text={first.message} />
      <div className="row" key={first.id}>
        <button onClick={clickedOnce(() => actions.attempt(() => lobby.deny(first.id)))} data-testid="deny">
          Deny
        </button>
        <button
          className="primary"
          onClick={clickedOnce(() => actions.attempt(() => lobby.allow(first.id)))}
          data-testid="allow"
        >
          Let in
        </button>
        {waiting.length > 1 && (
          <button onClick={() => actions.attempt(() => lobby.allowAll())} data-testid="allow-all">
            Let everyone in
          </button>
        )}
      </div>
      <NotifyChoice text="Notify me of requests" />
    </section>
  )
})

/** What one who asks wrote. */
export function Message({ text }: { text: string | undefined }) {
  if (text === undefined) return null
  return (
    <small className="quiet said" data-testid="knock-message">
      <Foreign text={text} />
    </small>
  )
}
