import { useState } from 'react'
import type { NewOperatorInvite, Operator, OperatorRole } from '../../../protocol/rest/admin.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { formatInstant } from '../format.ts'
import { CopyField } from '../parts/copy.tsx'
import { Choice, Field } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Failure } from '../parts/states.tsx'
import { useProject } from '../project.tsx'
import { useAction } from '../query.ts'

const ROLES: readonly (readonly [OperatorRole, string])[] = [
  ['viewer', 'Viewer: reads'],
  ['operator', 'Operator: also changes projects, keys and meetings'],
  ['owner', 'Owner: also decides who may sign in'],
]
const DAY_SECONDS = 86_400

function Foot({ busy, action, onClose }: { busy: boolean; action: string; onClose: () => void }) {
  return (
    <div className="dialog-foot">
      <button type="button" onClick={onClose}>
        Cancel
      </button>
      <button className="primary" disabled={busy}>
        {action}
      </button>
    </div>
  )
}

export function InviteOperator({
  onMade,
  onClose,
}: {
  onMade: (made: NewOperatorInvite) => void
  onClose: () => void
}) {
  const { api } = useProject()
  const { busy, problem, run } = useAction()
  const [name, setName] = useState('')
  const [role, setRole] = useState<OperatorRole>('viewer')
  const [days, setDays] = useState('3')
  return (
    <Dialog title="Invite an operator" onClose={onClose}>
      <Form
        busy={busy}
        onSubmit={() =>
          void run(async () =>
            onMade(
              await api.admin<NewOperatorInvite>('POST', '/v2/admin/operator-invites', {
                name,
                role,
                expiresInSeconds: Number(days) * DAY_SECONDS,
              }),
            ),
          )
        }
      >
        <Field
          label="Name"
          hint="They sign in with it."
          required
          maxLength={100}
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Choice
          label="Role"
          value={role}
          options={ROLES}
          onChange={(event) => setRole(event.target.value as OperatorRole)}
        />
        <Choice
          label="The link works for"
          value={days}
          options={[
            ['1', '1 day'],
            ['3', '3 days'],
            ['14', '14 days'],
          ]}
          onChange={(event) => setDays(event.target.value)}
        />
        <Failure text={problem} />
        <Foot busy={busy} action="Make the link" onClose={onClose} />
      </Form>
    </Dialog>
  )
}

export function EditOperator({
  operator,
  onSave,
  onClose,
}: {
  operator: Operator
  onSave: (change: { name: string; role: OperatorRole }) => Promise<void>
  onClose: () => void
}) {
  const { busy, problem, run } = useAction()
  const [name, setName] = useState(operator.name)
  const [role, setRole] = useState(operator.role)
  const save = async (): Promise<void> => {
    if (await run(() => onSave({ name, role }))) onClose()
  }
  return (
    <Dialog title="Change the operator" onClose={onClose}>
      <Form busy={busy} onSubmit={() => void save()}>
        <Field
          label="Name"
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Choice
          label="Role"
          value={role}
          options={ROLES}
          onChange={(event) => setRole(event.target.value as OperatorRole)}
        />
        <p className="quiet">
          A lower role ends the tokens, invites and links that this operator has made, at once.
        </p>
        <Failure text={problem} />
        <Foot busy={busy} action="Save" onClose={onClose} />
      </Form>
    </Dialog>
  )
}

/** A link that is shown once. */
export function ShownLink({ made, onClose }: { made: NewOperatorInvite; onClose: () => void }) {
  return (
    <Dialog title="The link" onClose={onClose}>
      <p>
        Send it to <Foreign text={made.name} /> yourself. It works once, until {formatInstant(made.expiresAt)}
        , and is not shown again.
      </p>
      <CopyField label="Link" value={made.link} id="operator-link" />
      <div className="dialog-foot">
        <button className="primary" onClick={onClose}>
          I have kept it
        </button>
      </div>
    </Dialog>
  )
}
