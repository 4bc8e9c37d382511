/** Usage per day and month, as plots and a table. */
import { Foreign } from '../../parts/foreign.tsx'
import { serverUrl } from '../../api.ts'
import { Choice, Field } from '../parts/field.tsx'
import { ShownPage } from '../parts/pages.tsx'
import { Plot } from '../parts/plot.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { Table, type Column } from '../parts/table.tsx'
import { formatBytes, formatNumber, formatSpan } from '../format.ts'
import { pageOf } from '../place.ts'
import { queryOf, useProject } from '../project.tsx'
import { useQuery } from '../query.ts'
import { useRouter } from '../router.tsx'
import type { PageOf } from '../../../protocol/rest.ts'
import type { UsageRow } from '../../../protocol/rest/usage.ts'
import { everyPeriod, formatPeriod, formatStart, formatStartOnAxis, startOf } from './model.ts'

const PER_PAGE = 31
/** The API's largest page. */
const MOST_PLOTTED = 100
const MINUTE_MS = 60_000

const OF = [
  ['', 'this project'],
  ['keys', 'this project, by key'],
  ['server', 'all projects'],
  ['projects', 'all projects, one by one'],
] as const

export function UsageScreen() {
  const { api, project, projects } = useProject()
  const { place, filter } = useRouter()
  const page = pageOf(place.query)
  const { of = '', from = '', to = '' } = place.query
  const by = place.query.by === 'month' ? 'month' : 'day'
  const ofProject = of === '' || of === 'keys' ? project.projectId : undefined
  const per = of === 'keys' ? 'key' : of === 'server' ? 'server' : 'project'
  const asked = { by, from, to, projectId: ofProject }
  const key = [by, of, from, to, ofProject].join(' ')

  const plotted = useQuery(async () => {
    const { data } = await api.admin<PageOf<UsageRow>>(
      'GET',
      `/v2/admin/usage${queryOf({ ...asked, per: ofProject === undefined ? 'server' : 'project', perPage: MOST_PLOTTED })}`,
    )
    const last = (to || new Date().toISOString()).slice(0, by === 'month' ? 7 : 10)
    return everyPeriod(data, last, MOST_PLOTTED)
  }, `plotted ${key}`)
  const query = useQuery(
    () =>
      api.admin<PageOf<UsageRow>>(
        'GET',
        `/v2/admin/usage${queryOf({ ...asked, per, page, perPage: PER_PAGE })}`,
      ),
    `${key} ${page}`,
  )
  const filtered = from !== '' || to !== ''
  return (
    <>
      <div className="head">
        <h1>Usage</h1>
        <a
          className="button"
          href={new URL(`v2/admin/usage.csv${queryOf({ ...asked, per })}`, serverUrl).href}
          download
        >
          Download as CSV
        </a>
      </div>
      <div className="filters">
        <Choice
          label="Of"
          value={of}
          options={OF}
          onChange={(event) => filter({ of: event.target.value, page: '' })}
        />
        <Choice
          label="By"
          value={by}
          options={[
            ['day', 'day'],
            ['month', 'month'],
          ]}
          onChange={(event) => filter({ by: event.target.value === 'month' ? 'month' : '', page: '' })}
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
      <p className="quiet">
        Days are in UTC. Participants count when they have left, recordings when they have ended.
      </p>
      <Shown query={plotted}>{(rows) => rows.length > 0 && <Plots rows={rows} by={by} />}</Shown>
      <ShownPage
        query={query}
        of="row"
        empty={
          <Empty title={filtered ? 'Nothing was used in this time' : 'Nothing was used yet'}>
            {filtered ? (
              <button onClick={() => filter({ from: '', to: '', page: '' })}>Show the last days</button>
            ) : (
              <p>Whoever leaves a meeting is counted within a minute.</p>
            )}
          </Empty>
        }
      >
        {(rows) => (
          <Table
            caption="Usage"
            rows={rows}
            keyOf={({ period, projectId, apiKey }) => [period, projectId, apiKey].join(' ')}
            busy={query.loading}
            columns={columnsOf(of, (id) => projects.find(({ projectId }) => projectId === id)?.name ?? id)}
          />
        )}
      </ShownPage>
    </>
  )
}

const span = (minutes: number): string =>
  minutes === 0 ? '–' : minutes < 60 ? formatSpan(minutes * MINUTE_MS) : formatHours(minutes / 60)
/** Labels of an axis, where durations in words would be too long and never round. */
const formatHours = (hours: number): string => `${formatNumber(hours)} h`
const bytes = (value: number): string => (value === 0 ? '–' : formatBytes(value))

function columnsOf(of: string, nameOf: (projectId: string) => string): Column<UsageRow>[] {
  const figures = (title: string, cell: Column<UsageRow>['cell']): Column<UsageRow> => ({
    title,
    figures: true,
    cell,
  })
  return [
    { title: 'When', cell: ({ period }) => formatPeriod(period) },
    ...(of === 'projects'
      ? [{ title: 'Project', cell: ({ projectId }: UsageRow) => <Foreign text={nameOf(projectId ?? '')} /> }]
      : []),
    ...(of === 'keys'
      ? [
          {
            title: 'Key',
            cell: ({ apiKey }: UsageRow) =>
              apiKey ? (
                <span className="code">
                  <Foreign text={apiKey} />
                </span>
              ) : (
                <span className="quiet">not known</span>
              ),
          },
        ]
      : []),
    figures('Participants', ({ participants }) => formatNumber(participants)),
    figures('Their time', ({ participantMinutes }) => span(participantMinutes)),
    figures('At once', ({ peakParticipants }) => formatNumber(peakParticipants)),
    figures('Received', ({ receivedBytes }) => bytes(receivedBytes)),
    figures('Sent', ({ sentBytes }) => bytes(sentBytes)),
    figures('Recorded', ({ recordingMinutes }) => span(recordingMinutes)),
    figures('Broadcast', ({ broadcastMinutes }) => span(broadcastMinutes)),
    figures('Transcribed', ({ transcriptionMinutes }) => span(transcriptionMinutes)),
    figures('Stored', ({ storedBytes }) => bytes(storedBytes)),
  ]
}

function Plots({ rows, by }: { rows: readonly UsageRow[]; by: 'day' | 'month' }) {
  const times = rows.map(({ period }) => startOf(period))
  // Half a bar on either side.
  const half = (by === 'day' ? 0.5 : 15) * 86_400_000
  const common = {
    times,
    from: times[0]! - half,
    to: times.at(-1)! + half,
    bars: true,
    formatTime: (at: number) => formatStart(at, by),
    formatOnAxis: (at: number) => formatStartOnAxis(at, by),
  }
  const series = (name: string, of: (row: UsageRow) => number) => ({ name, values: rows.map(of) })
  return (
    <div className="plots">
      <Plot
        {...common}
        title="Time of participants"
        format={formatHours}
        series={[series('together', ({ participantMinutes }) => participantMinutes / 60)]}
      />
      <Plot
        {...common}
        title="Participants"
        format={formatNumber}
        series={[
          series('joined', ({ participants }) => participants),
          series('at once', ({ peakParticipants }) => peakParticipants),
        ]}
      />
      <Plot
        {...common}
        title="Traffic"
        format={formatBytes}
        series={[
          series('sent', ({ sentBytes }) => sentBytes),
          series('received', ({ receivedBytes }) => receivedBytes),
        ]}
      />
      <Plot
        {...common}
        title="Recorded and broadcast"
        format={formatHours}
        series={[
          series('recorded', ({ recordingMinutes }) => recordingMinutes / 60),
          series('broadcast', ({ broadcastMinutes }) => broadcastMinutes / 60),
        ]}
      />
      <Plot
        {...common}
        bars={false}
        title="Stored"
        format={formatBytes}
        series={[series('files', ({ storedBytes }) => storedBytes)]}
      />
    </div>
  )
}
