import { useState } from 'react'
import { Foreign } from '../../parts/foreign.tsx'
import { useQuery, useAction } from '../query.ts'
import { Choice } from '../parts/field.tsx'
import { Empty, Failure, Shown } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { Timeline } from '../parts/timeline.tsx'
import { useProject } from '../project.tsx'
import { Link, useRouter } from '../router.tsx'
import { count, ms, formatTime, formatInstant, formatNumber, formatReason, formatSpan } from '../format.ts'
import { DiagnosisBox } from '../session/diagnosis.tsx'
import { EventList } from '../session/event-list.tsx'
import { eventsOf, type OutputSpan } from '../session/events.ts'
import { MOST_DIAGNOSED, readOutputs } from '../session/loading.ts'
import { Removed } from '../meeting/lists.tsx'
import { MediaOfAll, MediaOfOne } from '../session/media.tsx'
import type { PageInfo } from '../../../protocol/rest.ts'
import type {
  Removals,
  Session,
  SessionParticipantInFull,
  SessionWithParticipants,
} from '../../../protocol/rest/sessions.ts'

/** The interval of the measurements. */
const LIVE_EVERY_MS = 10_000
const PER_PAGE = 100
/** The most rows of a session that are shown. */
const MOST_PARTICIPANTS = 500

export function SessionScreen({ sessionId }: { sessionId: string }) {
  const { inProject } = useProject()
  const id = encodeURIComponent(sessionId)
  const [isOver, setOver] = useState(false)
  const everyMs = isOver ? undefined : LIVE_EVERY_MS
  const query = useQuery(
    async () => {
      const session = await inProject<Session>('GET', `/v2/sessions/${id}`)
      const participants: SessionParticipantInFull[] = []
      let lastPage = 1
      for (let page = 1; page <= lastPage && participants.length < MOST_PARTICIPANTS; page++) {
        const answer = await inProject<{ pageInfo: PageInfo; data: SessionWithParticipants }>(
          'GET',
          `/v2/sessions/${id}/participants?page=${page}&perPage=${PER_PAGE}`,
        )
        participants.push(...answer.data.participants)
        lastPage = answer.pageInfo.lastPage
      }
      setOver(session.end !== null)
      const [outputs, removals] = await Promise.all([
        readOutputs(inProject, session),
        inProject<Removals>(
          'GET',
          `/v2/rooms/${encodeURIComponent(session.roomId)}/removals?sessionId=${id}`,
        ),
      ])
      return { session, participants, outputs, removals: removals.data, askedAt: Date.now() }
    },
    sessionId,
    everyMs,
  )
  return (
    <Shown query={query}>
      {({ session, participants, outputs, removals, askedAt }) => {
        const from = ms(session.start)
        const to = session.end === null ? askedAt : ms(session.end)
        return (
          <>
            <div className="head">
              <div>
                <p className="crumb">
                  <Link path={['sessions']}>Sessions</Link>
                </p>
                <h1>{formatInstant(session.start)}</h1>
              </div>
              <div className="row">
                <button onClick={query.reload} disabled={query.loading}>
                  Refresh
                </button>
                <ChatDownload sessionId={sessionId} />
              </div>
            </div>
            <dl className="facts box">
              <div>
                <dt>Meeting</dt>
                <dd>
                  <Link className="code" path={['meetings', session.roomId]}>
                    <Foreign text={session.customRoomId ?? session.roomId} />
                  </Link>
                </dd>
              </div>
              <div>
                <dt>State</dt>
                <dd>
                  {session.end === null ? (
                    <span className="state on">Going on</span>
                  ) : (
                    `${formatReason(session.endReason)}, ${formatTime(session.end)}`
                  )}
                </dd>
              </div>
              <div>
                <dt>Lasted</dt>
                <dd>{formatSpan(to - from)}</dd>
              </div>
              <div>
                <dt>Participants</dt>
                <dd>{formatNumber(participants.length)}</dd>
              </div>
              <div>
                <dt>Session id</dt>
                <dd className="code">{session.id}</dd>
              </div>
            </dl>
            <section className="box" aria-labelledby="stays">
              <h2 id="stays">Who was there</h2>
              {participants.length === 0 ? (
                <Empty title="Nobody has joined" />
              ) : (
                <Timeline participants={participants} from={from} to={to} />
              )}
            </section>
            <Removed removals={removals} isOver={session.end !== null} />
            {participants.length > 0 && (
              <>
                <Media {...{ session, participants, outputs, from, to, everyMs }} />
                <Participants participants={participants} to={to} />
              </>
            )}
          </>
        )
      }}
    </Shown>
  )
}

function Participants({ participants, to }: { participants: SessionParticipantInFull[]; to: number }) {
  return (
    <section aria-labelledby="participants">
      <h2 id="participants">Participants</h2>
      <Table
        caption="Participants"
        rows={participants}
        keyOf={({ participantId }) => participantId}
        columns={[
          {
            title: 'Name',
            cell: ({ name, participantId }) => (
              <b>
                <Foreign text={name || participantId} />
              </b>
            ),
          },
          { title: 'Id', cell: ({ participantId }) => <Foreign className="code" text={participantId} /> },
          {
            title: 'Was there',
            figures: true,
            cell: ({ timelog }) =>
              formatSpan(
                timelog.reduce((sum, { start, end }) => sum + (end === null ? to : ms(end)) - ms(start), 0),
              ) + (timelog.length > 1 ? ` in ${count(timelog.length, 'stay')}` : ''),
          },
          {
            title: 'Left',
            cell: ({ timelog }) => {
              const stay = timelog.at(-1)
              if (!stay) return '–'
              return stay.end === null ? (
                <span className="state on">Still there</span>
              ) : (
                formatReason(stay.leaveReason)
              )
            },
          },
          { title: 'Device', cell: (one) => <Foreign text={deviceOf(one)} /> },
        ]}
      />
    </section>
  )
}

/** Reads `deviceInfo` as the SDKs send it; it may hold anything. */
interface DeviceInfo {
  sdkType?: string
  sdkVersion?: string
  browserUserAgent?: { browser?: { name?: string; version?: string }; os?: { name?: string } }
}

function deviceOf(participant: SessionParticipantInFull): string {
  const deviceInfo = participant.deviceInfo as DeviceInfo | null
  const { browser, os } = deviceInfo?.browserUserAgent ?? {}
  const names = [
    [browser?.name, browser?.version?.split('.')[0]].filter(Boolean).join(' '),
    os?.name,
    [deviceInfo?.sdkType, deviceInfo?.sdkVersion].filter(Boolean).join(' '),
  ]
  return names.filter(Boolean).join(' · ') || '–'
}

/** The media of all or one of the participants, the diagnosis, and the events. */
function Media({
  session,
  participants,
  outputs,
  from,
  to,
  everyMs,
}: {
  session: Session
  participants: SessionParticipantInFull[]
  outputs: readonly OutputSpan[]
  from: number
  to: number
  everyMs: number | undefined
}) {
  const { place, filter } = useRouter()
  const one = participants.find(({ participantId }) => participantId === place.query.of)
  const span = { sessionId: session.sessionId, from, to, everyMs }
  const diagnosed = one ? [one] : participants.length > MOST_DIAGNOSED ? [] : participants
  return (
    <>
      {diagnosed.length > 0 && (
        <DiagnosisBox
          sessionId={session.sessionId}
          of={diagnosed.map(({ participantId }) => participantId)}
          everyMs={everyMs}
        />
      )}
      <section aria-labelledby="quality">
        <div className="head">
          <h2 id="quality">Media</h2>
          <Choice
            label="Of"
            value={one?.participantId ?? ''}
            options={[
              ['', 'everybody, on average'],
              ...participants.map(
                ({ participantId, name }) => [participantId, name || participantId] as const,
              ),
            ]}
            onChange={(event) => filter({ of: event.target.value }, { replace: true })}
          />
        </div>
        {one ? (
          <MediaOfOne
            key={one.participantId}
            {...span}
            participant={one}
            device={deviceOf(one)}
            outputs={outputs}
          />
        ) : (
          <MediaOfAll {...span} />
        )}
      </section>
      {!one && <EventList events={eventsOf(participants, outputs)} />}
    </>
  )
}

/** The chat log needs a token, so it is asked for and handed to the browser as a file. */
function ChatDownload({ sessionId }: { sessionId: string }) {
  const { textInProject } = useProject()
  const { busy, problem, run } = useAction()
  const [empty, setEmpty] = useState(false)
  const download = (): void =>
    void run(async () => {
      const csv = await textInProject(`/v2/sessions/${encodeURIComponent(sessionId)}/chat-log`)
      // Only the heading means that there is no chat.
      setEmpty(csv.trim().split('\n').length < 2)
      // Read as text, the answer lost the byte-order mark that Excel needs.
      const address = URL.createObjectURL(new Blob(['\ufeff', csv], { type: 'text/csv' }))
      const link = document.createElement('a')
      link.href = address
      link.download = `chat-${sessionId}.csv`
      link.click()
      setTimeout(() => URL.revokeObjectURL(address), 1000)
    })
  return (
    <>
      <button onClick={download} disabled={busy}>
        Download chat
      </button>
      {empty && (
        <span className="quiet" role="status">
          Nothing was written.
        </span>
      )}
      {problem && <Failure text={problem} />}
    </>
  )
}
