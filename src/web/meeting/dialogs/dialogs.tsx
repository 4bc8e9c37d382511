import type { OpenDialog } from '../model.ts'
import { ConsentDialog } from './consent.tsx'
import { HostDialog } from './host.tsx'
import { InviteDialog } from './invite.tsx'
import { LeaveDialog } from './leave.tsx'
import { RemoveDialog } from './remove.tsx'
import { RenameDialog } from './rename.tsx'
import { SettingsDialog } from './settings.tsx'
import { ShortcutsDialog } from './shortcuts.tsx'

/** Shows the open dialog, if any. */
export function Dialogs({
  dialog,
  token,
  onClose,
}: {
  dialog: OpenDialog
  token: string
  onClose: () => void
}) {
  switch (dialog.name) {
    case 'invite':
      return <InviteDialog token={token} onClose={onClose} />
    case 'leave':
      return <LeaveDialog onClose={onClose} />
    case 'remove':
      return <RemoveDialog id={dialog.id} who={dialog.who} onClose={onClose} />
    case 'host':
      return <HostDialog token={token} onClose={onClose} />
    case 'rename':
      return <RenameDialog id={dialog.id} who={dialog.who} onClose={onClose} />
    case 'shortcuts':
      return <ShortcutsDialog onClose={onClose} />
    case 'settings':
      return <SettingsDialog onClose={onClose} />
    case 'consent':
      return <ConsentDialog request={dialog.request} onClose={onClose} />
  }
}
