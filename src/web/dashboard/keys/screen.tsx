import { useState } from 'react'
import type { KeyList, NewKey, Project, ShownKey } from '../../../protocol/rest/keys.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { useQuery } from '../query.ts'
import { CopyButton } from '../parts/copy.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { useProject } from '../project.tsx'
import { useRouter } from '../router.tsx'
import { formatDistance, formatInstant } from '../format.ts'
import { EditKey, NameProject, Revoke, Rotate, Secret } from './dialogs.tsx'

type Asking =
  | { what: 'create' | 'project' | 'rename-project' }
  | { what: 'change' | 'rotate' | 'revoke'; key: ShownKey }
  | { what: 'secret'; key: NewKey }

export function KeysScreen() {
  const { api, project, refresh, may } = useProject()
  const { go } = useRouter()
  const [asking, setAsking] = useState<Asking>()
  const query = useQuery(
    async () =>
      (await api.admin<KeyList>('GET', `/v2/admin/keys?projectId=${encodeURIComponent(project.projectId)}`))
        .data,
    project.projectId,
  )
  const actions = (['change', 'rotate', 'revoke'] as const).filter((what) => may(CALLS[what]))
  const close = (): void => setAsking(undefined)
  const shown = (key: NewKey): void => {
    setAsking({ what: 'secret', key })
    query.reload()
  }
  return (
    <>
      <div className="head">
        <h1>Keys</h1>
        {may('POST /v2/admin/keys') && (
          <button className="primary" onClick={() => setAsking({ what: 'create' })}>
            New key
          </button>
        )}
      </div>
      <section className="box project-box" aria-labelledby="project-name">
        <div>
          <p className="quiet">Project</p>
          <h2 id="project-name">
            <Foreign text={project.name} />
          </h2>
          <p className="quiet">
            <span className="code">{project.projectId}</span> · since {formatInstant(project.createdAt)}
          </p>
        </div>
        <div className="row wrap">
          {may('PATCH /v2/admin/projects/{projectId}') && (
            <button onClick={() => setAsking({ what: 'rename-project' })}>Rename</button>
          )}
          {may('POST /v2/admin/projects') && (
            <button onClick={() => setAsking({ what: 'project' })}>New project</button>
          )}
        </div>
      </section>
      <Shown query={query}>
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
              busy={query.loading}
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
                    lastUsedAt === null ? 'never' : formatDistance(lastUsedAt, Date.now()),
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
                        {actions.map((what) => (
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
            query.reload()
          }}
          onClose={close}
        />
      )}
      {asking?.what === 'rotate' && <Rotate apiKey={asking.key} onRotated={shown} onClose={close} />}
      {asking?.what === 'revoke' && <Revoke apiKey={asking.key} onRevoked={query.reload} onClose={close} />}
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

const CALLS = {
  change: 'PATCH /v2/admin/keys/{apiKey}',
  rotate: 'POST /v2/admin/keys/{apiKey}/rotate',
  revoke: 'POST /v2/admin/keys/{apiKey}/revoke',
} as const
const VERBS = { change: 'Change', rotate: 'Rotate', revoke: 'Revoke' } as const

const isOver = ({ revokedAt }: ShownKey): boolean => revokedAt !== null && revokedAt <= Date.now()

function KeyState({ apiKey }: { apiKey: ShownKey }) {
  if (isOver(apiKey)) return <span className="state off">Revoked</span>
  if (apiKey.revokedAt !== null)
    return <span className="state warn">Ends {formatDistance(apiKey.revokedAt, Date.now())}</span>
  return <span className="state on">In force</span>
}
