import { useState } from 'react'
import { Icon } from '../parts/icon.tsx'
import { useModel } from './model.ts'
import { menuOf, type TileAction, type TileContent } from './tile-model.ts'

/** Our actions on this participant. */
export function TileMenu({ tile }: { tile: TileContent }) {
  const { meeting, settings, openDialog } = useModel()
  const [open, setOpen] = useState(false)
  const { id, name } = tile
  const act = async (action: TileAction): Promise<void> => {
    const { moderation } = meeting
    if (action === 'pinForMe') settings.togglePin(id)
    else if (action === 'remove') openDialog({ name: 'remove', id, who: name })
    else if (action === 'pin' || action === 'unpin') await moderation.pin(id, action === 'pin')
    else await moderation[action](id)
  }
  return (
    <div
      className="menu-holder"
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        setOpen(false)
        event.stopPropagation()
      }}
    >
      <button
        className="round small"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={`Actions for ${name}`}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      {open && (
        <div className="menu" role="menu">
          {menuOf(tile).map(({ label, action }) => (
            <button
              key={label}
              role="menuitem"
              onClick={() => {
                setOpen(false)
                act(action).catch((error: unknown) => console.error(error))
              }}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
