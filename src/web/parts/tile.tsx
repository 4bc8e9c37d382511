import { useEffect, useState } from 'react'
import type { Meeting, Stream } from '../../client/client.ts'
import { qualityFor } from '../layout.ts'
import { Foreign } from './foreign.tsx'
import { Icon } from './icon.tsx'
import { Video } from './video.tsx'

export interface TileProps {
  meeting: Meeting
  id: string
  name: string
  self?: boolean
  micOn: boolean
  shareOn: boolean
  cameraOn: boolean
  picture: MediaStreamTrack | undefined
  stream?: Stream | undefined
  speaking: boolean
  pinned: boolean
  handUp: boolean
  /** Of the tile, in px; what it receives follows from it. */
  width: number
  onRemove: (id: string, name: string) => void
}

/** One person. A moderator finds a menu on it. */
export function Tile(props: TileProps) {
  const { meeting, id, name, self = false, micOn, picture, stream, speaking, pinned, width } = props
  const quality = qualityFor(width)
  useEffect(() => {
    void stream?.setQuality(quality).catch(() => undefined)
  }, [stream, quality])
  return (
    <article
      className={`tile ${speaking ? 'speaking' : ''}`}
      aria-label={`${name}${self ? ' (you)' : ''}`}
      data-testid="tile"
      data-participant={id}
    >
      {picture ? (
        <Video track={picture} mirrored={self} label={`Picture of ${name}`} />
      ) : (
        <div className="avatar" style={{ '--hue': hueOf(id) } as never}>
          <Foreign text={initials(name)} />
        </div>
      )}
      <footer>
        {!micOn && <Icon name="micOff" />}
        {pinned && <Icon name="pin" />}
        {props.handUp && <span aria-label="hand is up">✋</span>}
        <span>
          <Foreign text={name} />
          {self && ' (you)'}
        </span>
        <span className="visually-hidden">{micOn ? 'microphone on' : 'microphone off'}</span>
      </footer>
      {!self && meeting.self.canModerate && <TileMenu {...props} />}
    </article>
  )
}

function TileMenu({ meeting, id, name, micOn, cameraOn, shareOn, pinned, onRemove }: TileProps) {
  const [open, setOpen] = useState(false)
  const { moderation } = meeting
  const items: [label: string, act: () => unknown][] = [
    micOn ? ['Mute', () => moderation.disableMic(id)] : ['Ask to unmute', () => moderation.askMic(id)],
    cameraOn
      ? ['Stop camera', () => moderation.disableCamera(id)]
      : ['Ask to turn on camera', () => moderation.askCamera(id)],
    ...(shareOn ? [['Stop sharing', () => moderation.disableShare(id)] as [string, () => unknown]] : []),
    [pinned ? 'Unpin for all' : 'Pin for all', () => moderation.pin(id, !pinned)],
    ['Remove…', () => onRemove(id, name)],
  ]
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
          {items.map(([label, act]) => (
            <button
              key={label}
              role="menuitem"
              onClick={() => {
                setOpen(false)
                void Promise.resolve(act()).catch((error: unknown) => console.error(error))
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

function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  return [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => Array.from(word ?? '')[0] ?? '')
    .join('')
    .toUpperCase()
}

function hueOf(id: string): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 360
  return sum
}
