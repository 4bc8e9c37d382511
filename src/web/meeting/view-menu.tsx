import { memo } from 'react'
import { Icon } from '../parts/icon.tsx'
import { Popover } from '../parts/popover.tsx'
import { useModel } from './model.ts'
import { canFloat, openFloating } from './picture-in-picture.ts'
import { useView } from './use-view.ts'
import { layouts, selfViews } from './view-settings.ts'
import { text } from '../texts/texts.ts'

/** The menu of our own view settings. */
/** On narrow screens, the button of the activities is here. */
export const ViewMenu = memo(function ViewMenu({
  onFloat,
  onActivities,
}: {
  onFloat: (window: Window) => void
  onActivities: () => void
}) {
  const { notice, openDialog } = useModel()
  return (
    <Popover
      className="reaction-holder"
      button={{
        className: 'round',
        'aria-label': text('view'),
        title: text('view'),
        'data-testid': 'bar-view',
        children: <Icon name="layout" />,
      }}
      role="group"
      label={text('view')}
      boxClass="view-menu"
    >
      {(close) => (
        <>
          <button
            className="narrow-only"
            onClick={() => {
              close()
              onActivities()
            }}
            data-testid="open-activities"
          >
            {text('activities')}
          </button>
          <ViewChoices />
          <button
            onClick={() => {
              close()
              openDialog({ name: 'settings' })
            }}
            data-testid="open-settings"
          >
            {text('settings.title')}
          </button>
          <button
            onClick={() => {
              close()
              openDialog({ name: 'shortcuts' })
            }}
          >
            {text('view.shortcuts')}
          </button>
          {document.fullscreenEnabled && (
            <button
              onClick={() => {
                close()
                void toggleFullScreen()
              }}
            >
              {text(document.fullscreenElement ? 'fullScreen.leave' : 'fullScreen')}
            </button>
          )}
          {canFloat() && (
            <button
              onClick={() => {
                close()
                openFloating().then(onFloat, () => notice.show(text('view.noFloat')))
              }}
            >
              {text('view.float')}
            </button>
          )}
        </>
      )}
    </Popover>
  )
})

/** The layout, and the place of our own picture. */
export function ViewChoices() {
  const { settings } = useModel()
  const { layout, selfView } = useView(settings)
  return (
    <>
      <Choice
        name={text('view.layout')}
        values={layouts}
        nameOf={(value) => text(`layout.${value}`)}
        chosen={layout}
        onChoose={(value) => settings.change({ layout: value })}
      />
      <Choice
        name={text('view.yourPicture')}
        values={selfViews}
        nameOf={(value) => text(`selfView.${value}`)}
        chosen={selfView}
        onChoose={(value) => settings.change({ selfView: value })}
      />
    </>
  )
}

async function toggleFullScreen(): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen()
    else await document.documentElement.requestFullscreen()
  } catch {
    // The browser refused it; nothing changes.
  }
}

function Choice<T extends string>({
  name,
  values,
  nameOf,
  chosen,
  onChoose,
}: {
  name: string
  values: readonly T[]
  nameOf: (value: T) => string
  chosen: T
  onChoose: (value: T) => void
}) {
  return (
    <fieldset>
      <legend>{name}</legend>
      {values.map((value) => (
        <label key={value}>
          <input type="radio" name={name} checked={value === chosen} onChange={() => onChoose(value)} />
          {nameOf(value)}
        </label>
      ))}
    </fieldset>
  )
}
