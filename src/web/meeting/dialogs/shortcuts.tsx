import { Dialog } from '../../parts/dialog.tsx'
import { shortcuts } from '../shortcuts.ts'

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="shortcuts">
        {shortcuts.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>Space</kbd>
          </dt>
          <dd>Hold to talk while you are muted</dd>
        </div>
      </dl>
      <button className="primary" autoFocus onClick={onClose}>
        Close
      </button>
    </Dialog>
  )
}
