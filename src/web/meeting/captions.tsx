import { memo, useEffect, useMemo } from 'react'
import { Foreign } from '../parts/foreign.tsx'
import { Captions as CaptionsModel } from './captions-model.ts'
import { useModel } from './model.ts'
import { useView } from './use-view.ts'
import { text } from '../texts/texts.ts'

/** Shows captions. */
export const Captions = memo(function Captions() {
  const { meeting, settings } = useModel()
  const { captionSize } = useView(settings)
  const captions = useMemo(() => new CaptionsModel(), [])
  useEffect(() => captions.listen(meeting), [captions, meeting])
  const lines = useView(captions)
  return (
    <div
      className={`captions ${captionSize}`}
      role="log"
      aria-label={text('captions')}
      aria-live="polite"
      data-testid="captions"
    >
      {lines.map(({ id, participantId, name, text: said }) => (
        <p key={`${participantId} ${id}`}>
          <strong>
            <Foreign text={name} />
          </strong>{' '}
          <Foreign text={said} />
        </p>
      ))}
    </div>
  )
})
