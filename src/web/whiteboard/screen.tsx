/** The whiteboard: everybody at it draws on the same sheet. */
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'react'
import type { PointerEvent, RefObject, WheelEvent } from 'react'
import type { Shape } from '../../protocol/whiteboard.ts'
import { BoardModel } from './board-model.ts'
import { BoardSocket, type BoardState } from './connection.ts'
import { boxOf, fontSizeOf, LINE_HEIGHT } from './geometry.ts'
import { Gestures, pinched, zoomed, type Style, type Tool, type View } from './gestures.ts'
import { paint, PAPER, pictureOf } from './paint.ts'
import { text as textOf, useLanguage } from './texts.ts'
import { ActBar, FIRST_STYLE, ToolBar, toolOfKey, ZOOM } from './toolbar.tsx'

interface Writing {
  x: number
  y: number
  shape: Shape | undefined
}

const newId = (): string => crypto.getRandomValues(new Uint32Array(4)).join('').slice(0, 40)
const SAVED_AS = 'whiteboard.png'
/** How far the arrow keys move the view, in CSS pixels. */
const STEP = 60
const steps: Partial<Record<string, [number, number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
}

export function WhiteboardScreen({ boardKey }: { boardKey: string }) {
  const language = useLanguage()
  useEffect(() => {
    document.title = textOf('board.title')
  }, [language])
  const [version, redraw] = useReducer((count: number) => count + 1, 0)
  const [state, setState] = useState<BoardState>('connecting')
  const [isFull, setIsFull] = useState(false)
  const [tool, setTool] = useState<Tool>('pen')
  const [style, setStyle] = useState(FIRST_STYLE)
  const [view, setView] = useState<View>({ x: 0, y: 0, scale: 1 })
  const [selected, setSelected] = useState<string>()
  const [writing, setWriting] = useState<Writing>()
  const socket = useRef<BoardSocket>(undefined)
  /** The position of each finger on the board, by pointer id. */
  const fingers = useRef(new Map<number, [number, number]>())
  const model = useMemo(() => new BoardModel((message) => socket.current?.send(message), redraw), [])
  const gestures = useMemo(
    () =>
      new Gestures({
        model,
        newId,
        onSelect: setSelected,
        onText: (x, y, shape) => setWriting({ x, y, shape }),
        onPan: (dx, dy) =>
          setView((was) => ({ ...was, x: was.x - dx / was.scale, y: was.y - dy / was.scale })),
      }),
    [model],
  )

  useEffect(() => {
    const opened = new BoardSocket(
      boardKey,
      (message) => {
        if (message.do === 'full') setIsFull(true)
        else if (message.do === 'remove') setIsFull(false)
        model.receive(message)
      },
      setState,
    )
    socket.current = opened
    return () => opened.close()
  }, [boardKey, model])

  const canvas = useCanvas(model.shapes, view, selected, version)
  const isOpen = state === 'open'
  const remove = useCallback(
    (ids: string[]) => {
      model.remove(ids)
      setSelected(undefined)
      setIsFull(false)
    },
    [model],
  )

  useKeys((event) => {
    if (!isOpen || writing) return
    const command = event.ctrlKey || event.metaKey
    const key = event.key.toLowerCase()
    const step = steps[event.key]
    const chosen = toolOfKey(event.key)
    if (command && (key === 'y' || (key === 'z' && event.shiftKey))) model.redo()
    else if (command && key === 'z') model.undo()
    else if (command || event.altKey) return
    else if ((event.key === 'Delete' || event.key === 'Backspace') && selected !== undefined)
      remove([selected])
    else if (step)
      setView((was) => ({ ...was, x: was.x + step[0] / was.scale, y: was.y + step[1] / was.scale }))
    else if (key === '+' || key === '-') zoom(key === '+' ? ZOOM : 1 / ZOOM)
    else if (key === '0') zoom(undefined)
    else if (chosen) setTool(chosen)
    else return
    event.preventDefault()
  })
  /** Zooms about the middle of the screen. */
  const zoom = (factor: number | undefined): void => {
    const { clientWidth = 0, clientHeight = 0 } = canvas.current ?? {}
    setView((was) =>
      factor === undefined
        ? { x: 0, y: 0, scale: 1 }
        : zoomed(was, factor, clientWidth / 2, clientHeight / 2),
    )
  }
  const at = (event: PointerEvent | WheelEvent): [number, number] => {
    const { left, top } = event.currentTarget.getBoundingClientRect()
    return [event.clientX - left, event.clientY - top]
  }
  const onPointerDown = (event: PointerEvent): void => {
    if (!isOpen || event.button > 1) return
    if (event.pointerType === 'touch') {
      fingers.current.set(event.pointerId, at(event))
      if (fingers.current.size > 1) {
        gestures.cancel()
        return
      }
    }
    // Keeps the text that is being written first.
    if (writing) return
    event.currentTarget.setPointerCapture(event.pointerId)
    if (tool === 'text') event.preventDefault()
    setSelected(undefined)
    gestures.down(event.button === 1 ? 'hand' : tool, style, view, ...at(event))
  }
  const onPointerMove = (event: PointerEvent): void => {
    const [one, other, ...more] = fingers.current.keys()
    if (other === undefined) gestures.move(view, ...at(event))
    else if (more.length === 0 && fingers.current.has(event.pointerId)) {
      const both = (): [[number, number], [number, number]] => [
        fingers.current.get(one!)!,
        fingers.current.get(other)!,
      ]
      const before = both()
      fingers.current.set(event.pointerId, at(event))
      const after = both()
      setView((was) => pinched(was, before, after))
    }
  }
  const onPointerUp = (event: PointerEvent): void => {
    fingers.current.delete(event.pointerId)
    gestures.up()
  }
  const onWheel = (event: WheelEvent): void => {
    const { deltaX, deltaY } = event
    if (event.ctrlKey) setView((was) => zoomed(was, Math.exp(-deltaY / 200), ...at(event)))
    else setView((was) => ({ ...was, x: was.x + deltaX / was.scale, y: was.y + deltaY / was.scale }))
  }
  const write = (text: string): void => {
    const { x, y, shape } = writing!
    setWriting(undefined)
    if (text.trim() === '') {
      if (shape) remove([shape.id])
      return
    }
    model.put({ ...style, id: shape?.id ?? newId(), kind: 'text', points: shape?.points ?? [x, y], text })
    setTool('select')
  }

  return (
    <div className="board" role="application" aria-label={textOf('board.label')} tabIndex={-1}>
      <canvas
        ref={canvas}
        style={{ cursor: cursorOf(tool) }}
        tabIndex={0}
        aria-label={textOf('board.drawn', { count: model.shapes.length })}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerUp}
        onWheel={onWheel}
      />
      {writing && <Writer writing={writing} style={style} view={view} onDone={write} />}
      {state !== 'closed' && (
        <>
          <ToolBar tool={tool} style={style} onTool={setTool} onStyle={setStyle} />
          <ActBar
            canUndo={isOpen && model.canUndo}
            canRedo={isOpen && model.canRedo}
            isEmpty={model.shapes.length === 0}
            scale={view.scale}
            onUndo={() => model.undo()}
            onRedo={() => model.redo()}
            onClear={() => remove(model.shapes.map(({ id }) => id))}
            onSave={() => save(model.shapes)}
            onZoom={zoom}
          />
        </>
      )}
      <div role="status">
        {noticeOf(state, isFull) && <p className="board-notice">{noticeOf(state, isFull)}</p>}
      </div>
    </div>
  )
}

/** Listens on the document, because nothing has the focus after a text was written. */
function useKeys(onKey: (event: KeyboardEvent) => void): void {
  useEffect(() => {
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [onKey])
}

function noticeOf(state: BoardState, isFull: boolean): string | undefined {
  if (state === 'closed') return textOf('board.closed')
  if (state === 'connecting') return textOf('board.connecting')
  return isFull ? textOf('board.full') : undefined
}

function cursorOf(tool: Tool): string {
  if (tool === 'hand') return 'grab'
  if (tool === 'text') return 'text'
  return tool === 'select' ? 'default' : 'crosshair'
}

/** Repaints after every change, and when the window is resized. */
function useCanvas(
  shapes: readonly Shape[],
  view: View,
  selected: string | undefined,
  version: number,
): RefObject<HTMLCanvasElement | null> {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState(0)
  useEffect(() => {
    const observer = new ResizeObserver(() => setSize((was) => was + 1))
    observer.observe(canvas.current!)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    const { current } = canvas
    const context = current?.getContext('2d')
    if (!current || !context) return
    const ratio = window.devicePixelRatio
    current.width = Math.round(current.clientWidth * ratio)
    current.height = Math.round(current.clientHeight * ratio)
    context.fillStyle = PAPER
    context.fillRect(0, 0, current.width, current.height)
    const scale = view.scale * ratio
    context.setTransform(scale, 0, 0, scale, -view.x * scale, -view.y * scale)
    paint(context, shapes)
    const shape = shapes.find(({ id }) => id === selected)
    if (!shape) return
    const { left, top, right, bottom } = boxOf(shape)
    const margin = 4 / view.scale
    context.strokeStyle = '#0e6e64'
    context.lineWidth = 1.5 / view.scale
    context.strokeRect(left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin)
    // `version` changes with the board.
  }, [shapes, view, selected, size, version])
  return canvas
}

function Writer(props: { writing: Writing; style: Style; view: View; onDone: (text: string) => void }) {
  const { writing, style, view, onDone } = props
  const { shape } = writing
  const [text, setText] = useState(shape?.text ?? '')
  const [x = 0, y = 0] = shape?.points ?? [writing.x, writing.y]
  const lines = text.split('\n')
  const size = fontSizeOf(style) * view.scale
  return (
    <textarea
      autoFocus
      aria-label={textOf('board.tool.text')}
      maxLength={2000}
      value={text}
      rows={lines.length}
      cols={Math.max(8, ...lines.map((line) => line.length + 2))}
      style={{
        left: (x - view.x) * view.scale,
        top: (y - view.y) * view.scale,
        color: style.color,
        font: `${size}px / ${LINE_HEIGHT} system-ui, sans-serif`,
      }}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => onDone(text)}
      onKeyDown={(event) => {
        if (event.key === 'Escape' || (event.key === 'Enter' && (event.ctrlKey || event.metaKey)))
          event.currentTarget.blur()
      }}
    />
  )
}

function save(shapes: readonly Shape[]): void {
  pictureOf(shapes).toBlob((blob) => {
    if (!blob) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = SAVED_AS
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }, 'image/png')
}
