/** The tools of the whiteboard. */
import type { ReactNode } from 'react'
import type { Style, Tool } from './gestures.ts'
import { Drawing } from '../parts/icon.tsx'
import { text } from './texts.ts'

const tools: { tool: Tool; key: string; path: string }[] = [
  { tool: 'select', key: 'v', path: 'M6 3l12 8-5.5 1.2L9.5 18z' },
  {
    tool: 'hand',
    key: 'h',
    path: 'M12 3v18M3 12h18M12 3l-2.5 2.5M12 3l2.5 2.5M12 21l-2.5-2.5M12 21l2.5-2.5M3 12l2.5-2.5M3 12l2.5 2.5M21 12l-2.5-2.5M21 12l-2.5 2.5',
  },
  { tool: 'pen', key: 'p', path: 'M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19z' },
  { tool: 'line', key: 'l', path: 'M5 19 19 5' },
  { tool: 'arrow', key: 'a', path: 'M5 19 19 5M11 5h8v8' },
  { tool: 'rectangle', key: 'r', path: 'M4 6h16v12H4z' },
  { tool: 'ellipse', key: 'o', path: 'M3 12a9 6.5 0 1 0 18 0 9 6.5 0 1 0-18 0z' },
  { tool: 'text', key: 't', path: 'M5 6.5V5h14v1.5M12 5v14M9.5 19h5' },
  { tool: 'eraser', key: 'e', path: 'M8 20 3.5 15.5 14 5l6 6-9 9zM8.5 10.5l6 6M8 20h12' },
]
export const toolOfKey = (key: string): Tool | undefined =>
  tools.find((one) => one.key === key.toLowerCase())?.tool

const colors = [
  ['#1b2426', 'black'],
  ['#d32f2f', 'red'],
  ['#1769c7', 'blue'],
  ['#1e8449', 'green'],
  ['#e08600', 'orange'],
  ['#8e44ad', 'purple'],
] as const
const widths = [
  [2, 'thin'],
  [4, 'medium'],
  [9, 'thick'],
] as const

/** The zoom factor of one click. */
export const ZOOM = 1.25

export const FIRST_STYLE: Style = { color: colors[0][0], width: widths[1][0] }

export function ToolBar(props: {
  tool: Tool
  style: Style
  onTool: (tool: Tool) => void
  onStyle: (style: Style) => void
}) {
  const { tool, style, onTool, onStyle } = props
  return (
    <div className="board-tools" role="toolbar" aria-label={text('board.tools')}>
      {tools.map((one) => (
        <Choice
          key={one.tool}
          label={`${text(`board.tool.${one.tool}`)} (${one.key.toUpperCase()})`}
          isOn={tool === one.tool}
          onClick={() => onTool(one.tool)}
        >
          <Drawing path={one.path} />
        </Choice>
      ))}
      <span className="board-gap" />
      {colors.map(([color, name]) => (
        <Choice
          key={color}
          label={text(`board.color.${name}`)}
          isOn={style.color === color}
          onClick={() => onStyle({ ...style, color })}
        >
          <span className="swatch" style={{ background: color }} />
        </Choice>
      ))}
      <span className="board-gap" />
      {widths.map(([width, name]) => (
        <Choice
          key={width}
          label={text(`board.width.${name}`)}
          isOn={style.width === width}
          onClick={() => onStyle({ ...style, width })}
        >
          <span className="dot" style={{ width: width + 4, height: width + 4 }} />
        </Choice>
      ))}
    </div>
  )
}

export function ActBar(props: {
  canUndo: boolean
  canRedo: boolean
  isEmpty: boolean
  scale: number
  onUndo: () => void
  onRedo: () => void
  onClear: () => void
  onSave: () => void
  onZoom: (factor: number | undefined) => void
}) {
  const { canUndo, canRedo, isEmpty, scale, onUndo, onRedo, onClear, onSave, onZoom } = props
  return (
    <div className="board-acts" role="toolbar" aria-label={text('board.board')}>
      <Act label={`${text('board.undo')} (Ctrl+Z)`} isOff={!canUndo} onClick={onUndo}>
        <Drawing path="M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11H9" />
      </Act>
      <Act label={`${text('board.redo')} (Ctrl+Shift+Z)`} isOff={!canRedo} onClick={onRedo}>
        <Drawing path="M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h5" />
      </Act>
      <Act label={text('board.clear')} isOff={isEmpty} onClick={onClear}>
        <Drawing path="M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5" />
      </Act>
      <span className="board-gap" />
      <Act label={`${text('board.zoomOut')} (-)`} onClick={() => onZoom(1 / ZOOM)}>
        <Drawing path="M6 12h12" />
      </Act>
      <Act label={`${text('board.fullSize')} (0)`} onClick={() => onZoom(undefined)}>
        {Math.round(scale * 100)} %
      </Act>
      <Act label={`${text('board.zoomIn')} (+)`} onClick={() => onZoom(ZOOM)}>
        <Drawing path="M6 12h12M12 6v12" />
      </Act>
      <span className="board-gap" />
      <Act label={text('board.save')} isOff={isEmpty} onClick={onSave}>
        <Drawing path="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14" />
        <span className="board-word">PNG</span>
      </Act>
    </div>
  )
}

function Choice(props: { label: string; isOn: boolean; onClick: () => void; children: ReactNode }) {
  const { label, isOn, onClick, children } = props
  return (
    <button type="button" aria-label={label} title={label} aria-pressed={isOn} onClick={onClick}>
      {children}
    </button>
  )
}

function Act(props: { label: string; isOff?: boolean; onClick: () => void; children: ReactNode }) {
  const { label, isOff = false, onClick, children } = props
  return (
    <button type="button" aria-label={label} title={label} disabled={isOff} onClick={onClick}>
      {children}
    </button>
  )
}
