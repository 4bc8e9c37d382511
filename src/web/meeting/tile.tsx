import { memo, useRef } from 'react'
import { isMirrored } from '../camera-flip.ts'
import { FlipCamera } from '../parts/flip-camera.tsx'
import { Foreign } from '../parts/foreign.tsx'
import { Icon } from '../parts/icon.tsx'
import { Video } from '../parts/video.tsx'
import { useModel } from './model.ts'
import { hueOf, initials } from './tile-model.ts'
import { QualitySign } from './quality-sign.tsx'
import { TileMenu } from './tile-menu.tsx'
import { useShown } from './use-shown.ts'
import { useTile } from './use-tile.ts'
import { text } from '../texts/texts.ts'

/** One participant. @param floats whether it is in the small window, which stays visible while the page is hidden */
export const Tile = memo(function Tile({ id, floats = false }: { id: string; floats?: boolean }) {
  const { meeting, actions } = useModel()
  const tile = useTile(id)
  const element = useRef<HTMLElement>(null)
  useShown(element, tile?.stream, floats)
  if (!tile) return null
  const { name, isSelf, micOn, picture, isSpeaking, isPinned, isPinnedByMe, handUp, isLocked } = tile
  return (
    <article
      ref={element}
      className={`tile ${isSpeaking ? 'speaking' : ''}`}
      aria-label={isSelf ? `${name} ${text('isYou')}` : name}
      data-testid="tile"
      data-participant={id}
    >
      {picture ? (
        <Video
          track={picture}
          mirrored={isSelf && isMirrored(picture)}
          label={text('tile.picture', { name })}
        />
      ) : (
        <div className="avatar" style={{ '--hue': hueOf(id) } as never}>
          <Foreign text={initials(name)} />
        </div>
      )}
      {isLocked ? (
        <p className="badge locked" data-testid="tile-locked">
          {text('encryption.otherKey')}
        </p>
      ) : (
        <QualitySign id={id} isSelf={isSelf} />
      )}
      <footer>
        {!micOn && <Icon name="micOff" />}
        {(isPinned || isPinnedByMe) && <Icon name="pin" />}
        {handUp && <span aria-label={text('hand.isUp')}>✋</span>}
        <span>
          <Foreign text={name} />
          {isSelf && ` ${text('isYou')}`}
        </span>
        <span className="visually-hidden">{text(micOn ? 'tile.micOn' : 'tile.micOff')}</span>
      </footer>
      {isSelf && picture && !floats && (
        <FlipCamera devices={meeting.devices} track={picture} act={actions.attempt} />
      )}
      {!floats && <TileMenu tile={tile} />}
    </article>
  )
})
