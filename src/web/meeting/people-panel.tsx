import { memo, useMemo } from 'react'
import { clickedOnce } from '../parts/clicked-once.ts'
import { Foreign } from '../parts/foreign.tsx'
import { Icon } from '../parts/icon.tsx'
import { text } from '../texts/texts.ts'
import { hostingView } from './host-model.ts'
import { Always, Message } from './knock.tsx'
import { useModel } from './model.ts'
import { hereView, waitingView } from './people-model.ts'
import { useTile } from './use-tile.ts'
import { useView } from './use-view.ts'

export const PeoplePanel = memo(function PeoplePanel({ onClose }: { onClose: () => void }) {
  const { meeting, chat, openDialog } = useModel()
  const here = useView(useMemo(() => hereView(meeting, chat), [meeting, chat]))
  const { canModerate } = useView(useMemo(() => hostingView(meeting), [meeting]))
  return (
    <aside className="panel" aria-label={text('participants')}>
      <Waiting />
      <section>
        <h2>{text('people.here', { count: here.length })}</h2>
        <ul>
          {here.map((id) => (
            <Row key={id} id={id} />
          ))}
        </ul>
        {canModerate && (
          <button
            onClick={() => openDialog({ name: 'host' })}
            className="control"
            data-testid="host-controls"
          >
            {text('host.title')}
          </button>
        )}
      </section>
      <button onClick={onClose}>{text('close')}</button>
    </aside>
  )
})

function Waiting() {
  const { meeting, actions } = useModel()
  const waiting = useView(useMemo(() => waitingView(meeting), [meeting]))
  if (waiting.length === 0) return null
  return (
    <section>
      <h2>{text('people.waiting', { count: waiting.length })}</h2>
      <ul className="waiting">
        {waiting.map(({ id, name, message }) => (
          <li key={id}>
            <span>
              <Foreign text={name} />
              <Message text={message} />
            </span>
            <button onClick={clickedOnce(() => actions.attempt(() => meeting.lobby.deny(id)))}>
              {text('knock.deny')}
            </button>
            <button
              className="primary"
              onClick={clickedOnce(() => actions.attempt(() => meeting.lobby.allow(id)))}
            >
              {text('knock.letIn')}
            </button>
            <Always id={id} />
          </li>
        ))}
      </ul>
    </section>
  )
}

const Row = memo(function Row({ id }: { id: string }) {
  const tile = useTile(id)
  if (!tile) return null
  const { name, isSelf, micOn, cameraOn, handUp, isCoHost } = tile
  return (
    <li>
      <span>
        <Foreign text={name} />
        {isSelf && ` ${text('isYou')}`}
        {handUp && ' ✋'}
        {isCoHost && <small className="quiet"> {text('host.coHost')}</small>}
      </span>
      <Icon name={micOn ? 'mic' : 'micOff'} />
      <Icon name={cameraOn ? 'camera' : 'cameraOff'} />
    </li>
  )
})
