/** What the page needs inside a meeting and not before: the client with its libraries, and the meeting's own screen. */
import { useEffect, useEffectEvent, useMemo, useState } from 'react'
import type { LeftReason, Meeting } from '../../client/client.ts'
import type { Pass } from '../api.ts'
import { callAttention } from '../attention.ts'
import { followApp } from '../embed/follow.ts'
import { Moves, type Place } from '../meeting/breakouts/moves.ts'
import { MeetingScreen } from '../meeting/screen.tsx'
import { useView } from '../meeting/use-view.ts'
import { text, useLanguage } from '../texts/texts.ts'
import { Waiting } from './waiting.tsx'

export { connect } from '../../client/client.ts'

/** In the meeting, or in one of its breakout rooms. */
export function Inside({
  meeting,
  pass,
  onMove,
  onLeft,
}: {
  meeting: Meeting
  pass: Pass
  onMove: (meeting: Meeting | undefined) => void
  onLeft: (reason: LeftReason) => void
}) {
  useLanguage()
  const left = useEffectEvent(onLeft)
  const moves = useMemo(
    () => new Moves({ pass, meeting, onMove, onLeft: (reason) => left(reason) }),
    [meeting, pass, onMove],
  )
  useEffect(() => moves.listen(), [moves])
  const place = useView(moves)
  if (place.isMoving)
    return (
      <main className="centre" aria-busy="true">
        <p role="status">{text('oneMoment')}</p>
      </main>
    )
  return <PlaceInside key={place.meeting.meetingId} place={place} moves={moves} />
}

/** About to be inside, in the lobby, or inside. */
function PlaceInside({ place: { meeting, token }, moves }: { place: Place; moves: Moves }) {
  const [state, setState] = useState(meeting.state)
  const [before, setBefore] = useState(meeting.queuedBehind)
  const [wasIn, setWasIn] = useState(meeting.state === 'joined')
  useEffect(() => followApp(meeting), [meeting])
  useEffect(() => {
    let waited = false
    const update = (): void => {
      setState(meeting.state)
      waited ||= meeting.state === 'waiting'
      if (meeting.state !== 'joined') return
      if (waited) callAttention('letIn', text('waiting.letIn'))
      waited = false
      setWasIn(true)
    }
    update()
    const stops = [meeting.on('stateChanged', update), meeting.on('queueChanged', setBefore)]
    setBefore(meeting.queuedBehind)
    return () => stops.forEach((stop) => stop())
  }, [meeting])
  if (!wasIn)
    return <Waiting waiting={state === 'waiting'} before={before} onCancel={() => void meeting.leave()} />
  return <MeetingScreen meeting={meeting} token={token} moves={moves} />
}
