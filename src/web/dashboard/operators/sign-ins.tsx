import type { SignInList } from '../../../protocol/rest/admin.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { formatDistance, formatInstant } from '../format.ts'
import { useNotice } from '../parts/notices.tsx'
import { Empty, Failure, Shown } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { useProject } from '../project.tsx'
import { useAction, useQuery } from '../query.ts'
import { browserName } from './browser-name.ts'

/** The browsers that are signed in; each can be signed out. */
export function SignIns({ of, title }: { of: 'self' | 'all'; title?: string }) {
  const { api } = useProject()
  const { busy, problem, run } = useAction()
  const say = useNotice()
  const query = useQuery(
    async () => (await api.admin<SignInList>('GET', `/v2/admin/sign-ins?of=${of}`)).data,
    `sign-ins ${of}`,
  )
  const end = (signInId: string): void =>
    void run(async () => {
      await api.admin('POST', `/v2/admin/sign-ins/${encodeURIComponent(signInId)}/end`)
      say('The browser is signed out.')
      query.reload()
    })
  return (
    <section aria-labelledby="sign-ins">
      {title !== undefined && (
        <div className="head">
          <h1>{title}</h1>
        </div>
      )}
      <h2 id="sign-ins">{of === 'all' ? 'Browsers that are signed in' : 'Your browsers'}</h2>
      <Failure text={problem} />
      <Shown query={query}>
        {(signIns) =>
          signIns.length === 0 ? (
            <Empty title="No browser is signed in" />
          ) : (
            <Table
              caption="Browsers"
              rows={signIns}
              keyOf={({ signInId }) => signInId}
              busy={query.loading}
              columns={[
                {
                  title: 'Browser',
                  cell: ({ browser, current }) => (
                    <span>
                      <Foreign text={browserName(browser)} />
                      {current && <span className="quiet"> (this one)</span>}
                    </span>
                  ),
                },
                ...(of === 'all'
                  ? [
                      {
                        title: 'Operator',
                        cell: ({ name }: { name: string }) => <Foreign text={name} />,
                      },
                    ]
                  : []),
                { title: 'Address', cell: ({ address }) => <span className="code">{address}</span> },
                { title: 'Since', cell: ({ createdAt }) => formatInstant(createdAt) },
                { title: 'Last here', cell: ({ lastSeenAt }) => formatDistance(lastSeenAt, Date.now()) },
                {
                  title: 'Actions',
                  actions: true,
                  cell: ({ signInId, browser, name, current }) =>
                    !current && (
                      <button
                        disabled={busy}
                        aria-label={`Sign out ${browserName(browser)} of ${name}`}
                        onClick={() => end(signInId)}
                      >
                        Sign out
                      </button>
                    ),
                },
              ]}
            />
          )
        }
      </Shown>
    </section>
  )
}
