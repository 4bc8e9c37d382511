import { memo, useRef } from 'react'
import { Foreign } from '../parts/foreign.tsx'
import { Icon } from '../parts/icon.tsx'
import { Video } from '../parts/video.tsx'
import { hueOf, initials } from './tile-model.ts'
import { TileMenu } from './tile-menu.tsx'
import { useShown } from './use-shown.ts'
import { useTile } from './use-tile.ts'

/** One participant. A moderator finds a menu on it. */
export const Tile = memo(function Tile({ id }: { id: string }) {
  const tile = useTile(id)
  const element = useRef<HTMLElement>(null)
  useShown(element, tile?.stream)
  if (!tile) return null
  const { name, isSelf, micOn, picture, isSpeaking, isPinned, handUp, hasMenu } = tile
  return (
    <article
      ref={element}
      className={`tile ${isSpeaking ? 'speaking' : ''}`}
      aria-label={`${name}${isSelf ? ' (you)' : ''}`}
      data-testid="tile"
      data-participant={id}
    >
      {picture ? (
        <Video track={picture} mirrored={isSelf} label={`Picture of ${name}`} />
      ) : (
        <div className="avatar" style={{ '--hue': hueOf(id) } as never}>
          <Foreign text={initials(name)} />
        </div>
      )}
      <footer>
        {!micOn && <Icon name="micOff" />}
        {isPinned && <Icon name="pin" />}
        {handUp && <span aria-label="hand is up">✋</span>}
        <span>
          <Foreign text={name} />
          {isSelf && ' (you)'}
        </span>
        <span className="visually-hidden">{micOn ? 'microphone on' : 'microphone off'}</span>
      </footer>
      {hasMenu && <TileMenu tile={tile} />}
    </article>
  )
})
