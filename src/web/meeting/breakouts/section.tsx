import { useMemo, useState, type SyntheticEvent } from 'react'
import type { BreakoutRooms } from '../../../client/client.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { text } from '../../texts/texts.ts'
import { clockOf } from '../activities/timer-model.ts'
import { useLeft } from '../activities/use-left.ts'
import { hostingView } from '../host-model.ts'
import { useModel } from '../model.ts'
import { othersView } from '../people-model.ts'
import { useView } from '../use-view.ts'
import {
  askedBy,
  emptyDraft,
  evenly,
  MAX_ROOMS,
  peopleOf,
  roomsView,
  withAssigned,
  withCount,
} from './breakouts-model.ts'
import './breakouts.css'

/** Lengths as the server limits them, in `protocol/breakouts.ts`. */
const MAX_ANNOUNCEMENT_LENGTH = 500

/** Breakout rooms: a moderator opens and looks after them, the others go to their own. */
export function BreakoutsSection() {
  const { meeting, moves } = useModel()
  const rooms = useView(useMemo(() => roomsView(meeting), [meeting]))
  const { canModerate } = useView(useMemo(() => hostingView(meeting), [meeting]))
  const { room } = useView(moves)
  if (room || (!canModerate && !rooms?.ownRoomId)) return null
  return (
    <section className="breakouts" data-testid="breakouts">
      <h2>{text('breakouts')}</h2>
      {rooms && <EndsIn rooms={rooms} />}
      {!canModerate ? <OwnRoom rooms={rooms!} /> : rooms ? <OpenRooms rooms={rooms} /> : <NewRooms />}
    </section>
  )
}

function EndsIn({ rooms: { endsAt, closing } }: { rooms: BreakoutRooms }) {
  const timer = useMemo(
    () => (endsAt === null ? undefined : { totalMs: 0, endsAt, pausedLeftMs: undefined }),
    [endsAt],
  )
  const leftMs = useLeft(timer)
  if (leftMs === undefined) return null
  return (
    <p className="quiet" data-testid="breakouts-left">
      {text(closing ? 'breakouts.closing' : 'breakouts.endIn', { time: clockOf(leftMs) })}
    </p>
  )
}

function OwnRoom({ rooms: { ownRoomId, rooms, closing } }: { rooms: BreakoutRooms }) {
  const { meeting, moves, actions } = useModel()
  const own = rooms.find(({ roomId }) => roomId === ownRoomId)
  if (!own) return null
  return (
    <div className="room">
      <h3>
        <Foreign text={own.name} />
      </h3>
      {!closing && (
        <button
          className="primary"
          onClick={() => actions.attempt(async () => moves.enter(await meeting.breakouts.enter(own.roomId)))}
        >
          {text('breakouts.go')}
        </button>
      )}
    </div>
  )
}

function NewRooms() {
  const { meeting, actions } = useModel()
  const people = useView(useMemo(() => othersView(meeting), [meeting]))
  const [draft, setDraft] = useState(emptyDraft)
  const [isSending, setSending] = useState(false)
  const nameOf = (number: number): string => text('breakouts.room', { number })
  const asked = askedBy(draft, nameOf)
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault()
    if (!asked || isSending) return
    setSending(true)
    actions.attempt(() => meeting.breakouts.open(asked).finally(() => setSending(false)))
  }
  return (
    <form onSubmit={submit} data-testid="breakouts-form">
      <label>
        {text('breakouts.count')}
        <input
          type="number"
          min={1}
          max={MAX_ROOMS}
          value={draft.count}
          onChange={({ target: { valueAsNumber: count } }) => {
            if (Number.isInteger(count) && count >= 1 && count <= MAX_ROOMS)
              setDraft((now) => withCount(now, count))
          }}
          data-testid="breakouts-count"
        />
      </label>
      <label>
        {text('breakouts.minutes')}
        <input
          inputMode="decimal"
          autoComplete="off"
          value={draft.minutes}
          aria-invalid={!asked}
          placeholder={text('breakouts.noEnd')}
          onChange={({ target }) => setDraft((now) => ({ ...now, minutes: target.value }))}
          data-testid="breakouts-minutes"
        />
      </label>
      {people.length === 0 && <p className="quiet">{text('breakouts.nobody')}</p>}
      {people.length > 0 && (
        <button
          type="button"
          onClick={() =>
            setDraft((now) => ({
              ...now,
              assigned: evenly(
                people.map(({ id }) => id),
                now.count,
                Math.random,
              ),
            }))
          }
          data-testid="breakouts-evenly"
        >
          {text('breakouts.evenly')}
        </button>
      )}
      <ul>
        {people.map(({ id, name }) => (
          <li key={id}>
            <Assign
              name={name}
              value={draft.assigned.has(id) ? String(draft.assigned.get(id)) : ''}
              rooms={Array.from({ length: draft.count }, (_, at) => ({
                id: String(at),
                name: nameOf(at + 1),
              }))}
              onChoose={(value) =>
                setDraft((now) => withAssigned(now, id, value === '' ? undefined : Number(value)))
              }
            />
          </li>
        ))}
      </ul>
      <button
        className="primary"
        disabled={!asked || isSending}
        aria-busy={isSending}
        data-testid="breakouts-open"
      >
        {text('breakouts.open')}
      </button>
    </form>
  )
}

function OpenRooms({ rooms: { rooms, closing } }: { rooms: BreakoutRooms }) {
  const { meeting, moves, actions } = useModel()
  const others = useView(useMemo(() => othersView(meeting), [meeting]))
  const { breakouts } = meeting
  const placed = new Set(rooms.flatMap(({ assigned }) => assigned.map(({ id }) => id)))
  const choices = rooms.map(({ roomId, name }) => ({ id: roomId, name }))
  const assign = (id: string) => (value: string) =>
    actions.attempt(() => breakouts.assign(id, value === '' ? null : value))
  const unplaced = others.filter(({ id }) => !placed.has(id))
  return (
    <>
      {rooms.map((room) => (
        <article key={room.roomId} className="room" data-testid="breakout-room">
          <div className="row">
            <h3>
              <Foreign text={room.name} />
            </h3>
            {!closing && (
              <button
                onClick={() => actions.attempt(async () => moves.enter(await breakouts.enter(room.roomId)))}
                data-testid="breakout-visit"
              >
                {text('breakouts.visit')}
              </button>
            )}
          </div>
          <ul>
            {peopleOf(room).map(({ id, name, isThere }) => (
              <li key={id}>
                {placed.has(id) && !closing ? (
                  <Assign
                    name={name}
                    value={room.roomId}
                    rooms={choices}
                    onChoose={assign(id)}
                    isThere={isThere}
                  />
                ) : (
                  <Foreign text={name} />
                )}
              </li>
            ))}
          </ul>
        </article>
      ))}
      {unplaced.length > 0 && !closing && (
        <article className="room">
          <h3>{text('breakouts.main')}</h3>
          <ul>
            {unplaced.map(({ id, name }) => (
              <li key={id}>
                <Assign name={name} value="" rooms={choices} onChoose={assign(id)} />
              </li>
            ))}
          </ul>
        </article>
      )}
      {!closing && (
        <>
          <Announce />
          <button
            className="primary"
            onClick={() => actions.attempt(() => breakouts.close())}
            data-testid="breakouts-close"
          >
            {text('breakouts.close')}
          </button>
        </>
      )}
    </>
  )
}

/** Who goes where. */
function Assign({
  name,
  value,
  rooms,
  onChoose,
  isThere = true,
}: {
  name: string
  value: string
  rooms: { id: string; name: string }[]
  onChoose: (value: string) => void
  isThere?: boolean
}) {
  return (
    <label className="assign">
      <span className={isThere ? '' : 'quiet'}>
        <Foreign text={name} />
        {!isThere && ` · ${text('breakouts.onTheWay')}`}
      </span>
      <select value={value} onChange={({ target }) => onChoose(target.value)}>
        <option value="">{text('breakouts.main')}</option>
        {rooms.map((room) => (
          <option key={room.id} value={room.id}>
            {room.name}
          </option>
        ))}
      </select>
    </label>
  )
}

function Announce() {
  const { meeting, actions, notice } = useModel()
  const [said, setSaid] = useState('')
  const send = (event: SyntheticEvent): void => {
    event.preventDefault()
    const message = said.trim()
    if (message === '') return
    actions.attempt(async () => {
      await meeting.breakouts.announce(message)
      setSaid('')
      notice.show(text('breakouts.announced'))
    })
  }
  return (
    <form onSubmit={send}>
      <label>
        {text('breakouts.announce')}
        <input
          value={said}
          dir="auto"
          maxLength={MAX_ANNOUNCEMENT_LENGTH}
          onChange={({ target }) => setSaid(target.value)}
          data-testid="breakouts-message"
        />
      </label>
      <button disabled={said.trim() === ''} data-testid="breakouts-announce">
        {text('breakouts.send')}
      </button>
    </form>
  )
}
