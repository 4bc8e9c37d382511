import { useState } from 'react'
import type { NewKey, ShownKey } from '../../../protocol/rest/keys.ts'
import { isolated } from '../../isolate.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { useAction } from '../query.ts'
import { Confirm } from '../parts/confirm.tsx'
import { CopyField } from '../parts/copy.tsx'
import { Choice, Field, Lines } from '../parts/field.tsx'
import { Form } from '../parts/form.tsx'
import { Failure } from '../parts/states.tsx'
import { useProject } from '../project.tsx'
import { wordsIn } from '../parts/words-in.ts'

export function EditKey({
  apiKey,
  onSaved,
  onClose,
}: {
  /** The key to change; undefined to create one. */
  apiKey?: ShownKey
  onSaved: (key: NewKey) => void
  onClose: () => void
}) {
  const { api, project } = useProject()
  const { busy, problem, run } = useAction()
  const [name, setName] = useState(apiKey?.name ?? '')
  const [origins, setOrigins] = useState(apiKey?.origins?.join('\n') ?? '')
  const save = (): void =>
    void run(async () => {
      const listed = wordsIn(origins)
      onSaved(
        apiKey
          ? await api.admin<NewKey>('PATCH', `/v2/admin/keys/${encodeURIComponent(apiKey.apiKey)}`, {
              name,
              origins: listed.length > 0 ? listed : null,
            })
          : await api.admin<NewKey>('POST', '/v2/admin/keys', {
              projectId: project.projectId,
              ...(name !== '' && { name }),
              ...(listed.length > 0 && { origins: listed }),
            }),
      )
    })
  return (
    <Dialog title={apiKey ? 'Change the key' : 'New key'} onClose={onClose}>
      <Form busy={busy} onSubmit={() => save()}>
        <Field
          label="Name"
          hint="What it is for, so that you know it again."
          maxLength={128}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Lines
          label="Web origins"
          hint="One on a line, e.g. https://app.example.org or https://*.example.org. Empty: pages of any origin may use it."
          value={origins}
          onChange={(event) => setOrigins(event.target.value)}
        />
        <Failure text={problem} />
        <div className="dialog-foot">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="primary" disabled={busy}>
            {apiKey ? 'Save' : 'Create'}
          </button>
        </div>
      </Form>
    </Dialog>
  )
}

export function Rotate({
  apiKey,
  onRotated,
  onClose,
}: {
  apiKey: ShownKey
  onRotated: (key: NewKey) => void
  onClose: () => void
}) {
  const { api } = useProject()
  const { busy, problem, run } = useAction()
  const [overlap, setOverlap] = useState('86400')
  return (
    <Dialog title={`Rotate ${apiKey.name ? isolated(apiKey.name) : 'the key'}`} onClose={onClose}>
      <Form
        busy={busy}
        onSubmit={() => {
          void run(async () =>
            onRotated(
              await api.admin<NewKey>('POST', `/v2/admin/keys/${encodeURIComponent(apiKey.apiKey)}/rotate`, {
                overlapSeconds: Number(overlap),
              }),
            ),
          )
        }}
      >
        <p>
          A new key takes its place. The old one goes on working for a while, so that your backend can change
          over.
        </p>
        <Choice
          label="The old one works for"
          value={overlap}
          options={[
            ['0', 'not one moment more'],
            ['3600', '1 hour'],
            ['86400', '1 day'],
            ['604800', '7 days'],
          ]}
          onChange={(event) => setOverlap(event.target.value)}
        />
        <Failure text={problem} />
        <div className="dialog-foot">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button className="primary" disabled={busy}>
            Rotate
          </button>
        </div>
      </Form>
    </Dialog>
  )
}

export function Revoke({
  apiKey,
  onRevoked,
  onClose,
}: {
  apiKey: ShownKey
  onRevoked: () => void
  onClose: () => void
}) {
  const { api } = useProject()
  const [connections, setConnections] = useState<'keep' | 'end'>('keep')
  return (
    <Confirm
      title={`Revoke ${apiKey.name ? isolated(apiKey.name) : 'this key'}?`}
      action="Revoke"
      danger
      onConfirm={async () => {
        await api.admin('POST', `/v2/admin/keys/${encodeURIComponent(apiKey.apiKey)}/revoke`, { connections })
        onRevoked()
      }}
      onClose={onClose}
    >
      <p>Its tokens are refused from now on. This cannot be taken back.</p>
      <fieldset>
        <legend>Who is in a meeting by one of its tokens</legend>
        {(
          [
            ['keep', 'stays until they leave'],
            ['end', 'is put out now'],
          ] as const
        ).map(([value, shown]) => (
          <label key={value} className="radio">
            <input
              type="radio"
              name="connections"
              value={value}
              checked={connections === value}
              onChange={() => setConnections(value)}
            />
            {shown}
          </label>
        ))}
      </fieldset>
    </Confirm>
  )
}

export function Secret({ apiKey, onClose }: { apiKey: NewKey; onClose: () => void }) {
  return (
    <Dialog title="Keep the secret now" onClose={onClose}>
      <div className="form">
        <p>It is shown this once and never again.</p>
        <CopyField id="new-key" label="API key" value={apiKey.apiKey} />
        <CopyField id="new-secret" label="Secret" value={apiKey.secret} />
        <div className="dialog-foot">
          <button className="primary" onClick={onClose}>
            I have kept it
          </button>
        </div>
      </div>
    </Dialog>
  )
}

export function NameProject({
  title,
  name: before = '',
  onSave,
  onClose,
}: {
  title: string
  name?: string
  onSave: (name: string) => Promise<void>
  onClose: () => void
}) {
  const [name, setName] = useState(before)
  return (
    <Confirm title={title} action="Save" onConfirm={() => onSave(name.trim())} onClose={onClose}>
      <Field
        label="Name"
        required
        maxLength={128}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
    </Confirm>
  )
}
