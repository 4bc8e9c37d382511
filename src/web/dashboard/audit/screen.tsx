import type { AuditEntryAnswer } from '../../../protocol/rest/audit.ts'
import type { PageOf } from '../../../protocol/rest.ts'
import type { OperatorList } from '../../../protocol/rest/admin.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { formatExactInstant } from '../format.ts'
import { Choice, Field } from '../parts/field.tsx'
import { Find } from '../parts/find.tsx'
import { ShownPage } from '../parts/pages.tsx'
import { Empty } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { pageOf } from '../place.ts'
import { queryOf, useProject } from '../project.tsx'
import { useQuery } from '../query.ts'
import { useRouter } from '../router.tsx'
import { ACTORS, dayAt, inWords, KINDS } from './words.ts'

const PER_PAGE = 25
const DAY_MS = 86_400_000

/** Who did what on this server, for owners. */
export function AuditScreen() {
  const { api } = useProject()
  const { place, filter } = useRouter()
  const page = pageOf(place.query)
  const { who = '', kind = '', subject = '', from = '', to = '', outcome = '' } = place.query
  const filters = queryOf({
    ...(who in ACTORS ? { actor: who } : { actorId: who }),
    action: kind,
    subject,
    outcome,
    from: dayAt(from),
    to: dayAt(to, DAY_MS - 1),
  })
  const operators = useQuery(
    async () => (await api.admin<OperatorList>('GET', '/v2/admin/operators')).data,
    'operators',
  )
  const query = useQuery(
    () =>
      api.admin<PageOf<AuditEntryAnswer>>(
        'GET',
        `/v2/admin/audit${queryOf({ page, perPage: PER_PAGE })}${filters.replace('?', '&')}`,
      ),
    `${page} ${filters}`,
  )
  const isFiltered = filters !== ''
  const exportIn = (format: string): string =>
    `/v2/admin/audit/export${queryOf({ format })}${filters.replace('?', '&')}`
  return (
    <>
      <div className="head">
        <h1>Audit log</h1>
        <span className="row">
          <a className="button" href={exportIn('csv')} download>
            Export as CSV
          </a>
          <a className="button" href={exportIn('jsonl')} download>
            Export as JSONL
          </a>
        </span>
      </div>
      <p className="quiet">
        Who changed what, and who failed to sign in. Entries are never changed, and go when their time is
        over.
      </p>
      <div className="filters">
        <Find
          label="Id of what was acted on"
          value={subject}
          onFind={(text) => filter({ subject: text, page: '' })}
        />
        <Choice
          label="Who"
          value={who}
          options={[
            ['', 'anybody'],
            ...(operators.value ?? []).map(({ operatorId, name }) => [operatorId, name] as const),
            ...Object.entries(ACTORS).filter(([actor]) => actor !== 'operator'),
          ]}
          onChange={(change) => filter({ who: change.target.value, page: '' })}
        />
        <Choice
          label="What"
          value={kind}
          options={[['', 'anything'], ...KINDS]}
          onChange={(change) => filter({ kind: change.target.value, page: '' })}
        />
        <Choice
          label="Outcome"
          value={outcome}
          options={[
            ['', 'any'],
            ['done', 'done'],
            ['refused', 'refused'],
          ]}
          onChange={(change) => filter({ outcome: change.target.value, page: '' })}
        />
        <Field
          label="From"
          type="date"
          value={from}
          onChange={(change) => filter({ from: change.target.value, page: '' })}
        />
        <Field
          label="To"
          type="date"
          value={to}
          onChange={(change) => filter({ to: change.target.value, page: '' })}
        />
      </div>
      <ShownPage
        query={query}
        of="entry"
        many="entries"
        empty={
          <Empty title={isFiltered ? 'No entry fits these filters' : 'Nothing was changed yet'}>
            {isFiltered && (
              <button
                onClick={() =>
                  filter({ who: '', kind: '', subject: '', outcome: '', from: '', to: '', page: '' })
                }
              >
                Show all
              </button>
            )}
          </Empty>
        }
      >
        {(data) => (
          <Table
            caption="Audit log"
            rows={data}
            keyOf={({ number }) => String(number)}
            busy={query.loading}
            columns={[
              { title: 'When', cell: ({ at }) => <span className="nowrap">{formatExactInstant(at)}</span> },
              { title: 'Who', cell: (entry) => <Who entry={entry} /> },
              { title: 'What', cell: (entry) => <What entry={entry} /> },
              {
                title: 'On',
                cell: ({ subject: id, meetingId }) =>
                  id === null ? (
                    '–'
                  ) : (
                    <span className="code">
                      <Foreign text={id} />
                      {meetingId !== null && meetingId !== id && (
                        <span className="quiet"> in {meetingId}</span>
                      )}
                    </span>
                  ),
              },
              {
                title: 'From',
                cell: ({ address }) => (address === null ? '–' : <span className="code">{address}</span>),
              },
            ]}
          />
        )}
      </ShownPage>
    </>
  )
}

function Who({ entry: { actor, actorId, actorName, role } }: { entry: AuditEntryAnswer }) {
  if (actor === 'operator')
    return (
      <span>
        <b>
          <Foreign text={actorName ?? ''} />
        </b>
        <span className="quiet"> {role}</span>
      </span>
    )
  const name = actor === 'token' ? actorId : actorName
  return (
    <span>
      {ACTORS[actor]}
      {name !== null && (
        <span className="quiet">
          {' '}
          <Foreign text={name} />
        </span>
      )}
    </span>
  )
}

function What({ entry: { action, outcome, code, facts } }: { entry: AuditEntryAnswer }) {
  const details = Object.entries(facts)
  return (
    <span>
      {inWords(action)}
      {outcome === 'refused' && <span className="state off"> refused{code !== null && `, ${code}`}</span>}
      {details.length > 0 && (
        <span className="quiet">
          {' '}
          ({details.map(([name, value]) => `${inWords(name)}: ${String(value)}`).join(', ')})
        </span>
      )}
    </span>
  )
}
