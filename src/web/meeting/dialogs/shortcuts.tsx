import { Dialog } from '../../parts/dialog.tsx'
import { shortcuts } from '../shortcuts.ts'
import { text } from '../../texts/texts.ts'

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={text('view.shortcuts')} onClose={onClose}>
      <ShortcutList />
      <button className="primary" autoFocus onClick={onClose}>
        {text('close')}
      </button>
    </Dialog>
  )
}

export function ShortcutList() {
  return (
    <dl className="shortcuts">
      {shortcuts.map(({ key, does }) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{text(does)}</dd>
        </div>
      ))}
      <div>
        <dt>
          <kbd>{text('shortcuts.space')}</kbd>
        </dt>
        <dd>{text('shortcuts.talk')}</dd>
      </div>
    </dl>
  )
}
