import type { ReactNode } from 'react'
import { Dialog } from '../../parts/dialog.tsx'
import { useAction } from '../query.ts'
import { Form } from './form.tsx'
import { Failure } from './states.tsx'

/** Asks before something that cannot be taken back; stays open with the reason when it did not work. */
export function Confirm({
  title,
  children,
  action,
  danger = false,
  onConfirm,
  onClose,
}: {
  title: string
  children?: ReactNode
  /** What the button says: a verb. */
  action: string
  danger?: boolean
  onConfirm: () => Promise<unknown>
  onClose: () => void
}) {
  const { busy, problem, run } = useAction()
  const submit = async (): Promise<void> => {
    if (await run(onConfirm)) onClose()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <Form busy={busy} onSubmit={() => void submit()}>
        {children}
        <Failure text={problem} />
        <div className="dialog-foot">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={danger ? 'danger' : 'primary'} disabled={busy}>
            {action}
          </button>
        </div>
      </Form>
    </Dialog>
  )
}
