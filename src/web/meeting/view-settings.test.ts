import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cornerBeside, nearestCorner, ViewSettings } from './view-settings.ts'

class Memory {
  text: string | null
  constructor(text: string | null = null) {
    this.text = text
  }
  getItem = () => this.text
  setItem = (_key: string, text: string): void => {
    this.text = text
  }
}

test('the layout, the own picture and its corner are remembered, pins and the chosen share are not', () => {
  const memory = new Memory()
  const settings = new ViewSettings(memory)
  let told = 0
  settings.subscribe(() => told++)
  settings.change({ layout: 'speaker', selfView: 'floating', corner: 'top-left', share: 'share of ann' })
  settings.togglePin('ann')
  settings.change({ captionSize: 'largest', spoken: 'ja', mutedHint: false })
  assert.equal(told, 3)
  assert.deepEqual(new ViewSettings(memory).get(), {
    layout: 'speaker',
    selfView: 'floating',
    corner: 'top-left',
    pinned: [],
    share: undefined,
    captionSize: 'largest',
    spoken: 'ja',
    mutedHint: false,
  })
})

test('what is stored wrongly, or cannot be stored, leaves the defaults', () => {
  for (const text of [
    '{',
    '[]',
    'null',
    '{"layout":"circus","selfView":7,"corner":null,"captionSize":"huge","spoken":"tlh","mutedHint":"no"}',
  ])
    assert.deepEqual(new ViewSettings(new Memory(text)).get(), new ViewSettings().get(), text)
  const full = { getItem: () => null, setItem: () => assert.fail('the storage is full') }
  const settings = new ViewSettings(full)
  settings.change({ layout: 'sidebar' })
  assert.equal(settings.get().layout, 'sidebar')
})

test('the next layout follows the last, and then the first again', () => {
  const settings = new ViewSettings()
  const seen = [1, 2, 3].map(() => {
    settings.nextLayout()
    return settings.get().layout
  })
  assert.deepEqual(seen, ['speaker', 'sidebar', 'grid'])
})

test('a second pin of the same participant undoes the first', () => {
  const settings = new ViewSettings()
  settings.togglePin('ann')
  settings.togglePin('bob')
  assert.deepEqual(settings.get().pinned, ['ann', 'bob'])
  settings.togglePin('ann')
  assert.deepEqual([settings.isPinned('ann'), settings.isPinned('bob')], [false, true])
})

test('the floating picture goes to the nearest corner, or where an arrow points', () => {
  assert.equal(nearestCorner(10, 10, 100, 100), 'top-left')
  assert.equal(nearestCorner(90, 10, 100, 100), 'top-right')
  assert.equal(nearestCorner(10, 90, 100, 100), 'bottom-left')
  assert.equal(nearestCorner(50, 50, 100, 100), 'bottom-right')
  assert.equal(cornerBeside('top-left', 'ArrowRight'), 'top-right')
  assert.equal(cornerBeside('top-left', 'ArrowUp'), 'top-left')
  assert.equal(cornerBeside('top-right', 'ArrowDown'), 'bottom-right')
  assert.equal(cornerBeside('bottom-right', 'Enter'), 'bottom-right')
})
