import { useState } from 'react'
import { ServerClientError } from '../../api.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { useQuery, useAction } from '../query.ts'
import { Form } from '../parts/form.tsx'
import { Confirm } from '../parts/confirm.tsx'
import { Choice, Field } from '../parts/field.tsx'
import { Find } from '../parts/find.tsx'
import { useNotice } from '../parts/notices.tsx'
import { ShownPage } from '../parts/pages.tsx'
import { Empty, Failure } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { pageOf } from '../place.ts'
import { queryOf, useProject } from '../project.tsx'
import { Link, useRouter } from '../router.tsx'
import { count, formatDistance, formatInstant } from '../format.ts'
import type { PageOf } from '../../../protocol/rest.ts'
import type { DeliveryAnswer } from '../../../protocol/rest/webhooks.ts'
import { wordsIn } from '../parts/words-in.ts'

const PER_PAGE = 20
const EVENTS = ['session-started', 'session-ended', 'participant-joined', 'participant-left']
const EVERY_MS = 10_000
const NOTHING: PageOf<DeliveryAnswer> = {
  pageInfo: { currentPage: 1, perPage: PER_PAGE, lastPage: 1, total: 0 },
  data: [],
}

export function WebhooksScreen() {
  const { inProject, may } = useProject()
  const { place, filter } = useRouter()
  const say = useNotice()
  const [replaying, setReplaying] = useState(false)
  const page = pageOf(place.query)
  const { state = '', event = '', meeting = '' } = place.query
  const query = useQuery(
    () =>
      inProject<PageOf<DeliveryAnswer>>(
        'GET',
        `/v2/webhooks/deliveries${queryOf({ page, perPage: PER_PAGE, state, event, roomId: meeting })}`,
      ).catch((error: unknown) => {
        // An unknown meeting has no deliveries.
        if (error instanceof ServerClientError && error.code === 'INVALID_MEETING_ID') return NOTHING
        throw error
      }),
    [page, state, event, meeting].join(' '),
    EVERY_MS,
  )
  const filtered = state !== '' || event !== '' || meeting !== ''
  return (
    <>
      <div className="head">
        <h1>Webhooks</h1>
        {may('POST /v2/webhooks/deliveries/replay') && (
          <button onClick={() => setReplaying(true)}>Replay all parked</button>
        )}
      </div>
      <DefaultWebhook />
      <section aria-labelledby="deliveries">
        <h2 id="deliveries">Deliveries</h2>
        <div className="filters">
          <Find label="Meeting id" value={meeting} onFind={(text) => filter({ meeting: text, page: '' })} />
          <Choice
            label="State"
            value={state}
            options={[
              ['', 'any'],
              ['waiting', 'waiting'],
              ['delivered', 'delivered'],
              ['parked', 'parked'],
            ]}
            onChange={(change) => filter({ state: change.target.value, page: '' })}
          />
          <Choice
            label="Event"
            value={event}
            options={[['', 'any'], ...EVENTS.map((name) => [name, name] as const)]}
            onChange={(change) => filter({ event: change.target.value, page: '' })}
          />
        </div>
        <ShownPage
          query={query}
          of="delivery"
          many="deliveries"
          empty={
            <Empty title={filtered ? 'No delivery fits these filters' : 'Nothing was told to a webhook yet'}>
              {filtered && (
                <button onClick={() => filter({ state: '', event: '', meeting: '', page: '' })}>
                  Show all
                </button>
              )}
            </Empty>
          }
        >
          {(data) => (
            <Table
              caption="Deliveries"
              rows={data}
              keyOf={({ deliveryId }) => deliveryId}
              busy={query.loading}
              columns={[
                {
                  title: 'Event',
                  cell: (delivery) => <Link path={['webhooks', delivery.deliveryId]}>{delivery.event}</Link>,
                },
                {
                  title: 'Happened',
                  cell: ({ occurredAt }) => <span className="nowrap">{formatInstant(occurredAt)}</span>,
                },
                {
                  title: 'Meeting',
                  cell: ({ roomId }) => (
                    <Link className="code" path={['meetings', roomId]}>
                      {roomId}
                    </Link>
                  ),
                },
                { title: 'State', cell: (delivery) => <DeliveryMark delivery={delivery} /> },
                { title: 'Tries', figures: true, cell: ({ attempts }) => attempts },
                {
                  title: 'Last answer',
                  cell: ({ lastStatus, lastError }) =>
                    lastError === null ? (
                      lastStatus === null ? (
                        '–'
                      ) : (
                        `HTTP ${lastStatus}`
                      )
                    ) : (
                      <Foreign text={lastError} />
                    ),
                },
              ]}
            />
          )}
        </ShownPage>
      </section>
      {replaying && (
        <Confirm
          title="Replay all that is parked?"
          action="Replay all"
          onConfirm={async () => {
            const { replayed } = await inProject<{ replayed: number }>(
              'POST',
              '/v2/webhooks/deliveries/replay',
              {
                state: 'parked',
              },
            )
            say(`${count(replayed, 'delivery', 'deliveries')} will be tried again.`)
            query.reload()
          }}
          onClose={() => setReplaying(false)}
        >
          <p>Every parked delivery of this project is tried again, in order for each meeting.</p>
        </Confirm>
      )}
    </>
  )
}

const MARKS: Record<DeliveryAnswer['state'], readonly [kind: string, shown: string]> = {
  waiting: ['warn', 'Waiting'],
  delivered: ['on', 'Delivered'],
  parked: ['off', 'Parked'],
}

export function DeliveryMark({
  delivery: { state, nextAt },
}: {
  delivery: Pick<DeliveryAnswer, 'state' | 'nextAt'>
}) {
  const [kind, shown] = MARKS[state]
  return (
    <span className={`state ${kind}`}>
      {shown}
      {state === 'waiting' &&
        nextAt !== null &&
        nextAt > Date.now() &&
        `, ${formatDistance(nextAt, Date.now())}`}
    </span>
  )
}

function DefaultWebhook() {
  const { api, project, refresh, may } = useProject()
  const { webhook } = project
  const say = useNotice()
  const [editing, setEditing] = useState(false)
  const [endPoint, setEndPoint] = useState(webhook?.endPoint ?? '')
  const [events, setEvents] = useState(webhook?.events.join(', ') ?? '*')
  const { busy, problem, run } = useAction()
  const save = (next: { endPoint: string; events: string[] } | null): void =>
    void run(async () => {
      await api.admin('PATCH', `/v2/admin/projects/${encodeURIComponent(project.projectId)}`, {
        webhook: next,
      })
      say(next ? 'The webhook is saved.' : 'The webhook is removed.')
      setEditing(false)
      refresh()
    })
  return (
    <section className="box" aria-labelledby="default-webhook">
      <div className="head">
        <h2 id="default-webhook">The project’s webhook</h2>
        {!editing && may('PATCH /v2/admin/projects/{projectId}') && (
          <button onClick={() => setEditing(true)}>{webhook ? 'Change' : 'Set up'}</button>
        )}
      </div>
      {!editing &&
        (webhook ? (
          <dl className="facts">
            <div>
              <dt>Address</dt>
              <dd className="code">
                <Foreign text={webhook.endPoint} />
              </dd>
            </div>
            <div>
              <dt>Events</dt>
              <dd className="code">
                <Foreign text={webhook.events.join(', ')} />
              </dd>
            </div>
          </dl>
        ) : (
          <p className="quiet">
            None: only meetings that name a webhook of their own tell what happens in them.
          </p>
        ))}
      {editing && (
        <Form
          busy={busy}
          onSubmit={() => {
            save({ endPoint: endPoint.trim(), events: wordsIn(events) })
          }}
        >
          <Field
            label="Address"
            type="url"
            required
            placeholder="https://"
            hint="For meetings that name none of their own."
            value={endPoint}
            onChange={(change) => setEndPoint(change.target.value)}
          />
          <Field
            label="Events"
            required
            hint={`Names by commas; * for all, session* for those that begin so. There are ${EVENTS.join(', ')}.`}
            value={events}
            onChange={(change) => setEvents(change.target.value)}
          />
          <Failure text={problem} />
          <div className="dialog-foot">
            {webhook && (
              <button type="button" className="danger-line" disabled={busy} onClick={() => save(null)}>
                Remove
              </button>
            )}
            <button type="button" onClick={() => setEditing(false)}>
              Cancel
            </button>
            <button className="primary" disabled={busy}>
              Save
            </button>
          </div>
        </Form>
      )}
    </section>
  )
}
