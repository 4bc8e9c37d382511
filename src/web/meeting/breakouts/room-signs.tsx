import { memo, useEffect, useMemo, useState } from 'react'
import { callAttention } from '../../attention.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { isolated } from '../../isolate.ts'
import { rich, text } from '../../texts/texts.ts'
import { clockOf } from '../activities/timer-model.ts'
import { useLeft } from '../activities/use-left.ts'
import { useModel } from '../model.ts'
import { useView } from '../use-view.ts'
import { roomsView } from './breakouts-model.ts'
import type { Room } from './moves.ts'

const timerOf = (endsAt: number | null | undefined) =>
  typeof endsAt === 'number' ? { totalMs: 0, endsAt, pausedLeftMs: undefined } : undefined

/** In the header of a breakout room: its name, the time that is left, and the way back. */
export const RoomSign = memo(function RoomSign() {
  const { moves, actions } = useModel()
  const { room } = useView(moves)
  const leftMs = useLeft(useMemo(() => timerOf(room?.endsAt), [room?.endsAt]))
  if (!room) return null
  return (
    <>
      <span className="badge timer" data-testid="room-sign">
        <Foreign text={room.name} />
        {leftMs !== undefined && ` · ${clockOf(leftMs)}`}
      </span>
      <button className="control" onClick={() => actions.attempt(() => moves.back())} data-testid="room-back">
        {text('breakouts.back')}
      </button>
    </>
  )
})

/** What breakout rooms ask of us: to go to our own, to come back, to read what is said to all rooms. */
export const RoomToasts = memo(function RoomToasts() {
  const { moves } = useModel()
  const { room } = useView(moves)
  return (
    <>
      <Announcement />
      {room ? room.recalledAt !== undefined && <Recalled room={room} /> : <Invited />}
    </>
  )
})

function Announcement() {
  const { meeting } = useModel()
  const [said, setSaid] = useState<{ name: string; text: string }>()
  useEffect(
    () =>
      meeting.on('breakoutAnnounced', (announcement) => {
        setSaid(announcement)
        callAttention('asked', `${isolated(announcement.name)}: ${isolated(announcement.text)}`)
      }),
    [meeting],
  )
  if (!said) return null
  return (
    <section className="toast" role="alert" data-testid="announcement">
      <p className="quiet">{rich('breakouts.says', { name: <Foreign text={said.name} /> })}</p>
      <p className="said">
        <Foreign text={said.text} />
      </p>
      <button onClick={() => setSaid(undefined)}>{text('close')}</button>
    </section>
  )
}

function Recalled({ room }: { room: Room }) {
  const { moves, actions } = useModel()
  const leftMs = useLeft(useMemo(() => timerOf(room.recalledAt), [room.recalledAt]))
  useEffect(() => callAttention('asked', text('breakouts.recalled')), [])
  return (
    <section className="toast" data-testid="recalled">
      <p role="alert">{text('breakouts.recalled')}</p>
      <p className="quiet">{text('breakouts.returnIn', { time: clockOf(leftMs ?? 0) })}</p>
      <button className="primary" onClick={() => actions.attempt(() => moves.back())}>
        {text('breakouts.backNow')}
      </button>
    </section>
  )
}

/** Somebody who came back, or reloaded the page, finds the way again. */
function Invited() {
  const { meeting, moves, actions } = useModel()
  const rooms = useView(useMemo(() => roomsView(meeting), [meeting]))
  const [putOff, setPutOff] = useState<string>()
  const own = rooms?.rooms.find(({ roomId }) => roomId === rooms.ownRoomId)
  if (!own || rooms?.closing || putOff === own.roomId) return null
  return (
    <section className="toast" role="status" data-testid="room-invited">
      <p>{rich('breakouts.assigned', { name: <Foreign text={own.name} /> })}</p>
      <div className="row">
        <button onClick={() => setPutOff(own.roomId)}>{text('polls.later')}</button>
        <button
          className="primary"
          onClick={() => actions.attempt(async () => moves.enter(await meeting.breakouts.enter(own.roomId)))}
          data-testid="room-go"
        >
          {text('breakouts.go')}
        </button>
      </div>
    </section>
  )
}
