import { memo, useCallback, useMemo, useState } from 'react'
import { Sound } from '../parts/video.tsx'
import { useModel } from './model.ts'
import { soundsView } from './stage-model.ts'
import { useView } from './use-view.ts'
import { text } from '../texts/texts.ts'

/** Plays all received sound. If the browser requires a click first, shows a button. */
export const Sounds = memo(function Sounds() {
  const { meeting } = useModel()
  const streams = useView(useMemo(() => soundsView(meeting), [meeting]))
  const [isBlocked, setBlocked] = useState(false)
  const onBlocked = useCallback(() => setBlocked(true), [])
  return (
    <>
      {isBlocked && (
        <div className="toast sound">
          <button
            className="primary"
            onClick={() => {
              document.querySelectorAll('audio').forEach((audio) => void audio.play())
              setBlocked(false)
            }}
          >
            {text('sound.turnOn')}
          </button>
        </div>
      )}
      {streams.map(({ id, track }) => (
        <Sound key={id} track={track} onBlocked={onBlocked} />
      ))}
    </>
  )
})
