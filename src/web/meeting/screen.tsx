import { useCallback, useEffect, useMemo, useState } from 'react'
import type { Meeting } from '../../client/client.ts'
import { ActivitiesPanel } from './activities/activities-panel.tsx'
import { PollToast } from './activities/poll-toast.tsx'
import { Bar } from './bar.tsx'
import { isWanted, type PanelName } from './bar-model.ts'
import type { Moves } from './breakouts/moves.ts'
import { RoomToasts } from './breakouts/room-signs.tsx'
import { Captions } from './captions.tsx'
import { ChatPanel } from './chat-panel.tsx'
import { Dialogs } from './dialogs/dialogs.tsx'
import { FloatingWindow } from './floating-window.tsx'
import { MeetingHeader } from './header.tsx'
import { Knock } from './knock.tsx'
import { createModel, follow, ModelContext, type OpenDialog } from './model.ts'
import { Notices, Reactions } from './notices.tsx'
import { PeoplePanel } from './people-panel.tsx'
import { PushToTalk } from './push-to-talk.ts'
import type { Shortcut } from './shortcuts.ts'
import { Sounds } from './sounds.tsx'
import { Stage } from './stage.tsx'
import './meeting.css'
import './chat.css'
import './stage.css'
import { useShortcuts } from './use-shortcuts.ts'

/**
 * The meeting itself. Each part listens to what it shows; the screen as a whole redraws only for a dialog or a panel.
 */
export function MeetingScreen({ meeting, token, moves }: { meeting: Meeting; token: string; moves: Moves }) {
  const [dialog, setDialog] = useState<OpenDialog>()
  const [panel, setPanel] = useState<PanelName>()
  const [floating, setFloating] = useState<Window>()
  const closeFloating = useCallback(() => setFloating(undefined), [])
  const model = useMemo(() => createModel(meeting, setDialog, moves), [meeting, moves])
  useEffect(() => follow(model), [model])
  const commands = useMemo<Record<Shortcut, () => void>>(() => {
    const { mic, camera, share, hand } = model.actions
    const toggle = (name: PanelName) => (): void => setPanel((now) => (now === name ? undefined : name))
    const closePanel = (): void => setPanel(undefined)
    return {
      mic,
      camera,
      share,
      hand,
      people: toggle('people'),
      chat: toggle('chat'),
      activities: toggle('activities'),
      layout: () => model.settings.nextLayout(),
      settings: () => setDialog({ name: 'settings' }),
      shortcuts: () => setDialog({ name: 'shortcuts' }),
      closePanel,
    }
  }, [model])
  const talk = useMemo(() => {
    const { devices } = meeting
    const { attempt } = model.actions
    return new PushToTalk({
      isOn: () => isWanted(devices.status('mic')),
      turnOn: () => attempt(() => devices.enableMic()),
      turnOff: () => attempt(() => devices.disableMic()),
    })
  }, [meeting, model])
  useShortcuts(commands, talk)

  return (
    <ModelContext value={model}>
      <div className={`meeting ${panel ? 'with-panel' : ''}`} data-testid="meeting">
        <MeetingHeader />
        <Stage />
        {panel === 'chat' && <ChatPanel onClose={commands.closePanel} />}
        {panel === 'activities' && <ActivitiesPanel onClose={commands.closePanel} />}
        {panel === 'people' && <PeoplePanel onClose={commands.closePanel} />}
        <Bar panel={panel} commands={commands} onFloat={setFloating} />
        <Captions />
        <Reactions />
        <div className="toasts">
          {panel !== 'people' && <Knock />}
          <RoomToasts />
          {panel !== 'activities' && <PollToast onAnswer={commands.activities} />}
        </div>
        <Notices />
        <Sounds />
        {floating && <FloatingWindow window={floating} onClose={closeFloating} />}
        {dialog && <Dialogs dialog={dialog} token={token} onClose={() => setDialog(undefined)} />}
      </div>
    </ModelContext>
  )
}
