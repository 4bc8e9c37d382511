import { Foreign } from '../../parts/foreign.tsx'
import { useQuery, useAction } from '../query.ts'
import { CopyButton } from '../parts/copy.tsx'
import { JsonText } from '../parts/json-text.tsx'
import { useNotice } from '../parts/notices.tsx'
import { Failure, Shown } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { useProject } from '../project.tsx'
import { Link } from '../router.tsx'
import { count, formatDistance, formatExactInstant } from '../format.ts'
import type { DeliveryTry, WholeDeliveryAnswer } from '../../../protocol/rest/webhooks.ts'
import { DeliveryMark } from './webhooks.tsx'

const EVERY_MS = 5000

export function DeliveryScreen({ deliveryId }: { deliveryId: string }) {
  const { inProject, may } = useProject()
  const say = useNotice()
  const { busy, problem, run } = useAction()
  const path = `/v2/webhooks/deliveries/${encodeURIComponent(deliveryId)}`
  const query = useQuery(() => inProject<WholeDeliveryAnswer>('GET', path), deliveryId, EVERY_MS)
  const replay = (): void =>
    void run(async () => {
      await inProject('POST', `${path}/replay`, {})
      say('It will be tried again.')
      query.reload()
    })
  return (
    <Shown query={query}>
      {(delivery) => (
        <>
          <div className="head">
            <div>
              <p className="crumb">
                <Link path={['webhooks']}>Webhooks</Link>
              </p>
              <h1>
                {delivery.event} <DeliveryMark delivery={delivery} />
              </h1>
            </div>
            {delivery.state !== 'waiting' && may('POST /v2/webhooks/deliveries/{deliveryId}/replay') && (
              <button className="primary" disabled={busy} onClick={replay}>
                Replay
              </button>
            )}
          </div>
          <Failure text={problem} />
          <dl className="facts box">
            <div>
              <dt>Happened</dt>
              <dd>{formatExactInstant(delivery.occurredAt)}</dd>
            </div>
            <div>
              <dt>Sent to</dt>
              <dd className="code">
                <Foreign text={delivery.endPoint} />
              </dd>
            </div>
            <div>
              <dt>Meeting</dt>
              <dd>
                <Link className="code" path={['meetings', delivery.roomId]}>
                  {delivery.roomId}
                </Link>
              </dd>
            </div>
            <div>
              <dt>Session</dt>
              <dd>
                <Link className="code" path={['sessions', delivery.sessionId]}>
                  {delivery.sessionId}
                </Link>
              </dd>
            </div>
            <div>
              <dt>Delivery id</dt>
              <dd className="code">{delivery.deliveryId}</dd>
            </div>
          </dl>
          <section className="box" aria-labelledby="history">
            <h2 id="history">History</h2>
            <ol className="steps">
              <li>
                {formatExactInstant(delivery.occurredAt)}: it happened, and was written down with the fact.
              </li>
              <History delivery={delivery} />
              {delivery.state === 'waiting' && (
                <li>
                  {delivery.nextAt === null
                    ? 'Stands in line behind another of this meeting.'
                    : `Is tried next ${formatDistance(delivery.nextAt, Date.now())}.`}
                </li>
              )}
              {delivery.settledAt !== null && (
                <li>
                  {formatExactInstant(delivery.settledAt)}:{' '}
                  {delivery.state === 'parked'
                    ? 'given up until somebody replays it.'
                    : 'taken by the receiver.'}
                </li>
              )}
            </ol>
          </section>
          <section className="box" aria-labelledby="body">
            <div className="head">
              <h2 id="body">Body</h2>
              <CopyButton what="body" value={delivery.body} />
            </div>
            <pre className="scroll" tabIndex={0} role="region" aria-label="What is sent">
              <JsonText json={pretty(delivery.body)} />
            </pre>
          </section>
        </>
      )}
    </Shown>
  )
}

/** The attempts and their outcomes. Of deliveries older than the record of attempts, only the last answer is known. */
function History({
  delivery: { attempts, tries, lastStatus, lastError },
}: {
  delivery: WholeDeliveryAnswer
}) {
  if (attempts === 0 && tries.length === 0) return null
  const isReplayed = tries.length > attempts
  return (
    <li>
      {attempts === 0 ? 'Not tried' : `Tried ${count(attempts, 'time')}`}
      {isReplayed && ' since it was replayed'}.
      {tries.length > 0 ? (
        <Tries tries={tries} />
      ) : (
        <>
          {` The last answer: ${lastStatus === null ? 'none' : `HTTP ${lastStatus}`}. `}
          {lastError !== null && <Foreign text={lastError} />}
        </>
      )}
    </li>
  )
}

function Tries({ tries }: { tries: readonly DeliveryTry[] }) {
  return (
    <Table
      caption="Tries, the latest first"
      rows={tries.toReversed()}
      keyOf={({ at }) => String(at)}
      columns={[
        { title: 'When', cell: ({ at }) => <span className="nowrap">{formatExactInstant(at)}</span> },
        { title: 'Answer', cell: ({ status }) => (status === null ? 'none' : `HTTP ${status}`) },
        { title: 'Took', figures: true, cell: ({ tookMs }) => `${tookMs} ms` },
        { title: 'Outcome', cell: ({ error }) => (error === null ? 'Taken' : <Foreign text={error} />) },
        {
          title: 'Its answer begins',
          cell: ({ answer }) =>
            answer === null ? (
              <span className="quiet">nothing</span>
            ) : (
              <code className="answer-start">{answer}</code>
            ),
        },
      ]}
    />
  )
}

/** Indents JSON; returns other texts unchanged. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
