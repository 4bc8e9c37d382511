import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import type { ClientMessage, Shape } from '../../protocol/whiteboard.ts'
import { BoardModel } from './board-model.ts'
import { Gestures, pinched, type Tool } from './gestures.ts'

const nothing = (): undefined => undefined
const style = { color: '#112233', width: 2 }
const view = { x: 0, y: 0, scale: 1 }
const line: Shape = { id: 'line', kind: 'line', points: [0, 0, 10, 0], ...style }
let sent: ClientMessage[]
let model: BoardModel
let gestures: Gestures
beforeEach(() => {
  sent = []
  model = new BoardModel((message) => void sent.push(message), nothing)
  gestures = new Gestures({ model, newId: () => 'new', onSelect: nothing, onText: nothing, onPan: nothing })
  model.receive({ do: 'scene', shapes: [line] })
})

const pointsOf = (id: string): number[] | undefined => model.find(id)?.points

for (const [tool, id, from, to] of [
  ['select', 'line', line.points, [0, 300, 10, 300]],
  ['rectangle', 'new', undefined, [5, 0, 5, 300]],
] as [Tool, string, number[] | undefined, number[]][]) {
  test(`${tool}: a pointer that moves fast is a few messages and one step to undo`, () => {
    gestures.down(tool, style, view, 5, 0)
    for (let y = 1; y <= 300; y += 1) gestures.move(view, 5, y)
    gestures.up()
    assert.ok(sent.length >= 2 && sent.length < 100, `${sent.length} messages`)
    assert.deepEqual(pointsOf(id), to)
    model.undo()
    assert.deepEqual(pointsOf(id), from)
    model.redo()
    assert.deepEqual(pointsOf(id), to)
  })
}

test('select: what somebody else erases meanwhile stays away', () => {
  gestures.down('select', style, view, 5, 0)
  gestures.move(view, 5, 1)
  gestures.move(view, 5, 2)
  model.receive({ do: 'remove', ids: ['line'] })
  gestures.up()
  assert.equal(model.find('line'), undefined)
  assert.equal(model.canUndo, false)
})

for (const [tool, from] of [
  ['pen', []],
  ['ellipse', []],
  ['select', line.points],
] as [Tool, number[]][])
  test(`${tool}: what the first of two fingers did is gone, also for the others`, () => {
    gestures.down(tool, style, view, 5, 0)
    gestures.move(view, 40, 40)
    assert.notDeepEqual(sent, [])
    gestures.cancel()
    gestures.move(view, 80, 80)
    gestures.up()
    assert.deepEqual(model.shapes.length, 1)
    if (tool === 'select') assert.deepEqual(pointsOf('line'), from)
    else assert.deepEqual(sent.at(-1), { do: 'remove', ids: ['new'] })
    assert.equal(model.canUndo, false)
  })

test('two fingers hold the points of the board that are under them', () => {
  const before = { x: 10, y: 20, scale: 2 }
  const fingers = [
    [100, 100],
    [200, 100],
  ] as const
  const moved = [
    [140, 160],
    [340, 160],
  ] as const
  const after = pinched(before, fingers, moved)
  assert.equal(after.scale, 4)
  for (const at of [0, 1] as const) {
    assert.equal(after.x + moved[at][0] / after.scale, before.x + fingers[at][0] / before.scale)
    assert.equal(after.y + moved[at][1] / after.scale, before.y + fingers[at][1] / before.scale)
  }
  assert.deepEqual(pinched(before, fingers, fingers), before)
})
