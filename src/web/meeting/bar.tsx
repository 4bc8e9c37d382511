import { memo, useMemo } from 'react'
import { Icon, type IconName } from '../parts/icon.tsx'
import { Popover } from '../parts/popover.tsx'
import { barOf, barView, type ButtonName, type PanelName } from './bar-model.ts'
import { isHost } from './host-model.ts'
import { useModel } from './model.ts'
import { ViewMenu } from './view-menu.tsx'
import { useView } from './use-view.ts'
import { text, useLanguage } from '../texts/texts.ts'

export const Bar = memo(function Bar({
  panel,
  commands,
  onFloat,
}: {
  panel: PanelName | undefined
  commands: Record<ButtonName, () => void>
  onFloat: (window: Window) => void
}) {
  const { meeting, chat, actions, openDialog } = useModel()
  const facts = useView(useMemo(() => barView(meeting, chat), [meeting, chat]))
  return (
    <nav className="bar" aria-label={text('bar.label')}>
      {barOf(facts, panel).map((button) => (
        <BarButton key={button.name} {...button} onClick={commands[button.name]} />
      ))}
      <ReactionButton onReact={actions.react} handUp={facts.handUp} onHand={commands.hand} />
      <ViewMenu onFloat={onFloat} onActivities={commands.activities} />
      <button
        className="round leave"
        aria-label={text('leave')}
        title={text('leave')}
        data-testid="leave"
        onClick={() => (isHost(meeting) ? openDialog({ name: 'leave' }) : void meeting.leave())}
      >
        <Icon name="leave" />
      </button>
    </nav>
  )
})

const BarButton = memo(function BarButton({
  name,
  icon,
  label,
  hint,
  isOff,
  isActive,
  isBusy,
  count,
  onClick,
}: {
  name: ButtonName
  icon: IconName
  label: string
  hint: string
  isOff: boolean
  isActive: boolean
  isBusy: boolean
  count: number
  onClick: () => void
}) {
  return (
    <button
      className={`round ${isOff ? 'off' : ''} ${isActive ? 'active' : ''}`}
      aria-label={label}
      aria-busy={isBusy}
      title={`${label} (${hint})`}
      onClick={onClick}
      data-testid={`bar-${name}`}
    >
      <Icon name={icon} />
      {count > 0 && <span className="count">{count}</span>}
    </button>
  )
})

const REACTIONS = ['👍', '👏', '❤️', '😂', '😮', '🎉']

/** On narrow screens, the button to raise a hand is among the reactions. */
const ReactionButton = memo(function ReactionButton({
  onReact,
  handUp,
  onHand,
}: {
  onReact: (text: string) => void
  handUp: boolean
  onHand: () => void
}) {
  useLanguage()
  return (
    <Popover
      className="reaction-holder"
      button={{
        className: 'round',
        'aria-label': text('react'),
        title: text('react'),
        'data-testid': 'bar-react',
        children: <Icon name="smile" />,
      }}
      role="group"
      label={text('reactions')}
      boxClass="row"
    >
      {() => (
        <>
          {REACTIONS.map((emoji) => (
            <button key={emoji} aria-label={text('react.with', { emoji })} onClick={() => onReact(emoji)}>
              {emoji}
            </button>
          ))}
          <button
            className="narrow-only"
            aria-label={text(handUp ? 'hand.lower' : 'hand.raise')}
            aria-pressed={handUp}
            onClick={onHand}
          >
            ✋
          </button>
        </>
      )}
    </Popover>
  )
})
