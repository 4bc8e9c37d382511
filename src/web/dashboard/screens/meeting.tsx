import { useEffect, useState, type ReactNode } from 'react'
import { serverUrl } from '../../api.ts'
import { isolated } from '../../isolate.ts'
import { clickedOnce } from '../../parts/clicked-once.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useAsked, useDoing } from '../asking.ts'
import { Confirm } from '../parts/confirm.tsx'
import { Glyph } from '../parts/glyph.tsx'
import { Invites } from '../parts/invites.tsx'
import { useNotice } from '../parts/notices.tsx'
import { Empty, Failure, Shown } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import { useDesk } from '../project.tsx'
import { To } from '../router.tsx'
import { count, sayDistance, sayInstant, sayNumber, saySpan } from '../say.ts'
import type { Live, LiveParticipant, Removal, Room, StreamKind } from '../shapes.ts'

const LIVE_EVERY_MS = 2000
/** How long the page of a window that was opened may take until it asks for its token. */
const HANDOVER_MS = 30_000

export function MeetingScreen({ meetingId }: { meetingId: string }) {
  const { inProject } = useDesk()
  const id = encodeURIComponent(meetingId)
  const room = useAsked(() => inProject<Room>('GET', `/v2/rooms/${id}`), meetingId)
  return <Shown asked={room}>{(value) => <Meeting room={value} refresh={room.again} />}</Shown>
}

type Asking =
  { what: 'end' } | { what: 'deactivate' } | { what: 'remove'; participantId: string; name: string }

function Meeting({ room, refresh }: { room: Room; refresh: () => void }) {
  const { inProject } = useDesk()
  const say = useNotice()
  const { roomId } = room
  const [asking, setAsking] = useState<Asking>()
  const { problem, run } = useDoing()
  const live = useAsked(
    async () => {
      const path = `/v2/rooms/${encodeURIComponent(roomId)}`
      const [now, removals] = await Promise.all([
        inProject<Live>('GET', `${path}/live`),
        inProject<{ data: Removal[] }>('GET', `${path}/removals`).then(({ data }) => data),
      ])
      return { ...now, removals }
    },
    roomId,
    LIVE_EVERY_MS,
  )
  const going = live.value?.sessionId != null

  /** One action on the meeting; what it changed is looked at afterwards. */
  const act = (path: string, body: object, done: string): void =>
    void run(async () => {
      await inProject('POST', path, { roomId, ...body })
      say(done)
      live.again()
    })

  return (
    <>
      <div className="head">
        <div>
          <p className="crumb">
            <To path={['meetings']}>Meetings</To>
          </p>
          <h1>
            <Foreign className="code" text={room.customRoomId ?? roomId} />{' '}
            {room.disabled ? (
              <span className="state off">Deactivated</span>
            ) : going ? (
              <span className="state on">Live</span>
            ) : (
              <span className="state">Idle</span>
            )}
          </h1>
        </div>
        {!room.disabled && (
          <div className="row wrap">
            <JoinButton roomId={roomId} />
            {going && (
              <button className="danger-line" onClick={() => setAsking({ what: 'end' })}>
                End session
              </button>
            )}
            <button className="danger-line" onClick={() => setAsking({ what: 'deactivate' })}>
              Deactivate
            </button>
          </div>
        )}
      </div>
      <Failure text={problem} />
      <Facts room={room} />
      {!room.disabled && (
        <Shown asked={live}>
          {({ participants, entering, entryRequests, removals, sessionId }) => (
            <>
              {entryRequests.length > 0 && (
                <section className="box waiting" aria-labelledby="waiting">
                  <h2 id="waiting">Waiting to come in</h2>
                  <ul className="people">
                    {entryRequests.map(({ participantId, name, askedAt }) => (
                      <li key={participantId}>
                        <span className="name">
                          <Foreign text={name || participantId} />
                        </span>
                        <span className="quiet">asked {sayDistance(askedAt, Date.now())}</span>
                        <span className="row">
                          <button
                            className="primary"
                            aria-label={`Admit ${name || participantId}`}
                            onClick={clickedOnce(() =>
                              act(
                                `/v2/rooms/${encodeURIComponent(roomId)}/entry-requests/respond`,
                                { participantId, decision: 'allowed' },
                                `${isolated(name || participantId)} is let in.`,
                              ),
                            )}
                          >
                            Admit
                          </button>
                          <button
                            aria-label={`Deny ${name || participantId}`}
                            onClick={clickedOnce(() =>
                              act(
                                `/v2/rooms/${encodeURIComponent(roomId)}/entry-requests/respond`,
                                { participantId, decision: 'denied' },
                                `${isolated(name || participantId)} is not let in.`,
                              ),
                            )}
                          >
                            Deny
                          </button>
                        </span>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
              <section aria-labelledby="inside">
                <div className="head">
                  <h2 id="inside">
                    In the meeting{' '}
                    {participants.length > 0 && <span className="quiet">{participants.length}</span>}
                  </h2>
                  {sessionId !== null && <To path={['sessions', sessionId]}>This session’s record</To>}
                </div>
                {participants.length === 0 ? (
                  <Empty title="Nobody is here right now" />
                ) : (
                  <Inside
                    participants={participants}
                    mute={({ participantId, name }, kind) =>
                      act(
                        '/v2/sessions/participants/mute',
                        { participantId, kind },
                        `${isolated(name || participantId)}: ${SWITCHES[kind].off}.`,
                      )
                    }
                    ask={({ participantId, name }, kind) =>
                      act(
                        '/v2/sessions/participants/ask',
                        { participantId, kind },
                        `${isolated(name || participantId)} is asked; it is theirs to switch on.`,
                      )
                    }
                    remove={({ participantId, name }) =>
                      setAsking({ what: 'remove', participantId, name: name || participantId })
                    }
                  />
                )}
              </section>
              {entering.length > 0 && (
                <section className="box" aria-labelledby="entering">
                  <h2 id="entering">About to join</h2>
                  <p className="quiet">They were let in and have a seat. The others do not see them yet.</p>
                  <ul className="people">
                    {entering.map(({ participantId, name, admittedAt }) => (
                      <li key={participantId}>
                        <span className="name">{name || participantId}</span>
                        <span className="quiet">let in {sayDistance(admittedAt, Date.now())}</span>
                        <button
                          aria-label={`Remove ${name || participantId}`}
                          onClick={() =>
                            setAsking({ what: 'remove', participantId, name: name || participantId })
                          }
                        >
                          Remove
                        </button>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
              {removals.length > 0 && (
                <section className="box" aria-labelledby="removed">
                  <h2 id="removed">Removed</h2>
                  <p className="quiet">They cannot come back to this session until this is lifted.</p>
                  <ul className="people">
                    {removals.map(({ participantId, name, tokenShared }) => (
                      <li key={participantId}>
                        <span className="name">
                          <Foreign text={name || participantId} />
                          {name !== '' && (
                            <span className="quiet code">
                              {' '}
                              <Foreign text={participantId} />
                            </span>
                          )}
                        </span>
                        {tokenShared && (
                          <span className="quiet">
                            Others share the token, so only this participant id is kept out.
                          </span>
                        )}
                        <button
                          aria-label={`Lift the removal of ${name || participantId}`}
                          onClick={clickedOnce(() =>
                            act(
                              `/v2/rooms/${encodeURIComponent(roomId)}/removals/lift`,
                              { participantId },
                              `${isolated(name || participantId)} may come back.`,
                            ),
                          )}
                        >
                          Lift
                        </button>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
            </>
          )}
        </Shown>
      )}
      <Invites room={room} />
      {asking?.what === 'end' && (
        <Confirm
          title="End the session for everybody?"
          action="End session"
          danger
          onConfirm={async () => {
            await inProject('POST', '/v2/sessions/end', { roomId, ignoreClosed: true })
            say('The session is ended.')
            live.again()
          }}
          onClose={() => setAsking(undefined)}
        >
          <p>Everybody is put out. The meeting itself stays and can be held again.</p>
        </Confirm>
      )}
      {asking?.what === 'deactivate' && (
        <Confirm
          title="Deactivate this meeting for good?"
          action="Deactivate"
          danger
          onConfirm={async () => {
            await inProject('POST', '/v2/rooms/deactivate', { roomId })
            say('The meeting is deactivated.')
            refresh()
          }}
          onClose={() => setAsking(undefined)}
        >
          <p>A session that goes on is ended, and nobody can join again. This cannot be taken back.</p>
        </Confirm>
      )}
      {asking?.what === 'remove' && (
        <Confirm
          title={`Remove ${isolated(asking.name)}?`}
          action="Remove"
          danger
          onConfirm={async () => {
            await inProject('POST', '/v2/sessions/participants/remove', {
              roomId,
              participantId: asking.participantId,
            })
            say(`${isolated(asking.name)} is removed.`)
            live.again()
          }}
          onClose={() => setAsking(undefined)}
        >
          <p>They cannot come back to this session until you lift it.</p>
        </Confirm>
      )}
    </>
  )
}

function Facts({ room }: { room: Room }) {
  const { autoCloseConfig, webhook, allowedParticipantIds } = room
  return (
    <dl className="facts box">
      <div>
        <dt>Meeting id</dt>
        <dd className="code">{room.roomId}</dd>
      </div>
      {room.customRoomId !== undefined && (
        <div>
          <dt>Custom id</dt>
          <dd className="code">
            <Foreign text={room.customRoomId} />
          </dd>
        </div>
      )}
      <div>
        <dt>Created</dt>
        <dd>{sayInstant(room.createdAt)}</dd>
      </div>
      {autoCloseConfig && (
        <div>
          <dt>Closes after</dt>
          <dd>
            {saySpan(autoCloseConfig.duration * 60_000)}
            {autoCloseConfig.type === 'session-end-and-deactivate' && ', for good'}
          </dd>
        </div>
      )}
      {allowedParticipantIds && (
        <div>
          <dt>Only for</dt>
          <dd>{count(allowedParticipantIds.length, 'participant id')}</dd>
        </div>
      )}
      {webhook && (
        <div>
          <dt>Webhook</dt>
          <dd className="code">
            <Foreign text={webhook.endPoint} />
          </dd>
        </div>
      )}
      <div>
        <dt>Held before</dt>
        <dd>
          <To path={['sessions']} query={{ meeting: room.roomId }}>
            Its sessions
          </To>
        </dd>
      </div>
    </dl>
  )
}

type Kind = 'audio' | 'video' | 'share'

const SWITCHES: Record<Kind, { icon: ReactNode; iconOff: ReactNode; title: string; off: string }> = {
  audio: {
    icon: <Icon name="mic" />,
    iconOff: <Icon name="micOff" />,
    title: 'Microphone',
    off: 'the microphone is off',
  },
  video: {
    icon: <Icon name="camera" />,
    iconOff: <Icon name="cameraOff" />,
    title: 'Camera',
    off: 'the camera is off',
  },
  share: {
    icon: <Icon name="share" />,
    iconOff: <Icon name="share" />,
    title: 'Screen',
    off: 'the screen is not shared any more',
  },
}

function Inside({
  participants,
  mute,
  ask,
  remove,
}: {
  participants: LiveParticipant[]
  mute: (who: LiveParticipant, kind: Kind) => void
  ask: (who: LiveParticipant, kind: Kind) => void
  remove: (who: LiveParticipant) => void
}) {
  return (
    <Table
      caption="In the meeting"
      rows={participants}
      keyOf={({ participantId }) => participantId}
      columns={[
        {
          title: 'Name',
          cell: ({ name, participantId }) => (
            <span className="named">
              <b>
                <Foreign text={name || participantId} />
              </b>
              {name && <Foreign className="quiet code" text={participantId} />}
            </span>
          ),
        },
        { title: 'Since', cell: ({ joinedAt }) => sayDistance(joinedAt, Date.now()) },
        {
          title: 'Streams',
          cell: (who) => (
            <span className="row tight">
              {(Object.keys(SWITCHES) as Kind[]).map((kind) => (
                <Switch
                  key={kind}
                  kind={kind}
                  who={who}
                  onClick={() => (isOn(who.streams, kind) ? mute(who, kind) : ask(who, kind))}
                />
              ))}
            </span>
          ),
        },
        { title: 'Sound', figures: true, cell: ({ quality }) => <Meter value={quality?.audio} /> },
        { title: 'Picture', figures: true, cell: ({ quality }) => <Meter value={quality?.video} /> },
        {
          title: 'Remove',
          actions: true,
          cell: (who) => (
            <button
              className="danger-line"
              aria-label={`Remove ${who.name || who.participantId}`}
              onClick={() => remove(who)}
            >
              <Glyph name="remove" />
              Remove
            </button>
          ),
        },
      ]}
    />
  )
}

const isOn = (streams: readonly StreamKind[], kind: Kind): boolean => streams.includes(kind)

function Switch({ kind, who, onClick }: { kind: Kind; who: LiveParticipant; onClick: () => void }) {
  const { icon, iconOff, title } = SWITCHES[kind]
  const on = isOn(who.streams, kind)
  const does = (name: string): string =>
    on ? `${title} of ${name} is on: switch it off` : `${title} of ${name} is off: ask to switch it on`
  const name = who.name || who.participantId
  return (
    <button
      className={on ? 'switch on' : 'switch'}
      aria-label={does(name)}
      title={does(isolated(name))}
      onClick={onClick}
    >
      {on ? icon : iconOff}
    </button>
  )
}

/** A score from 1 to 4.5, drawn and written. */
function Meter({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined) return <span className="quiet">–</span>
  const kind = value >= 4 ? 'good' : value >= 3 ? 'fair' : 'poor'
  return (
    <span className="meter">
      <svg width="44" height="6" aria-hidden="true">
        <rect className="meter-ground" width="44" height="6" rx="3" />
        <rect className={`meter-${kind}`} width={44 * Math.min(1, (value - 1) / 3.5)} height="6" rx="3" />
      </svg>
      {sayNumber(value)}
    </span>
  )
}

/**
 * Opens the meeting in a window of its own, with a moderator's token that is handed over when that window asks for it, so
 * that no address holds it.
 */
function JoinButton({ roomId }: { roomId: string }) {
  const { api, project } = useDesk()
  const { busy, problem, run } = useDoing()
  const [opened, setOpened] = useState<Window>()

  useEffect(() => {
    if (!opened) return
    const answer = async (): Promise<void> => {
      const { token } = await api.admin<{ token: string }>(
        'POST',
        `/v2/admin/projects/${project.projectId}/token`,
        {
          permissions: ['allow_join', 'allow_mod'],
          roomId,
          roles: ['rtc'],
        },
      )
      opened.postMessage({ type: 'anteroom:token', token, meetingId: roomId }, location.origin)
    }
    const hear = ({ source, origin, data }: MessageEvent<{ type?: string } | null>): void => {
      if (source !== opened || origin !== location.origin || data?.type !== 'anteroom:ready') return
      setOpened(undefined)
      void run(answer)
    }
    window.addEventListener('message', hear)
    const timer = setTimeout(() => setOpened(undefined), HANDOVER_MS)
    return () => {
      window.removeEventListener('message', hear)
      clearTimeout(timer)
    }
  }, [opened, api, project, roomId, run])

  return (
    <>
      <button
        className="primary"
        disabled={busy}
        onClick={() => setOpened(window.open(`${serverUrl}/m/${encodeURIComponent(roomId)}`) ?? undefined)}
      >
        <Glyph name="open" />
        Join as moderator
      </button>
      {problem && <Failure text={problem} />}
    </>
  )
}
