import { memo, useSyncExternalStore } from 'react'
import { Foreign } from '../parts/foreign.tsx'
import { useModel } from './model.ts'
import { useView } from './use-view.ts'
import { text } from '../texts/texts.ts'

export const Notices = memo(function Notices() {
  const { notice } = useModel()
  const shown = useView(notice)
  return (
    <div className="notice-area" role="status" aria-live="polite">
      {shown !== '' && <p className="toast">{shown}</p>}
    </div>
  )
})

/** The reactions that float over the screen. */
export const Reactions = memo(function Reactions() {
  const { meeting, chat } = useModel()
  const reactions = useSyncExternalStore(chat.subscribe, () => chat.state.reactions)
  return (
    <div className="reactions" aria-live="polite" data-testid="reactions">
      {reactions.map(({ id, from, text: emoji }) => (
        <span key={id}>
          <Foreign text={emoji} />
          <small>
            {from === meeting.self.id ? (
              text('you')
            ) : (
              <Foreign text={meeting.participants.get(from)?.name ?? ''} />
            )}
          </small>
        </span>
      ))}
    </div>
  )
})
