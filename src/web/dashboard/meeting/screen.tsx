import { useState } from 'react'
import type { RoomWithOwner } from '../../../protocol/rest/rooms.ts'
import type { Live, Removals } from '../../../protocol/rest/sessions.ts'
import { isolated } from '../../isolate.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { useQuery, useAction, type Query } from '../query.ts'
import { Invites } from '../parts/invites.tsx'
import { useNotice } from '../parts/notices.tsx'
import { Empty, Failure, Shown } from '../parts/states.tsx'
import { useProject } from '../project.tsx'
import { Link } from '../router.tsx'
import { Confirms, type Asking } from './confirms.tsx'
import { Facts } from './facts.tsx'
import { Inside } from './inside.tsx'
import { JoinButton } from './join-button.tsx'
import { Entering, Removed, Waiting } from './lists.tsx'
import { OFF, type Kind } from './switches.ts'
import { shownName, type Who } from './who.ts'

const LIVE_EVERY_MS = 2000

export function MeetingScreen({ meetingId }: { meetingId: string }) {
  const { inProject } = useProject()
  const id = encodeURIComponent(meetingId)
  const room = useQuery(() => inProject<RoomWithOwner>('GET', `/v2/rooms/${id}`), meetingId)
  return <Shown query={room}>{(value) => <Meeting room={value} refresh={room.reload} />}</Shown>
}

interface Now extends Live {
  removals: Removals['data']
}

function Meeting({ room, refresh }: { room: RoomWithOwner; refresh: () => void }) {
  const { inProject } = useProject()
  const { roomId } = room
  const [asking, setAsking] = useState<Asking>()
  const { problem, run } = useAction()
  const live = useQuery<Now>(
    async () => {
      const path = `/v2/rooms/${encodeURIComponent(roomId)}`
      const [now, removals] = await Promise.all([
        inProject<Live>('GET', `${path}/live`),
        inProject<Removals>('GET', `${path}/removals`),
      ])
      return { ...now, removals: removals.data }
    },
    roomId,
    LIVE_EVERY_MS,
  )
  return (
    <>
      <Head room={room} isLive={live.value?.sessionId != null} ask={setAsking} />
      <Failure text={problem} />
      <Facts room={room} />
      {!room.disabled && (
        <People roomId={roomId} live={live} run={run} remove={(who) => setAsking({ what: 'remove', who })} />
      )}
      <Invites room={room} />
      {asking && (
        <Confirms
          asking={asking}
          roomId={roomId}
          onChanged={live.reload}
          onDeactivated={refresh}
          onClose={() => setAsking(undefined)}
        />
      )}
    </>
  )
}

function Head({
  room: { roomId, customRoomId, disabled },
  isLive,
  ask,
}: {
  room: RoomWithOwner
  isLive: boolean
  ask: (asking: Asking) => void
}) {
  const { may } = useProject()
  return (
    <div className="head">
      <div>
        <p className="crumb">
          <Link path={['meetings']}>Meetings</Link>
        </p>
        <h1>
          <Foreign className="code" text={customRoomId ?? roomId} />{' '}
          {disabled ? (
            <span className="state off">Deactivated</span>
          ) : isLive ? (
            <span className="state on">Live</span>
          ) : (
            <span className="state">Idle</span>
          )}
        </h1>
      </div>
      {!disabled && (
        <div className="row wrap">
          {may('POST /v2/admin/projects/{projectId}/token') && <JoinButton roomId={roomId} />}
          {isLive && may('POST /v2/sessions/end') && (
            <button className="danger-line" onClick={() => ask({ what: 'end' })}>
              End session
            </button>
          )}
          {may('POST /v2/rooms/deactivate') && (
            <button className="danger-line" onClick={() => ask({ what: 'deactivate' })}>
              Deactivate
            </button>
          )}
        </div>
      )}
    </div>
  )
}

/** The people who wait, are inside, are about to join or were removed, with the actions on each. */
function People({
  roomId,
  live,
  run,
  remove,
}: {
  roomId: string
  live: Query<Now>
  run: (work: () => Promise<unknown>) => Promise<boolean>
  remove: (who: Who) => void
}) {
  const { inProject, may } = useProject()
  const say = useNotice()
  const path = `/v2/rooms/${encodeURIComponent(roomId)}`
  const allowed = <T,>(operation: string, action: T): T | undefined => (may(operation) ? action : undefined)

  /** Acts on one person, then loads the lists again. */
  const act = (to: string, { participantId }: Who, body: object, done: string): void =>
    void run(async () => {
      await inProject('POST', to, { roomId, participantId, ...body })
      say(done)
      live.reload()
    })
  const respond = (who: Who, decision: 'allowed' | 'denied'): void => {
    const done = `${isolated(shownName(who))} is ${decision === 'allowed' ? 'let in' : 'not let in'}.`
    act(`${path}/entry-requests/respond`, who, { decision }, done)
  }
  const mute = (who: Who, kind: Kind): void =>
    act('/v2/sessions/participants/mute', who, { kind }, `${isolated(shownName(who))}: ${OFF[kind]}.`)
  const ask = (who: Who, kind: Kind): void => {
    const done = `${isolated(shownName(who))} is asked, and decides whether to switch it on.`
    act('/v2/sessions/participants/ask', who, { kind }, done)
  }
  const lift = (who: Who): void =>
    act(`${path}/removals/lift`, who, {}, `${isolated(shownName(who))} may come back.`)

  const mayRemove = allowed('POST /v2/sessions/participants/remove', remove)
  return (
    <Shown query={live}>
      {({ participants, entering, entryRequests, removals, sessionId }) => (
        <>
          <Waiting
            requests={entryRequests}
            respond={allowed('POST /v2/rooms/{roomId}/entry-requests/respond', respond)}
          />
          <section aria-labelledby="inside">
            <div className="head">
              <h2 id="inside">
                In the meeting{' '}
                {participants.length > 0 && <span className="quiet">{participants.length}</span>}
              </h2>
              {sessionId !== null && <Link path={['sessions', sessionId]}>This session’s record</Link>}
            </div>
            {participants.length === 0 ? (
              <Empty title="Nobody is here right now" />
            ) : (
              <Inside
                participants={participants}
                mute={allowed('POST /v2/sessions/participants/mute', mute)}
                ask={allowed('POST /v2/sessions/participants/ask', ask)}
                remove={mayRemove}
              />
            )}
          </section>
          <Entering seats={entering} remove={mayRemove} />
          <Removed removals={removals} lift={allowed('POST /v2/rooms/{roomId}/removals/lift', lift)} />
        </>
      )}
    </Shown>
  )
}
