import { memo, useMemo, type ReactNode } from 'react'
import { clickedOnce } from '../parts/clicked-once.ts'
import { Foreign } from '../parts/foreign.tsx'
import { NotifyChoice } from '../parts/notify-choice.tsx'
import { isHost } from './host-model.ts'
import { useModel } from './model.ts'
import { waitingView } from './people-model.ts'
import { useView } from './use-view.ts'
import { rich, text } from '../texts/texts.ts'

/** Shows the oldest entry request to people who may answer it. */
export const Knock = memo(function Knock() {
  const { meeting, actions } = useModel()
  const waiting = useView(useMemo(() => waitingView(meeting), [meeting]))
  const { lobby } = meeting
  const [first] = waiting
  if (!first) return null
  return (
    <section className="toast" role="alert" data-testid="knock">
      <p>
        {rich('knock.asks', {
          name: <Foreign text={first.name} />,
          more: waiting.length - 1,
          b: (name: ReactNode) => <strong>{name}</strong>,
        })}
      </p>
      <Message text={first.message} />
      <div className="row" key={first.id}>
        <button onClick={clickedOnce(() => actions.attempt(() => lobby.deny(first.id)))} data-testid="deny">
          {text('knock.deny')}
        </button>
        <button
          className="primary"
          onClick={clickedOnce(() => actions.attempt(() => lobby.allow(first.id)))}
          data-testid="allow"
        >
          {text('knock.letIn')}
        </button>
        <Always id={first.id} />
        {waiting.length > 1 && (
          <button onClick={() => actions.attempt(() => lobby.allowAll())} data-testid="allow-all">
            {text('knock.letAllIn')}
          </button>
        )}
      </div>
      <NotifyChoice text={text('knock.notify')} />
    </section>
  )
})

/** Lets somebody in for good. A co-host decides for this session alone. */
export function Always({ id }: { id: string }) {
  const { meeting, actions } = useModel()
  if (!isHost(meeting)) return null
  return (
    <button
      onClick={clickedOnce(() => actions.attempt(() => meeting.lobby.allow(id, { always: true })))}
      data-testid="allow-always"
    >
      {text('knock.always')}
    </button>
  )
}

/** What one who asks wrote. */
export function Message({ text: said }: { text: string | undefined }) {
  if (said === undefined) return null
  return (
    <small className="quiet said" data-testid="knock-message">
      <Foreign text={said} />
    </small>
  )
}
