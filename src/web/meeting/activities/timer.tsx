import { memo, useCallback, useId, useMemo, useState, type SyntheticEvent } from 'react'
import { callAttention } from '../../attention.ts'
import { text } from '../../texts/texts.ts'
import { hostingView } from '../host-model.ts'
import { useModel } from '../model.ts'
import { useView } from '../use-view.ts'
import { clockOf, MAX_MINUTES, secondsOf, timerView } from './timer-model.ts'
import { useLeft } from './use-left.ts'

/** The timer in the header: everybody sees it, and hears when it has run out. */
export const TimerSign = memo(function TimerSign() {
  const { meeting, notice } = useModel()
  const timer = useView(useMemo(() => timerView(meeting), [meeting]))
  const announce = useCallback(() => {
    notice.show(text('timer.over'))
    callAttention('timeUp', text('timer.over'))
  }, [notice])
  const leftMs = useLeft(timer, announce)
  if (!timer || leftMs === undefined) return null
  const isPaused = timer.pausedLeftMs !== undefined
  return (
    <span
      className={`badge timer ${leftMs === 0 ? 'over' : ''}`}
      role="timer"
      aria-label={text('timer')}
      data-testid="timer-sign"
    >
      {/* The end is announced by the notice; a screen reader must not read out each second. */}
      <span>{clockOf(leftMs)}</span>
      {isPaused && ` · ${text('timer.paused')}`}
    </span>
  )
})

const SUGGESTED = [1, 5, 10, 15]

/** A moderator starts, pauses and stops the timer here; the others read what is left. */
export function TimerSection() {
  const { meeting, actions } = useModel()
  const timer = useView(useMemo(() => timerView(meeting), [meeting]))
  const { canModerate } = useView(useMemo(() => hostingView(meeting), [meeting]))
  const leftMs = useLeft(timer)
  const { moderation } = meeting
  if (!timer || leftMs === undefined) return canModerate ? <Start /> : null
  const isPaused = timer.pausedLeftMs !== undefined
  return (
    <section data-testid="timer">
      <h2>{text('timer')}</h2>
      <p className="clock" role="timer">
        {clockOf(leftMs)}
        {isPaused && <span className="quiet"> {text('timer.paused')}</span>}
      </p>
      {canModerate && (
        <div className="row wrap">
          {leftMs > 0 && (
            <button
              onClick={() => actions.attempt(() => moderation.pauseTimer(!isPaused))}
              data-testid="timer-pause"
            >
              {text(isPaused ? 'timer.goOn' : 'timer.pause')}
            </button>
          )}
          <button
            onClick={() => actions.attempt(() => moderation.setTimer(undefined))}
            data-testid="timer-stop"
          >
            {text(leftMs > 0 ? 'timer.stop' : 'timer.clear')}
          </button>
        </div>
      )}
    </section>
  )
}

function Start() {
  const { meeting, actions } = useModel()
  const id = useId()
  const [minutes, setMinutes] = useState('5')
  const seconds = secondsOf(minutes)
  const start = (event: SyntheticEvent): void => {
    event.preventDefault()
    if (seconds !== undefined) actions.attempt(() => meeting.moderation.setTimer(seconds))
  }
  return (
    <section data-testid="timer">
      <h2>{text('timer')}</h2>
      <form onSubmit={start} className="timer-form">
        <label htmlFor={id}>{text('timer.minutes')}</label>
        <div className="row">
          <input
            id={id}
            inputMode="decimal"
            autoComplete="off"
            value={minutes}
            aria-invalid={seconds === undefined}
            onChange={({ target }) => setMinutes(target.value)}
            data-testid="timer-minutes"
          />
          <button className="primary" disabled={seconds === undefined} data-testid="timer-start">
            {text('timer.start')}
          </button>
        </div>
        {seconds === undefined && (
          <p className="quiet" role="status">
            {text('timer.range', { max: MAX_MINUTES })}
          </p>
        )}
        <div className="row" role="group" aria-label={text('timer.suggested')}>
          {SUGGESTED.map((value) => (
            <button
              key={value}
              type="button"
              aria-pressed={minutes === String(value)}
              onClick={() => setMinutes(String(value))}
            >
              {text('timer.min', { count: value })}
            </button>
          ))}
        </div>
      </form>
    </section>
  )
}
