import { memo } from 'react'
import { Icon } from '../parts/icon.tsx'
import { Popover } from '../parts/popover.tsx'
import { useModel } from './model.ts'
import { canFloat, openFloating } from './picture-in-picture.ts'
import { useView } from './use-view.ts'
import { layouts, selfViews, type Layout, type SelfView } from './view-settings.ts'

const layoutNames: Record<Layout, string> = { grid: 'Grid', speaker: 'Speaker', sidebar: 'Sidebar' }
const selfViewNames: Record<SelfView, string> = { tile: 'Tile', floating: 'Floating', hidden: 'Hidden' }

/** The menu of our own view settings. */
export const ViewMenu = memo(function ViewMenu({ onFloat }: { onFloat: (window: Window) => void }) {
  const { settings, notice, openDialog } = useModel()
  const { layout, selfView } = useView(settings)
  return (
    <Popover
      className="reaction-holder"
      button={{
        className: 'round',
        'aria-label': 'View',
        title: 'View',
        'data-testid': 'bar-view',
        children: <Icon name="layout" />,
      }}
      role="group"
      label="View"
      boxClass="view-menu"
    >
      {(close) => (
        <>
          <Choice
            name="Layout"
            values={layouts}
            names={layoutNames}
            chosen={layout}
            onChoose={(value) => settings.change({ layout: value })}
          />
          <Choice
            name="Your picture"
            values={selfViews}
            names={selfViewNames}
            chosen={selfView}
            onChoose={(value) => settings.change({ selfView: value })}
          />
          <button
            onClick={() => {
              close()
              openDialog({ name: 'shortcuts' })
            }}
          >
            Keyboard shortcuts
          </button>
          {document.fullscreenEnabled && (
            <button
              onClick={() => {
                close()
                void toggleFullScreen()
              }}
            >
              {document.fullscreenElement ? 'Leave full screen' : 'Full screen'}
            </button>
          )}
          {canFloat() && (
            <button
              onClick={() => {
                close()
                openFloating().then(onFloat, () => notice.show('The browser opened no small window.'))
              }}
            >
              Picture in picture
            </button>
          )}
        </>
      )}
    </Popover>
  )
})

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
  names,
  chosen,
  onChoose,
}: {
  name: string
  values: readonly T[]
  names: Record<T, string>
  chosen: T
  onChoose: (value: T) => void
}) {
  return (
    <fieldset>
      <legend>{name}</legend>
      {values.map((value) => (
        <label key={value}>
          <input type="radio" name={name} checked={value === chosen} onChange={() => onChoose(value)} />
          {names[value]}
        </label>
      ))}
    </fieldset>
  )
}
