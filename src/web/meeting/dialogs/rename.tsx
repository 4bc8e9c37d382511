import { useState } from 'react'
import { Dialog } from '../../parts/dialog.tsx'
import { text } from '../../texts/texts.ts'
import { useModel } from '../model.ts'

/** Changes our own name, or as a moderator that of another. */
export function RenameDialog({ id, who, onClose }: { id: string; who: string; onClose: () => void }) {
  const { meeting, actions } = useModel()
  const [name, setName] = useState(who)
  const isSelf = id === meeting.self.id
  return (
    <Dialog title={text(isSelf ? 'host.renameSelf' : 'host.rename')} onClose={onClose}>
      <form
        className="rename"
        onSubmit={(event) => {
          event.preventDefault()
          actions.attempt(() => (isSelf ? meeting.rename(name) : meeting.moderation.rename(id, name)))
          onClose()
        }}
      >
        <label>
          {text('host.newName')}
          <input
            value={name}
            maxLength={100}
            dir="auto"
            onFocus={({ target }) => target.select()}
            onChange={({ target }) => setName(target.value)}
            data-testid="new-name"
          />
        </label>
        <div className="row">
          <button type="button" onClick={onClose}>
            {text('cancel')}
          </button>
          <button className="primary" disabled={name.trim() === ''} data-testid="save-name">
            {text('host.save')}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
