import { Icon } from '../parts/icon.tsx'
import { Popover } from '../parts/popover.tsx'
import { useModel } from './model.ts'
import { menuOf, type TileAction, type TileContent } from './tile-model.ts'
import { text } from '../texts/texts.ts'

/** Our actions on this participant. */
export function TileMenu({ tile }: { tile: TileContent }) {
  const { meeting, settings, actions, openDialog } = useModel()
  const { id, name } = tile
  const act = async (action: TileAction): Promise<void> => {
    const { moderation } = meeting
    if (action === 'pinForMe') settings.togglePin(id)
    else if (action === 'remove' || action === 'rename') openDialog({ name: action, id, who: name })
    else if (action === 'lowerHand') await moderation.lowerHands([id])
    else if (action === 'makeCoHost' || action === 'endCoHost')
      await moderation.setCoHost(id, action === 'makeCoHost')
    else if (action === 'pin' || action === 'unpin') await moderation.pin(id, action === 'pin')
    else await moderation[action](id)
  }
  return (
    <Popover
      className="menu-holder"
      button={{
        className: 'round small',
        'aria-label': text('tile.actions', { name }),
        children: <Icon name="more" />,
      }}
      role="menu"
      label={text('tile.actions', { name })}
    >
      {(close) => (
        <>
          {menuOf(tile).map(({ label, action }) => (
            <button
              key={label}
              role="menuitem"
              onClick={() => {
                close()
                actions.attempt(() => act(action))
              }}
            >
              {label}
            </button>
          ))}
        </>
      )}
    </Popover>
  )
}
