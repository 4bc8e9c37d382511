import type { ReactNode } from 'react'
import type { StreamKind } from '../../../protocol/media.ts'
import type { LiveParticipant } from '../../../protocol/rest/sessions.ts'
import { isolated } from '../../isolate.ts'
import { Foreign } from '../../parts/foreign.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Glyph } from '../parts/glyph.tsx'
import { Table } from '../parts/table.tsx'
import { formatDistance, formatNumber } from '../format.ts'
import type { Kind } from './switches.ts'
import { shownName } from './who.ts'

const SWITCHES: Record<Kind, { icon: ReactNode; iconOff: ReactNode; title: string }> = {
  audio: {
    icon: <Icon name="mic" />,
    iconOff: <Icon name="micOff" />,
    title: 'Microphone',
  },
  video: {
    icon: <Icon name="camera" />,
    iconOff: <Icon name="cameraOff" />,
    title: 'Camera',
  },
  share: {
    icon: <Icon name="share" />,
    iconOff: <Icon name="share" />,
    title: 'Screen',
  },
}

/** The participants, with switches for their streams. What the operator may not do is undefined. */
export function Inside({
  participants,
  mute,
  ask,
  remove,
}: {
  participants: LiveParticipant[]
  mute: ((who: LiveParticipant, kind: Kind) => void) | undefined
  ask: ((who: LiveParticipant, kind: Kind) => void) | undefined
  remove: ((who: LiveParticipant) => void) | undefined
}) {
  return (
    <Table
      caption="In the meeting"
      rows={participants}
      keyOf={({ participantId }) => participantId}
      columns={[
        {
          title: 'Name',
          cell: ({ name, participantId }) => (
            <span className="named">
              <b>
                <Foreign text={shownName({ name, participantId })} />
              </b>
              {name && <Foreign className="quiet code" text={participantId} />}
            </span>
          ),
        },
        { title: 'Since', cell: ({ joinedAt }) => formatDistance(joinedAt, Date.now()) },
        {
          title: 'Streams',
          cell: (who) => (
            <span className="row tight">
              {(Object.keys(SWITCHES) as Kind[]).map((kind) => (
                <Switch key={kind} kind={kind} who={who} onClick={isOn(who.streams, kind) ? mute : ask} />
              ))}
            </span>
          ),
        },
        { title: 'Sound', figures: true, cell: ({ quality }) => <Meter value={quality?.audio} /> },
        { title: 'Picture', figures: true, cell: ({ quality }) => <Meter value={quality?.video} /> },
        ...(remove
          ? [
              {
                title: 'Remove',
                actions: true,
                cell: (who: LiveParticipant) => (
                  <button
                    className="danger-line"
                    aria-label={`Remove ${shownName(who)}`}
                    onClick={() => remove(who)}
                  >
                    <Glyph name="remove" />
                    Remove
                  </button>
                ),
              },
            ]
          : []),
      ]}
    />
  )
}

const isOn = (streams: readonly StreamKind[], kind: Kind): boolean => streams.includes(kind)

function Switch({
  kind,
  who,
  onClick,
}: {
  kind: Kind
  who: LiveParticipant
  onClick: ((who: LiveParticipant, kind: Kind) => void) | undefined
}) {
  const { icon, iconOff, title } = SWITCHES[kind]
  const on = isOn(who.streams, kind)
  const does = (name: string): string => {
    const state = `${title} of ${name} is ${on ? 'on' : 'off'}`
    return onClick ? `${state}: ${on ? 'switch it off' : 'ask to switch it on'}` : state
  }
  const name = shownName(who)
  if (!onClick)
    return (
      <span
        className={on ? 'switch on' : 'switch'}
        role="img"
        aria-label={does(name)}
        title={does(isolated(name))}
      >
        {on ? icon : iconOff}
      </span>
    )
  return (
    <button
      className={on ? 'switch on' : 'switch'}
      aria-label={does(name)}
      title={does(isolated(name))}
      onClick={() => onClick(who, kind)}
    >
      {on ? icon : iconOff}
    </button>
  )
}

/** A score from 1 to 4.5, as a bar and a number. */
function Meter({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined) return <span className="quiet">–</span>
  const kind = value >= 4 ? 'good' : value >= 3 ? 'fair' : 'poor'
  return (
    <span className="meter">
      <svg width="44" height="6" aria-hidden="true">
        <rect className="meter-ground" width="44" height="6" rx="3" />
        <rect className={`meter-${kind}`} width={44 * Math.min(1, (value - 1) / 3.5)} height="6" rx="3" />
      </svg>
      {formatNumber(value)}
    </span>
  )
}
