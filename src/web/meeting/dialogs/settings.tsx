import { useState } from 'react'
import { mayNotify } from '../../attention.ts'
import { BrandLinks } from '../../parts/brand.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { LanguageChoice } from '../../parts/language-choice.tsx'
import { NotifyChoice } from '../../parts/notify-choice.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { text, useLanguage } from '../../texts/texts.ts'
import { chooseTheme, keptTheme, themes } from '../../theme.ts'
import { useModel } from '../model.ts'
import { QualityFigures } from '../quality-sign.tsx'
import { ViewChoices } from '../view-menu.tsx'
import { useView } from '../use-view.ts'
import { captionSizes, spokenLanguages } from '../view-settings.ts'
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
      <BrandLinks />
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
      <CaptionChoices />
    </>
  )
}

/** How large captions are, and for those who start them, what is spoken. */
function CaptionChoices() {
  const { meeting, settings } = useModel()
  const { captionSize, spoken } = useView(settings)
  const names = new Intl.DisplayNames([useLanguage()], { type: 'language' })
  const languages = spokenLanguages
    .map((tag) => ({ tag, name: names.of(tag) ?? tag }))
    .sort((one, other) => one.name.localeCompare(other.name))
  return (
    <>
      <fieldset>
        <legend>{text('captions')}</legend>
        {captionSizes.map((size) => (
          <label key={size}>
            <input
              type="radio"
              name="caption-size"
              checked={size === captionSize}
              onChange={() => settings.change({ captionSize: size })}
            />
            {text(`captions.size.${size}`)}
          </label>
        ))}
      </fieldset>
      {meeting.self.canModerate && (
        <div>
          <label htmlFor="spoken">{text('captions.spoken')}</label>
          <select
            id="spoken"
            value={spoken}
            onChange={({ target }) => settings.change({ spoken: target.value })}
          >
            <option value="">{text('captions.spoken.any')}</option>
            {languages.map(({ tag, name }) => (
              <option key={tag} value={tag}>
                {name}
              </option>
            ))}
          </select>
        </div>
      )}
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
