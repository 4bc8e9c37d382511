import { useEffect, useMemo, useState } from 'react'
import type { Rules } from '../../../protocol/rules.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { text } from '../../texts/texts.ts'
import { hostView, isHost } from '../host-model.ts'
import { useModel } from '../model.ts'
import { useView } from '../use-view.ts'
import { LetInAlways } from './let-in-always.tsx'

const allowed = ['share', 'chat', 'mic', 'camera'] as const

/** What a moderator does to everybody at once, and what the others may do. */
export function HostDialog({ token, onClose }: { token: string; onClose: () => void }) {
  const { meeting, chat, actions } = useModel()
  const { rules, hands } = useView(useMemo(() => hostView(meeting, chat), [meeting, chat]))
  const { moderation } = meeting
  return (
    <Dialog title={text('host.title')} onClose={onClose}>
      <div className="row wrap">
        <button onClick={() => actions.attempt(() => moderation.disableAll('mic'))} data-testid="mute-all">
          {text('host.muteAll')}
        </button>
        <button onClick={() => actions.attempt(() => moderation.disableAll('camera'))}>
          {text('host.stopCameras')}
        </button>
        <button
          disabled={hands.length === 0}
          onClick={() => actions.attempt(() => moderation.lowerHands(hands))}
          data-testid="lower-hands"
        >
          {text('host.lowerHands')}
        </button>
      </div>
      <Rule rule="locked" isOn={rules.locked} label={text('host.lock')} />
      <fieldset>
        <legend>{text('host.others')}</legend>
        {allowed.map((rule) => (
          <Rule key={rule} rule={rule} isOn={rules[rule]} label={text(`host.${rule}`)} />
        ))}
      </fieldset>
      {isHost(meeting) && <LetInAlways token={token} />}
      <button className="primary" onClick={onClose}>
        {text('done')}
      </button>
    </Dialog>
  )
}

/** Shows what was chosen until the rules follow or the server refuses, then what holds. */
function Rule({ rule, isOn, label }: { rule: keyof Rules; isOn: boolean; label: string }) {
  const { meeting, actions } = useModel()
  const [chosen, setChosen] = useState<boolean>()
  // The answer may come before the change of the rules.
  useEffect(() => setChosen(undefined), [isOn])
  const choose = (value: boolean): void => {
    setChosen(value)
    actions.attempt(async () => {
      try {
        await meeting.moderation.setRules({ [rule]: value })
      } catch (error) {
        setChosen(undefined)
        throw error
      }
    })
  }
  return (
    <label className="radio">
      <input
        type="checkbox"
        checked={chosen ?? isOn}
        onChange={({ target }) => choose(target.checked)}
        data-testid={`rule-${rule}`}
      />
      {label}
    </label>
  )
}
