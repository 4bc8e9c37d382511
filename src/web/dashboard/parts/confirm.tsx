import type { ReactNode } from 'react'
import { Dialog } from '../../parts/dialog.tsx'
import { useAction } from '../query.ts'
import { Form } from './form.tsx'
import { Failure } from './states.tsx'

/** Asks for confirmation; stays open with the reason if the action fails. */
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
  /** The text of the button: a verb. */
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
