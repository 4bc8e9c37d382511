import type { ReactNode } from 'react'
import { useQuery } from '../query.ts'
import { Plot } from '../parts/plot.tsx'
import { Shown } from '../parts/states.tsx'
import { Table, type Column } from '../parts/table.tsx'
import { useProject } from '../project.tsx'
import { Nodes } from './nodes.tsx'
import { Link, useRouter } from '../router.tsx'
import { count, formatBitrate, formatBytes, formatDistance, formatNumber, formatSpan } from '../format.ts'
import type { History, ServerStatus } from '../../../protocol/rest/watching.ts'

const STATUS_EVERY_MS = 5000
const HISTORY_EVERY_MS = 60_000
const HOUR_MS = 3_600_000
const SPANS: readonly (readonly [name: string, hours: number, shown: string])[] = [
  ['1h', 1, '1 hour'],
  ['6h', 6, '6 hours'],
  ['24h', 24, '24 hours'],
  ['7d', 168, '7 days'],
]
/** The ticks of an axis of mean opinion scores. */
export const SCORES = [0, 1, 2, 3, 4, 5]
const DEFAULT_SPAN = '6h'

export function OverviewScreen() {
  const { api } = useProject()
  const { place, filter } = useRouter()
  const [span, hours] =
    SPANS.find(([name]) => name === place.query.span) ?? SPANS.find(([name]) => name === DEFAULT_SPAN)!
  const status = useQuery(() => api.admin<ServerStatus>('GET', '/v2/admin/status'), 'status', STATUS_EVERY_MS)
  const history = useQuery(
    async () => {
      const to = Date.now()
      const from = to - hours * HOUR_MS
      const { data } = await api.admin<History>('GET', `/v2/admin/history?from=${from}&to=${to}`)
      return { from, to, data }
    },
    span,
    HISTORY_EVERY_MS,
  )
  return (
    <>
      <div className="head">
        <h1>Overview</h1>
        <div className="segments" role="group" aria-label="Time shown">
          {SPANS.map(([name, , shown]) => (
            <button
              key={name}
              aria-pressed={name === span}
              onClick={() => filter({ span: name === DEFAULT_SPAN ? '' : name }, { replace: true })}
            >
              {shown}
            </button>
          ))}
        </div>
      </div>
      <Shown query={status}>{(value) => <Status status={value} />}</Shown>
      <Shown query={history}>{(value) => <OverTime {...value} />}</Shown>
    </>
  )
}

function Status({ status }: { status: ServerStatus }) {
  const { media, webhooks, nodes } = status
  const there = nodes ? ofAllNodes(nodes) : status
  const here = nodes?.find(({ isHere }) => isHere)?.nodeId
  const loads = media.workers.map(({ cpuPercent }) => cpuPercent)
  const missing = media.workersWanted - loads.length
  return (
    <>
      <Alerts alerts={status.alerts} />
      <dl className="tiles" aria-label="Right now">
        <Tile title="Participants" value={formatNumber(there.participants)}>
          {there.entryRequests > 0
            ? `${count(there.entryRequests, 'person', 'people')} waiting`
            : 'nobody waits'}
        </Tile>
        <Tile title="Live meetings" value={formatNumber(there.meetings)}>
          <Link path={['sessions']} query={{ state: 'ongoing' }}>
            Sessions going on
          </Link>
        </Tile>
        {nodes ? (
          <NodesTile nodes={nodes} />
        ) : (
          <Tile
            title="Media workers"
            value={loads.length > 0 ? `${formatNumber(Math.max(...loads))} %` : media.available ? '–' : 'off'}
          >
            {loads.length > 0
              ? `busiest of ${loads.length}${missing > 0 ? `, ${missing} missing` : ''}`
              : 'no media'}
          </Tile>
        )}
        <Tile title="Webhooks waiting" value={formatNumber(webhooks.waiting)}>
          {webhooks.parked > 0 ? (
            <Link path={['webhooks']} query={{ state: 'parked' }}>
              {formatNumber(webhooks.parked)} parked
            </Link>
          ) : webhooks.oldestAt !== null ? (
            `oldest ${formatDistance(webhooks.oldestAt, Date.now())}`
          ) : (
            'none parked'
          )}
        </Tile>
        <Tile title="Up" value={formatSpan(status.uptimeSeconds * 1000)}>
          {here !== undefined && `${here}, `}
          {`version ${status.version} · ${formatBytes(status.memoryBytes)}`}
        </Tile>
      </dl>
      {nodes && <Nodes nodes={nodes} />}
      {media.workersWanted > 1 && <Workers media={media} node={here} />}
    </>
  )
}

/** The alerts, each with its cure. */
function Alerts({ alerts }: { alerts: ServerStatus['alerts'] }) {
  if (alerts.length === 0) return null
  return (
    <div role="alert">
      <ul className="alerts" aria-label="What needs attention">
        {alerts.map(({ name, level, text, cure }) => (
          <li key={name} className="notice problem-box">
            <p>
              <span className={`state ${level === 'urgent' ? 'off' : 'warn'}`}>
                {level === 'urgent' ? 'Urgent' : 'Warning'}
              </span>{' '}
              <b>{text}</b> {cure}
            </p>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** People of a node that is away are counted at the node to which they return. */
function ofAllNodes(nodes: NonNullable<ServerStatus['nodes']>) {
  const sum = { participants: 0, meetings: 0, entryRequests: 0 }
  for (const node of nodes) {
    if (node.state === 'away') continue
    sum.participants += node.participants
    sum.meetings += node.meetings
    sum.entryRequests += node.entryRequests
  }
  return sum
}

function NodesTile({ nodes }: { nodes: NonNullable<ServerStatus['nodes']> }) {
  const serving = nodes.filter(({ state }) => state === 'serving')
  const busiest = Math.max(0, ...serving.map(({ processorPercent }) => processorPercent))
  return (
    <Tile title="Nodes serving" value={formatNumber(serving.length)}>
      {`busiest at ${formatNumber(busiest)} %`}
    </Tile>
  )
}

type Worker = ServerStatus['media']['workers'][number]

/** The load of each media worker; a large meeting uses several. */
function Workers({ media, node }: { media: ServerStatus['media']; node: string | undefined }) {
  const { workers, workersWanted, placement } = media
  const figure = (title: string, of: (worker: Worker) => number): Column<Worker> => ({
    title,
    cell: (worker) => formatNumber(of(worker)),
    figures: true,
  })
  return (
    <section aria-label="Media workers">
      <p className="quiet">
        {workers.length} of {workersWanted} media workers{node !== undefined && ` of ${node}`} run (
        <code>MEDIA_WORKERS</code>).{' '}
        {placement === 'auto'
          ? 'A meeting stays on one until it fills its share of it, and then goes on to others.'
          : 'Each participant goes where the meeting has fewest (MEDIA_PLACEMENT=spread, meant for tests).'}
      </p>
      <Table
        caption="Media workers"
        rows={workers}
        keyOf={({ index }) => String(index)}
        columns={[
          { title: 'Media worker', cell: ({ index }) => formatNumber(index) },
          {
            title: 'Processor',
            cell: ({ cpuPercent }) => `${formatNumber(cpuPercent)} %`,
            figures: true,
          },
          figure('Meetings', ({ routers }) => routers),
          figure('Participants', ({ members }) => members),
          figure('Streams in', ({ producers }) => producers),
          figure('Streams out', ({ consumers }) => consumers),
          figure('From other workers', ({ pipesIn }) => pipesIn),
          figure('To other workers', ({ pipesOut }) => pipesOut),
        ]}
      />
    </section>
  )
}

function Tile({ title, value, children }: { title: string; value: string; children: ReactNode }) {
  return (
    <div className="box tile-box">
      <dt>{title}</dt>
      <dd className="big">{value}</dd>
      <dd className="quiet">{children}</dd>
    </div>
  )
}

function OverTime({ from, to, data }: { from: number; to: number; data: History['data'] }) {
  const times = data.map(({ at }) => at)
  const series = (name: string, figure: string) => ({
    name,
    values: data.map((sample) => sample[figure] ?? null),
  })
  const common = { times, from, to }
  return (
    <section aria-labelledby="over-time">
      <h2 id="over-time" className="visually-hidden">
        Over time
      </h2>
      <div className="plots">
        <Plot
          title="People"
          {...common}
          format={formatNumber}
          top={4}
          series={[
            series('Participants', 'participants'),
            series('Meetings', 'meetings'),
            series('Waiting', 'entryRequests'),
          ]}
        />
        <Plot
          title="Joins and refusals"
          {...common}
          bars
          format={formatNumber}
          top={4}
          series={[series('Joins', 'joins'), series('Refusals', 'refusals')]}
        />
        <Plot
          title="Quality"
          {...common}
          format={formatNumber}
          axis={SCORES}
          series={[series('Sound', 'audioScore'), series('Picture', 'videoScore')]}
        />
        <Plot
          title="Traffic"
          {...common}
          format={formatBitrate}
          top={1000}
          series={[series('Received', 'receiveBitrate'), series('Sent', 'sendBitrate')]}
        />
      </div>
    </section>
  )
}
