import type { Live, Removals } from '../../../protocol/rest/sessions.ts'
import { clickedOnce } from '../../parts/clicked-once.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { formatDistance, formatInstant } from '../format.ts'
import { shownName, type Who } from './who.ts'

/** The people in the lobby. */
export function Waiting({
  requests,
  respond,
}: {
  requests: Live['entryRequests']
  /** Undefined: the operator may not answer. */
  respond: ((who: Who, decision: 'allowed' | 'denied') => void) | undefined
}) {
  if (requests.length === 0) return null
  return (
    <section className="box waiting" aria-labelledby="waiting">
      <h2 id="waiting">Waiting to come in</h2>
      <ul className="people">
        {requests.map((who) => (
          <li key={who.participantId}>
            <span className="name">
              <Foreign text={shownName(who)} />
            </span>
            <span className="quiet">asked {formatDistance(who.askedAt, Date.now())}</span>
            {respond && (
              <span className="row">
                <button
                  className="primary"
                  aria-label={`Admit ${shownName(who)}`}
                  onClick={clickedOnce(() => respond(who, 'allowed'))}
                >
                  Admit
                </button>
                <button
                  aria-label={`Deny ${shownName(who)}`}
                  onClick={clickedOnce(() => respond(who, 'denied'))}
                >
                  Deny
                </button>
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The people who were admitted and have not joined yet. */
export function Entering({
  seats,
  remove,
}: {
  seats: Live['entering']
  remove: ((who: Who) => void) | undefined
}) {
  if (seats.length === 0) return null
  return (
    <section className="box" aria-labelledby="entering">
      <h2 id="entering">About to join</h2>
      <p className="quiet">They were let in and have a seat. The others do not see them yet.</p>
      <ul className="people">
        {seats.map((who) => (
          <li key={who.participantId}>
            <span className="name">
              <Foreign text={shownName(who)} />
            </span>
            <span className="quiet">let in {formatDistance(who.admittedAt, Date.now())}</span>
            {remove && (
              <button aria-label={`Remove ${shownName(who)}`} onClick={() => remove(who)}>
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The people who were removed from a session, by whom and when. */
export function Removed({
  removals,
  lift,
  isOver = false,
}: {
  removals: Removals['data']
  lift?: ((who: Who) => void) | undefined
  /** Whether the session has ended. */
  isOver?: boolean
}) {
  if (removals.length === 0) return null
  return (
    <section className="box" aria-labelledby="removed">
      <h2 id="removed">Removed</h2>
      {!isOver && <p className="quiet">They cannot come back to this session until this is lifted.</p>}
      <ul className="people">
        {removals.map((who) => (
          <li key={who.participantId}>
            <span className="name">
              <Foreign text={shownName(who)} />
              {who.name !== '' && (
                <span className="quiet code">
                  {' '}
                  <Foreign text={who.participantId} />
                </span>
              )}
            </span>
            <span className="quiet">
              {formatInstant(who.removedAt)}, by <RemovedBy {...who} />
            </span>
            {who.tokenShared && (
              <span className="quiet">Others share the token, so only this participant id is kept out.</span>
            )}
            {lift && (
              <button
                aria-label={`Lift the removal of ${shownName(who)}`}
                onClick={clickedOnce(() => lift(who))}
              >
                Lift
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function RemovedBy({ removedBy, removedByName }: Removals['data'][number]) {
  if (removedBy === null) return 'somebody who was not recorded'
  if (removedBy === 'server')
    return removedByName === null ? (
      'an app, over REST'
    ) : (
      <>
        <Foreign text={removedByName} />, an operator
      </>
    )
  return <Foreign text={removedByName ?? removedBy} />
}
