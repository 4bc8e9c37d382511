import { useState } from 'react'
import { isolated } from '../../isolate.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { text } from '../../texts/texts.ts'
import { useModel } from '../model.ts'

export function RemoveDialog({ id, who, onClose }: { id: string; who: string; onClose: () => void }) {
  const { meeting, actions } = useModel()
  const [mayReturn, setMayReturn] = useState(false)
  return (
    <Dialog title={text('remove.title', { name: isolated(who) })} onClose={onClose}>
      {!mayReturn && <p>{text('remove.advice')}</p>}
      <label className="radio">
        <input
          type="checkbox"
          checked={mayReturn}
          onChange={({ target }) => setMayReturn(target.checked)}
          data-testid="may-return"
        />
        {text('host.mayReturn')}
      </label>
      <div className="row">
        <button data-first onClick={onClose}>
          {text('remove.keep')}
        </button>
        <button
          className="danger"
          data-testid="confirm-remove"
          onClick={() => {
            actions.attempt(() => meeting.moderation.remove(id, { mayReturn }))
            onClose()
          }}
        >
          {text('remove')}
        </button>
      </div>
    </Dialog>
  )
}
