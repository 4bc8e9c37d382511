import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holdsToTalk, shortcutOf, type Press } from './shortcuts.ts'

const plain: Press = {
  key: 'm',
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  repeat: false,
  tagName: 'BODY',
  dialogOpen: false,
}

test('a single key does what its button does', () => {
  for (const [key, shortcut] of [
    ['m', 'mic'],
    ['M', 'mic'],
    ['v', 'camera'],
    ['s', 'share'],
    ['h', 'hand'],
    ['p', 'people'],
    ['c', 'chat'],
    ['a', 'activities'],
    ['l', 'layout'],
    [',', 'settings'],
    ['?', 'shortcuts'],
    ['Escape', 'closePanel'],
    ['x', undefined],
    ['constructor', undefined],
  ] as const)
    assert.equal(shortcutOf({ ...plain, key }), shortcut, key)
})

test('a key that belongs to the browser, a field or a dialog does nothing', () => {
  for (const other of [
    { ctrlKey: true },
    { metaKey: true },
    { altKey: true },
    { repeat: true },
    { dialogOpen: true },
    { tagName: 'INPUT' },
    { tagName: 'select' },
    { tagName: 'TEXTAREA' },
  ])
    assert.equal(shortcutOf({ ...plain, ...other }), undefined, JSON.stringify(other))
})

test('Space is held to talk, except where it presses a button or writes', () => {
  const space = { ...plain, key: ' ' }
  assert.equal(holdsToTalk(space), true)
  assert.equal(holdsToTalk({ ...space, repeat: true }), true)
  for (const other of [
    { key: 'x' },
    { ctrlKey: true },
    { dialogOpen: true },
    { tagName: 'button' },
    { tagName: 'A' },
    { tagName: 'TEXTAREA' },
  ])
    assert.equal(holdsToTalk({ ...space, ...other }), false, JSON.stringify(other))
})
