import { useState } from 'react'
import type {
  NewOperatorInvite,
  Operator,
  OperatorInvite,
  OperatorInviteList,
  OperatorList,
  SecondFactorState,
} from '../../../protocol/rest/admin.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { formatDistance } from '../format.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Shown } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { useProject } from '../project.tsx'
import { useQuery } from '../query.ts'
import { EditOperator, InviteOperator, ShownLink } from './dialogs.tsx'
import { SignIns } from './sign-ins.tsx'

/** Operators and their invitations, for owners, and the browsers that are signed in. */
export function OperatorsScreen() {
  const { may } = useProject()
  return <>{may('GET /v2/admin/operators') ? <Operators /> : <SignIns title="Operators" of="self" />}</>
}

type Asking =
  | { what: 'invite' }
  | { what: 'change' | 'delete' | 'password' | 'factor'; operator: Operator }
  | { what: 'require'; required: boolean }
  | { what: 'revoke'; invite: OperatorInvite }
  | { what: 'link'; made: NewOperatorInvite }

function Operators() {
  const { api, self } = useProject()
  const [asking, setAsking] = useState<Asking>()
  const query = useQuery(async () => {
    const [operators, invites, factor] = await Promise.all([
      api.admin<OperatorList>('GET', '/v2/admin/operators'),
      api.admin<OperatorInviteList>('GET', '/v2/admin/operator-invites'),
      api.admin<SecondFactorState>('GET', '/v2/admin/second-factor'),
    ])
    return { operators: operators.data, invites: invites.data, required: factor.required }
  }, 'operators')
  const close = (): void => setAsking(undefined)
  const made = (invite: NewOperatorInvite): void => {
    setAsking({ what: 'link', made: invite })
    query.reload()
  }
  const pathOf = ({ operatorId }: Operator): string => `/v2/admin/operators/${encodeURIComponent(operatorId)}`
  return (
    <>
      <div className="head">
        <h1>Operators</h1>
        <button className="primary" onClick={() => setAsking({ what: 'invite' })}>
          Invite an operator
        </button>
      </div>
      <p className="quiet">
        Viewers read. Operators also change projects, keys and meetings. Owners also decide who may sign in.
      </p>
      <Shown query={query}>
        {({ operators, invites, required }) => (
          <>
            <Table
              caption="Operators"
              rows={operators}
              keyOf={({ operatorId }) => operatorId}
              busy={query.loading}
              columns={[
                {
                  title: 'Name',
                  cell: ({ name, operatorId }) => (
                    <span>
                      <b>
                        <Foreign text={name} />
                      </b>
                      {operatorId === self?.operatorId && <span className="quiet"> (you)</span>}
                    </span>
                  ),
                },
                { title: 'Role', cell: ({ role }) => role },
                {
                  title: 'Second factor',
                  cell: ({ secondFactor, external }) =>
                    external ? 'at the provider' : secondFactor ? 'on' : '–',
                },
                {
                  title: 'Last here',
                  cell: ({ lastSeenAt }) =>
                    lastSeenAt === null ? (
                      <span className="quiet">not signed in</span>
                    ) : (
                      formatDistance(lastSeenAt, Date.now())
                    ),
                },
                {
                  title: 'Actions',
                  actions: true,
                  cell: (operator) => (
                    <span className="row tight">
                      {verbsOf(operator).map((what) => (
                        <button
                          key={what}
                          className={what === 'delete' ? 'danger-line' : undefined}
                          aria-label={`${VERBS[what]}: ${operator.name}`}
                          onClick={() => setAsking({ what, operator })}
                        >
                          {VERBS[what]}
                        </button>
                      ))}
                    </span>
                  ),
                },
              ]}
            />
            <p className="row">
              <span>
                {required
                  ? 'Every operator needs a second factor.'
                  : 'Operators may do without a second factor.'}
              </span>
              <button onClick={() => setAsking({ what: 'require', required: !required })}>
                {required ? 'Require it no longer' : 'Require it of all'}
              </button>
            </p>
            {invites.length > 0 && (
              <section aria-labelledby="open-links">
                <h2 id="open-links">Links that nobody has used</h2>
                <Table
                  caption="Links"
                  rows={invites}
                  keyOf={({ inviteId }) => inviteId}
                  columns={[
                    { title: 'For', cell: ({ name }) => <Foreign text={name} /> },
                    {
                      title: 'Kind',
                      cell: ({ operatorId, role }) => (operatorId === null ? `new ${role}` : 'new password'),
                    },
                    { title: 'Works until', cell: ({ expiresAt }) => formatDistance(expiresAt, Date.now()) },
                    {
                      title: 'Actions',
                      actions: true,
                      cell: (invite) => (
                        <button
                          className="danger-line"
                          aria-label={`Revoke the link for ${invite.name}`}
                          onClick={() => setAsking({ what: 'revoke', invite })}
                        >
                          Revoke
                        </button>
                      ),
                    },
                  ]}
                />
              </section>
            )}
          </>
        )}
      </Shown>
      <SignIns of="all" />
      {asking?.what === 'invite' && <InviteOperator onMade={made} onClose={close} />}
      {asking?.what === 'change' && (
        <EditOperator
          operator={asking.operator}
          onSave={async (change) => {
            await api.admin('PATCH', pathOf(asking.operator), change)
            query.reload()
          }}
          onClose={close}
        />
      )}
      {asking?.what === 'password' && (
        <Confirm
          title="Make a link for a new password"
          action="Make the link"
          onConfirm={async () =>
            made(await api.admin<NewOperatorInvite>('POST', `${pathOf(asking.operator)}/password-link`, {}))
          }
          onClose={() => setAsking((now) => (now?.what === 'link' ? now : undefined))}
        >
          <p>
            Whoever opens the link chooses a new password for <Foreign text={asking.operator.name} />. The old
            one works until then.
          </p>
        </Confirm>
      )}
      {asking?.what === 'factor' && (
        <Confirm
          title="Switch the second factor off"
          action="Switch it off"
          danger
          onConfirm={async () => {
            await api.admin('POST', `${pathOf(asking.operator)}/second-factor-reset`)
            query.reload()
          }}
          onClose={close}
        >
          <p>
            For an operator who has lost the phone and the recovery codes.{' '}
            <Foreign text={asking.operator.name} /> is signed out everywhere, and signs in by the password
            alone. Make sure that it is them who asks.
          </p>
        </Confirm>
      )}
      {asking?.what === 'require' && (
        <Confirm
          title={asking.required ? 'Require a second factor of all' : 'Require no second factor'}
          action={asking.required ? 'Require it' : 'Require it no longer'}
          onConfirm={async () => {
            await api.admin('PUT', '/v2/admin/second-factor/required', { required: asking.required })
            query.reload()
          }}
          onClose={close}
        >
          <p>
            {asking.required
              ? 'Whoever has none, you included, may do nothing but set one up.'
              : 'Those who have one keep it.'}
          </p>
        </Confirm>
      )}
      {asking?.what === 'delete' && (
        <Confirm
          title="Delete the operator"
          action="Delete"
          danger
          onConfirm={async () => {
            await api.admin('DELETE', pathOf(asking.operator))
            query.reload()
          }}
          onClose={close}
        >
          <p>
            <Foreign text={asking.operator.name} /> is signed out everywhere. Tokens, invites and links that
            they made end at once. API keys stay: rotate those whose secret they know.
          </p>
        </Confirm>
      )}
      {asking?.what === 'revoke' && (
        <Confirm
          title="Revoke the link"
          action="Revoke"
          danger
          onConfirm={async () => {
            const id = encodeURIComponent(asking.invite.inviteId)
            await api.admin('POST', `/v2/admin/operator-invites/${id}/revoke`)
            query.reload()
          }}
          onClose={close}
        >
          <p>
            The link for <Foreign text={asking.invite.name} /> no longer works.
          </p>
        </Confirm>
      )}
      {asking?.what === 'link' && <ShownLink made={asking.made} onClose={close} />}
    </>
  )
}

const VERBS = {
  change: 'Change',
  password: 'New password',
  factor: 'Reset second factor',
  delete: 'Delete',
} as const

const verbsOf = ({ secondFactor, external }: Operator): (keyof typeof VERBS)[] => [
  'change',
  ...(external ? [] : (['password'] as const)),
  ...(secondFactor ? (['factor'] as const) : []),
  'delete',
]
