import { Dialog } from '../../parts/dialog.tsx'
import { useModel } from '../model.ts'
import { text } from '../../texts/texts.ts'

/** Asks a host whether to leave alone or to end the meeting for all. */
export function LeaveDialog({ onClose }: { onClose: () => void }) {
  const { meeting, actions } = useModel()
  return (
    <Dialog title={text('leave.title')} onClose={onClose}>
      <div className="row">
        <button className="primary" onClick={() => void meeting.leave()} data-testid="leave-alone">
          {text('leave')}
        </button>
        <button
          className="danger"
          onClick={() => actions.attempt(() => meeting.moderation.endForAll())}
          data-testid="end-for-all"
        >
          {text('leave.endForAll')}
        </button>
      </div>
    </Dialog>
  )
}
