/** What the page needs inside a meeting and not before: the client with its libraries, and the meeting's own screen. */
import { useEffect, useState } from 'react'
import type { Meeting } from '../../client/client.ts'
import { callAttention } from '../attention.ts'
import { followApp } from '../embed/follow.ts'
import { MeetingScreen } from '../meeting/screen.tsx'
import { text } from '../texts/texts.ts'
import { Waiting } from './waiting.tsx'

export { connect } from '../../client/client.ts'

/** About to be inside, in the lobby, or inside. */
export function Inside({ meeting, token }: { meeting: Meeting; token: string }) {
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
  return <MeetingScreen meeting={meeting} token={token} />
}
