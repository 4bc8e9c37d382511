import { useState } from 'react'
import { isolated } from '../../isolate.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Foreign } from '../../parts/foreign.tsx'
import { useAsked, useDoing } from '../asking.ts'
import { Form } from '../parts/form.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { CopyButton, CopyField } from '../parts/copy.tsx'
import { Choice, Field, Lines } from '../parts/field.tsx'
import { Empty, Failure, Shown } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { useDesk } from '../project.tsx'
import { useRouter } from '../router.tsx'
import { sayDistance, sayInstant } from '../say.ts'
import type { ApiKey, Project } from '../shapes.ts'
import { wordsIn } from './meetings.tsx'

type NewKey = ApiKey & { secret: string }

type Asking =
  | { what: 'create' | 'project' | 'rename-project' }
  | { what: 'change' | 'rotate' | 'revoke'; key: ApiKey }
  | { what: 'secret'; key: NewKey }

export function KeysScreen() {
  const { api, project, refresh } = useDesk()
  const { go } = useRouter()
  const [asking, setAsking] = useState<Asking>()
  const asked = useAsked(
    async () =>
      (
        await api.admin<{ data: ApiKey[] }>(
          'GET',
          `/v2/admin/keys?projectId=${encodeURIComponent(project.projectId)}`,
        )
      ).data,
    project.projectId,
  )
  const close = (): void => setAsking(undefined)
  const shown = (key: NewKey): void => {
    setAsking({ what: 'secret', key })
    asked.again()
  }
  return (
    <>
      <div className="head">
        <h1>Keys</h1>
        <button className="primary" onClick={() => setAsking({ what: 'create' })}>
          New key
        </button>
      </div>
      <section className="box project-box" aria-labelledby="project-name">
        <div>
          <p className="quiet">Project</p>
          <h2 id="project-name">
            <Foreign text={project.name} />
          </h2>
          <p className="quiet">
            <span className="code">{project.projectId}</span> · since {sayInstant(project.createdAt)}
          </p>
        </div>
        <div className="row wrap">
          <button onClick={() => setAsking({ what: 'rename-project' })}>Rename</button>
          <button onClick={() => setAsking({ what: 'project' })}>New project</button>
        </div>
      </section>
      <Shown asked={asked}>
        {(keys) =>
          keys.length === 0 ? (
            <Empty title="This project has no key">
              <p>Without one nobody can mint tokens for it.</p>
            </Empty>
          ) : (
            <Table
              caption="Keys"
              rows={keys}
              keyOf={({ apiKey }) => apiKey}
              busy={asked.asking}
              columns={[
                {
                  title: 'Key',
                  cell: ({ name, apiKey }) => (
                    <span className="named">
                      <b>{name ? <Foreign text={name} /> : 'no name'}</b>
                      <span className="row tight">
                        <span className="code">{apiKey}</span>
                        <CopyButton what="API key" value={apiKey} />
                      </span>
                    </span>
                  ),
                },
                { title: 'State', cell: (key) => <KeyState apiKey={key} /> },
                {
                  title: 'Last used',
                  cell: ({ lastUsedAt }) =>
                    lastUsedAt === null ? 'never' : sayDistance(lastUsedAt, Date.now()),
                },
                {
                  title: 'Origins',
                  cell: ({ origins }) =>
                    origins?.map((origin) => (
                      <div key={origin}>
                        <Foreign text={origin} />
                      </div>
                    )) ?? <span className="quiet">any</span>,
                },
                {
                  title: 'Actions',
                  actions: true,
                  cell: (key) =>
                    !isOver(key) && (
                      <span className="row tight">
                        {(['change', 'rotate', 'revoke'] as const).map((what) => (
                          <button
                            key={what}
                            className={what === 'revoke' ? 'danger-line' : undefined}
                            aria-label={`${VERBS[what]} ${key.name || key.apiKey}`}
                            onClick={() => setAsking({ what, key })}
                          >
                            {VERBS[what]}
                          </button>
                        ))}
                      </span>
                    ),
                },
              ]}
            />
          )
        }
      </Shown>
      {asking?.what === 'create' && <EditKey onSaved={shown} onClose={close} />}
      {asking?.what === 'change' && (
        <EditKey
          apiKey={asking.key}
          onSaved={() => {
            close()
            asked.again()
          }}
          onClose={close}
        />
      )}
      {asking?.what === 'rotate' && <Rotate apiKey={asking.key} onRotated={shown} onClose={close} />}
      {asking?.what === 'revoke' && <Revoke apiKey={asking.key} onRevoked={asked.again} onClose={close} />}
      {asking?.what === 'secret' && <Secret apiKey={asking.key} onClose={close} />}
      {asking?.what === 'project' && (
        <NameProject
          title="New project"
          onSave={async (name) => {
            const made = await api.admin<Project>('POST', '/v2/admin/projects', { name })
            refresh()
            go(['keys'], { project: made.projectId })
          }}
          onClose={close}
        />
      )}
      {asking?.what === 'rename-project' && (
        <NameProject
          title="Rename the project"
          name={project.name}
          onSave={async (name) => {
            await api.admin('PATCH', `/v2/admin/projects/${encodeURIComponent(project.projectId)}`, { name })
            refresh()
          }}
          onClose={close}
        />
      )}
    </>
  )
}

const VERBS = { change: 'Change', rotate: 'Rotate', revoke: 'Revoke' } as const

const isOver = ({ revokedAt }: ApiKey): boolean => revokedAt !== null && revokedAt <= Date.now()

function KeyState({ apiKey }: { apiKey: ApiKey }) {
  if (isOver(apiKey)) return <span className="state off">Revoked</span>
  if (apiKey.revokedAt !== null)
    return <span className="state warn">Ends {sayDistance(apiKey.revokedAt, Date.now())}</span>
  return <span className="state on">In force</span>
}

function EditKey({
  apiKey,
  onSaved,
  onClose,
}: {
  /** Absent: a new one. */
  apiKey?: ApiKey
  onSaved: (key: NewKey) => void
  onClose: () => void
}) {
  const { api, project } = useDesk()
  const { busy, problem, run } = useDoing()
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

function Rotate({
  apiKey,
  onRotated,
  onClose,
}: {
  apiKey: ApiKey
  onRotated: (key: NewKey) => void
  onClose: () => void
}) {
  const { api } = useDesk()
  const { busy, problem, run } = useDoing()
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

function Revoke({
  apiKey,
  onRevoked,
  onClose,
}: {
  apiKey: ApiKey
  onRevoked: () => void
  onClose: () => void
}) {
  const { api } = useDesk()
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

function Secret({ apiKey, onClose }: { apiKey: NewKey; onClose: () => void }) {
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

function NameProject({
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
