import { useEffect, useMemo } from 'react'
import { createPortal } from 'react-dom'
import { Icon } from '../parts/icon.tsx'
import { barOf, barView } from './bar-model.ts'
import { text } from '../texts/texts.ts'
import { useModel } from './model.ts'
import { stageView } from './stage-model.ts'
import { Tile } from './tile.tsx'
import { useView } from './use-view.ts'
import { ViewSettings } from './view-settings.ts'

/** The small window: the current speaker, and the controls that people need while they use another program. */
export function FloatingWindow({ window: opened, onClose }: { window: Window; onClose: () => void }) {
  const { meeting, chat, actions, shown } = useModel()
  const stage = useMemo(() => {
    const speaker = new ViewSettings()
    speaker.change({ layout: 'speaker' })
    return stageView(meeting, speaker)
  }, [meeting])
  const { front, tiles } = useView(stage)
  const facts = useView(useMemo(() => barView(meeting, chat), [meeting, chat]))
  useEffect(() => {
    shown.floats = true
    opened.addEventListener('pagehide', onClose)
    return () => {
      shown.floats = false
      opened.removeEventListener('pagehide', onClose)
      opened.close()
    }
  }, [opened, onClose, shown])
  const id = front[0] ?? tiles[0]!
  return createPortal(
    <div className="floating-window">
      <Tile id={id} floats />
      <div className="bar">
        {barOf(facts, undefined)
          .filter(({ name }) => name === 'mic' || name === 'camera')
          .map(({ name, icon, label, isOff }) => (
            <button
              key={name}
              className={`round small ${isOff ? 'off' : ''}`}
              aria-label={label}
              title={label}
              onClick={actions[name as 'mic' | 'camera']}
            >
              <Icon name={icon} />
            </button>
          ))}
        <button className="round small leave" aria-label={text('leave')} onClick={() => void meeting.leave()}>
          <Icon name="leave" />
        </button>
      </div>
    </div>,
    opened.document.body,
  )
}
