import { isolated } from '../../isolate.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { useModel } from '../model.ts'
import { text } from '../../texts/texts.ts'

export function RemoveDialog({ id, who, onClose }: { id: string; who: string; onClose: () => void }) {
  const { meeting, actions } = useModel()
  return (
    <Dialog title={text('remove.title', { name: isolated(who) })} onClose={onClose}>
      <p>{text('remove.advice')}</p>
      <div className="row">
        <button autoFocus onClick={onClose}>
          {text('remove.keep')}
        </button>
        <button
          className="danger"
          data-testid="confirm-remove"
          onClick={() => {
            actions.attempt(() => meeting.moderation.remove(id))
            onClose()
          }}
        >
          {text('remove')}
        </button>
      </div>
    </Dialog>
  )
}
