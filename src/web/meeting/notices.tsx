import { memo, useSyncExternalStore } from 'react'
import { Foreign } from '../parts/foreign.tsx'
import { useModel } from './model.ts'
import { useView } from './use-view.ts'

export const Notices = memo(function Notices() {
  const { notice } = useModel()
  const text = useView(notice)
  return (
    <div className="notice-area" role="status" aria-live="polite">
      {text !== '' && <p className="toast">{text}</p>}
    </div>
  )
})

/** The reactions that float over the screen. */
export const Reactions = memo(function Reactions() {
  const { meeting, chat } = useModel()
  const reactions = useSyncExternalStore(chat.subscribe, () => chat.state.reactions)
  return (
    <div className="reactions" aria-live="polite" data-testid="reactions">
      {reactions.map(({ id, from, text }) => (
        <span key={id}>
          <Foreign text={text} />
          <small>
            {from === meeting.self.id ? 'You' : <Foreign text={meeting.participants.get(from)?.name ?? ''} />}
          </small>
        </span>
      ))}
    </div>
  )
})
