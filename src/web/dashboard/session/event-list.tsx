import { useState } from 'react'
import { Foreign } from '../../parts/foreign.tsx'
import { Find } from '../parts/find.tsx'
import { Empty } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { count, formatExactTime } from '../format.ts'
import type { SessionEvent } from './events.ts'

/** The most rows that are shown; a search finds the others. */
const MOST_ROWS = 200

/** A list of events that can be searched by person and by kind. */
export function EventList({ events }: { events: readonly SessionEvent[] }) {
  const [text, setText] = useState('')
  const wanted = text.toLowerCase()
  const found = events.filter((one) => `${one.who} ${one.text}`.toLowerCase().includes(wanted))
  const rows = found.slice(-MOST_ROWS).map((event, index) => ({ ...event, key: `${event.at} ${index}` }))
  return (
    <section aria-labelledby="events">
      <div className="head">
        <h2 id="events">Events</h2>
        <Find label="Find an event" value={text} onFind={setText} />
      </div>
      {rows.length === 0 ? (
        <Empty title={text === '' ? 'Nothing has happened' : 'No event fits'} />
      ) : (
        <>
          <div className="scroll events" tabIndex={0} role="region" aria-label="Events">
            <Table
              caption="Events"
              rows={rows}
              keyOf={({ key }) => key}
              columns={[
                { title: 'When', cell: ({ at }) => formatExactTime(at) },
                { title: 'Who', cell: ({ who }) => <Foreign text={who} /> },
                { title: 'What', cell: ({ text: what }) => what },
              ]}
            />
          </div>
          {found.length > MOST_ROWS && (
            <p className="quiet">
              {count(found.length, 'event')}; these are the last {MOST_ROWS}. Search to see others.
            </p>
          )}
        </>
      )}
    </section>
  )
}
