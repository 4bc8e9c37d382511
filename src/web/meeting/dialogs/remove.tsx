import { isolated } from '../../isolate.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { useModel } from '../model.ts'

export function RemoveDialog({ id, who, onClose }: { id: string; who: string; onClose: () => void }) {
  const { meeting, actions } = useModel()
  return (
    <Dialog title={`Remove ${isolated(who)}?`} onClose={onClose}>
      <p>They cannot come back while this meeting goes on.</p>
      <div className="row">
        <button autoFocus onClick={onClose}>
          Keep
        </button>
        <button
          className="danger"
          data-testid="confirm-remove"
          onClick={() => {
            actions.attempt(() => meeting.moderation.remove(id))
            onClose()
          }}
        >
          Remove
        </button>
      </div>
    </Dialog>
  )
}
