/** The nodes that share the database. */
import type { NodeStatus } from '../../../protocol/rest/watching.ts'
import { count, formatDistance, formatNumber, formatSpan } from '../format.ts'
import { Problem } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'

const STATES: Record<NodeStatus['state'], readonly [kind: string, shown: string]> = {
  serving: ['on', 'Serving'],
  draining: ['warn', 'Draining'],
  away: ['off', 'Away'],
}

export function Nodes({ nodes }: { nodes: readonly NodeStatus[] }) {
  const away = nodes.filter(({ state }) => state === 'away').map(({ nodeId }) => nodeId)
  return (
    <section aria-labelledby="nodes">
      <h2 id="nodes">Nodes</h2>
      {away.length > 0 && (
        <Problem
          text={`${away.join(', ')} ${away.length === 1 ? 'does' : 'do'} not answer; others take the meetings.`}
        />
      )}
      <p className="quiet">
        {count(nodes.length, 'node')}. Each meeting has its home at one of them. The figures of each are those
        of its last lease, which it renews every second.
      </p>
      <Table
        caption="Nodes"
        rows={nodes}
        keyOf={({ nodeId }) => nodeId}
        columns={[
          {
            title: 'Node',
            cell: ({ nodeId, address, isHere }) => (
              <div>
                {nodeId}
                <div className="quiet">{isHere ? `${address}, answers now` : address}</div>
              </div>
            ),
          },
          {
            title: 'State',
            cell: ({ state }) => <span className={`state ${STATES[state][0]}`}>{STATES[state][1]}</span>,
          },
          {
            title: 'Processor',
            cell: ({ processorPercent }) => `${formatNumber(processorPercent)} %`,
            figures: true,
          },
          { title: 'Meetings', cell: ({ meetings }) => formatNumber(meetings), figures: true },
          { title: 'Participants', cell: ({ participants }) => formatNumber(participants), figures: true },
          { title: 'Media workers', cell: ({ mediaWorkers }) => formatNumber(mediaWorkers), figures: true },
          {
            title: 'Lease renewed',
            cell: ({ leaseAgeMs }) => `${formatSpan(leaseAgeMs)} ago`,
            figures: true,
          },
          { title: 'Started', cell: ({ startedAt }) => formatDistance(startedAt, Date.now()), figures: true },
          { title: 'Version', cell: ({ version }) => version, figures: true },
        ]}
      />
    </section>
  )
}
