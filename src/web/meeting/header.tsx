import { memo, useEffect, useMemo, useState } from 'react'
import { Mark } from '../parts/brand.tsx'
import { Foreign } from '../parts/foreign.tsx'
import { Icon } from '../parts/icon.tsx'
import { text } from '../texts/texts.ts'
import { TimerSign } from './activities/timer.tsx'
import { RoomSign } from './breakouts/room-signs.tsx'
import { headerView, startOf } from './bar-model.ts'
import { hostingView } from './host-model.ts'
import { useModel } from './model.ts'
import { useView } from './use-view.ts'

export const MeetingHeader = memo(function MeetingHeader() {
  const { meeting, actions, settings, openDialog, moves } = useModel()
  const { room } = useView(moves)
  const { interruption, canInvite, signs, controls } = useView(useMemo(() => headerView(meeting), [meeting]))
  return (
    <header className="top">
      <Mark />
      <strong>
        <Foreign text={meeting.meetingId} />
      </strong>
      <Duration />
      <TimerSign />
      <RoomSign />
      {interruption !== undefined && (
        <span className="badge long" role="status" data-testid="reconnecting">
          {interruption}
        </span>
      )}
      {signs.map(({ output, text: sign }) => (
        <span key={output} className="badge live" role="status" data-testid={`sign-${output}`}>
          {sign}
        </span>
      ))}
      <Lock />
      {meeting.encryption && <Encrypted phrase={meeting.encryption.phrase} />}
      <span className="space" />
      {controls.map(({ output, label, isOn, isBusy }) => (
        <button
          key={output}
          className="control"
          aria-busy={isBusy}
          onClick={() =>
            actions.attempt(() =>
              isOn
                ? meeting.outputs.stop(output)
                : meeting.outputs.start(output, startOf(output, settings.get())),
            )
          }
          data-testid={`output-${output}`}
        >
          {label}
        </button>
      ))}
      {canInvite && !room && (
        <button onClick={() => openDialog({ name: 'invite' })} data-testid="invite">
          <Icon name="invite" /> {text('invite')}
        </button>
      )}
    </header>
  )
})

/** Tells everybody that nobody new can join. */
function Lock() {
  const { meeting } = useModel()
  const { locked } = useView(useMemo(() => hostingView(meeting), [meeting]))
  return locked ? (
    <span className="badge" role="status" data-testid="sign-locked">
      {text('host.locked')}
    </span>
  ) : null
}

/** People who read the same digits to each other have the same key, and nobody is between them. */
function Encrypted({ phrase }: { phrase: string }) {
  return (
    <span className="badge secret" title={text('encryption.compare')} data-testid="sign-encrypted">
      <Icon name="lock" /> {text('encryption.phrase', { phrase })}
    </span>
  )
}

/** The time since we joined. */
function Duration() {
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    const since = Date.now()
    const timer = setInterval(() => setSeconds(Math.floor((Date.now() - since) / 1000)), 1000)
    return () => clearInterval(timer)
  }, [])
  const pad = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  return (
    <span className="quiet" aria-label={text('header.time')}>
      {hours > 0 && `${hours}:`}
      {pad(Math.floor(seconds / 60) % 60)}:{pad(seconds % 60)}
    </span>
  )
}
