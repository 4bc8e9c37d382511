import { useState } from 'react'
import { mayNotify } from '../../attention.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { LanguageChoice } from '../../parts/language-choice.tsx'
import { NotifyChoice } from '../../parts/notify-choice.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { text, useLanguage } from '../../texts/texts.ts'
import { chooseTheme, keptTheme, themes } from '../../theme.ts'
import { QualityFigures } from '../quality-sign.tsx'
import { ViewChoices } from '../view-menu.tsx'
import { DeviceSettings } from './device-settings.tsx'
import { ShortcutList } from './shortcuts.tsx'

/** Everything that a person may set for themselves during a meeting. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  useLanguage()
  return (
    <Dialog title={text('settings.title')} onClose={onClose}>
      <Tabs
        label={text('settings.title')}
        tabs={[
          { name: 'devices', title: text('settings.devices'), content: () => <DeviceSettings /> },
          { name: 'view', title: text('settings.view'), content: () => <ViewTab /> },
          { name: 'notifications', title: text('settings.notifications'), content: () => <Notifications /> },
          {
            name: 'connection',
            title: text('settings.connection'),
            content: () => <QualityFigures />,
          },
          { name: 'shortcuts', title: text('settings.shortcuts'), content: () => <ShortcutList /> },
        ]}
      />
      <button className="primary" onClick={onClose}>
        {text('close')}
      </button>
    </Dialog>
  )
}

function ViewTab() {
  const [theme, setTheme] = useState(keptTheme)
  return (
    <>
      <ViewChoices />
      <fieldset>
        <legend>{text('settings.theme')}</legend>
        {themes.map((value) => (
          <label key={value}>
            <input
              type="radio"
              name="theme"
              checked={value === theme}
              onChange={() => {
                chooseTheme(value)
                setTheme(value)
              }}
            />
            {text(`settings.theme.${value}`)}
          </label>
        ))}
      </fieldset>
      <LanguageChoice />
    </>
  )
}

function Notifications() {
  return (
    <>
      <p>{text(`settings.notify.${mayNotify()}`)}</p>
      <NotifyChoice text={text('waiting.notify')} />
    </>
  )
}
