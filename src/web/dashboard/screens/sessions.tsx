import { Fragment } from 'react'
import { Foreign } from '../../parts/foreign.tsx'
import { useQuery } from '../query.ts'
import { Choice, Field } from '../parts/field.tsx'
import { Find } from '../parts/find.tsx'
import { ShownPage } from '../parts/pages.tsx'
import { Empty } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { pageOf } from '../place.ts'
import { queryOf, useProject } from '../project.tsx'
import { Link, useRouter } from '../router.tsx'
import { count, ms, formatInstant, formatSpan } from '../format.ts'
import type { PageOf } from '../../../protocol/rest.ts'
import type { Session } from '../../../protocol/rest/sessions.ts'

const PER_PAGE = 20
const DAY_MS = 86_400_000

export function SessionsScreen() {
  const { inProject } = useProject()
  const { place, filter } = useRouter()
  const page = pageOf(place.query)
  const { meeting = '', state = '', from = '', to = '' } = place.query
  const query = useQuery(
    () =>
      inProject<PageOf<Session>>(
        'GET',
        `/v2/sessions${queryOf({
          page,
          perPage: PER_PAGE,
          query: meeting,
          status: state,
          startDate: startOf(from),
          endDate: endOf(to),
        })}`,
      ),
    [page, meeting, state, from, to].join(' '),
  )
  const filtered = meeting !== '' || state !== '' || from !== '' || to !== ''
  return (
    <>
      <div className="head">
        <h1>Sessions</h1>
      </div>
      <div className="filters">
        <Find
          label="Meeting id or custom id, exactly"
          value={meeting}
          onFind={(text) => filter({ meeting: text, page: '' })}
        />
        <Choice
          label="State"
          value={state}
          options={[
            ['', 'any'],
            ['ongoing', 'going on'],
            ['ended', 'ended'],
          ]}
          onChange={(event) => filter({ state: event.target.value, page: '' })}
        />
        <Field
          label="From"
          type="date"
          value={from}
          max={to || undefined}
          onChange={(event) => filter({ from: event.target.value, page: '' })}
        />
        <Field
          label="To"
          type="date"
          value={to}
          min={from || undefined}
          onChange={(event) => filter({ to: event.target.value, page: '' })}
        />
      </div>
      <ShownPage
        query={query}
        of="session"
        empty={
          <Empty title={filtered ? 'No session fits these filters' : 'No sessions yet'}>
            {filtered ? (
              <button onClick={() => filter({ meeting: '', state: '', from: '', to: '', page: '' })}>
                Show all
              </button>
            ) : (
              <p>A session begins when the first participant joins a meeting.</p>
            )}
          </Empty>
        }
      >
        {(data) => (
          <Table
            caption="Sessions"
            rows={data}
            keyOf={({ id }) => id}
            busy={query.loading}
            columns={[
              {
                title: 'Began',
                cell: ({ id, start }) => <Link path={['sessions', id]}>{formatInstant(start)}</Link>,
              },
              {
                title: 'Meeting',
                cell: ({ roomId, customRoomId }) => (
                  <Link className="code" path={['meetings', roomId]}>
                    <Foreign text={customRoomId ?? roomId} />
                  </Link>
                ),
              },
              {
                title: 'State',
                cell: ({ status }) =>
                  status === 'ongoing' ? (
                    <span className="state on">Going on</span>
                  ) : (
                    <span className="state">Ended</span>
                  ),
              },
              {
                title: 'Lasted',
                figures: true,
                cell: ({ start, end }) => formatSpan((end === null ? Date.now() : ms(end)) - ms(start)),
              },
              {
                title: 'Who',
                cell: ({ participants }) => (
                  <Who names={participants.map(({ name, participantId }) => name || participantId)} />
                ),
              },
            ]}
          />
        )}
      </ShownPage>
    </>
  )
}

/** The first names, and how many more. */
function Who({ names }: { names: string[] }) {
  if (names.length === 0) return <span className="quiet">nobody</span>
  const shown = names.slice(0, 2)
  return (
    <span className="who-cell" title={count(names.length, 'participant')}>
      {shown.map((name, at) => (
        <Fragment key={at}>
          {at > 0 && ', '}
          <Foreign text={name} />
        </Fragment>
      ))}
      {names.length > shown.length && <span className="quiet"> and {names.length - shown.length} more</span>}
    </span>
  )
}

/** The first instant of a day in the reader's time zone. */
function startOf(day: string): number | undefined {
  const at = Date.parse(`${day}T00:00:00`)
  return Number.isNaN(at) ? undefined : at
}

function endOf(day: string): number | undefined {
  const at = startOf(day)
  return at === undefined ? undefined : at + DAY_MS - 1
}
