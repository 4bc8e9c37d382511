import { Dialog } from '../../parts/dialog.tsx'
import { useModel } from '../model.ts'

/** Asks a moderator whether to leave alone or to end the meeting for all. */
export function LeaveDialog({ onClose }: { onClose: () => void }) {
  const { meeting, actions } = useModel()
  return (
    <Dialog title="Leave the meeting?" onClose={onClose}>
      <div className="row">
        <button className="primary" autoFocus onClick={() => void meeting.leave()} data-testid="leave-alone">
          Leave
        </button>
        <button
          className="danger"
          onClick={() => actions.attempt(() => meeting.moderation.endForAll())}
          data-testid="end-for-all"
        >
          End for all
        </button>
      </div>
    </Dialog>
  )
}
