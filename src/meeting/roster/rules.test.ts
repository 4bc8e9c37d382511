import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRules, type Rules } from '../../protocol/rules.ts'
import type { StreamKind } from '../../protocol/media.ts'
import { newlyForbidden, refusalToSend, refusalToWrite, type SwitchableKind } from './rules.ts'

const rules = (changed: Partial<Rules>): Rules => ({ ...openRules, ...changed })
const guest = { canAdmit: false, canModerate: false }
const host = { canAdmit: true, canModerate: true }
const asked = (...kinds: SwitchableKind[]): Set<SwitchableKind> => new Set(kinds)

test('who may send what', () => {
  const table: [Partial<Rules>, typeof guest, Set<SwitchableKind>, StreamKind, boolean][] = [
    [{ mic: false }, guest, asked(), 'audio', false],
    [{ mic: false }, host, asked(), 'audio', true],
    [{ mic: false }, guest, asked('audio'), 'audio', true],
    [{ mic: false }, guest, asked('video'), 'audio', false],
    [{ mic: false }, guest, asked(), 'video', true],
    [{ mic: false }, guest, asked(), 'shareAudio', true],
    [{ camera: false }, guest, asked(), 'video', false],
    [{ camera: false }, guest, asked(), 'share', true],
    [{ share: false }, guest, asked(), 'share', false],
    [{ share: false }, guest, asked(), 'shareAudio', false],
    [{ share: false }, guest, asked('share'), 'shareAudio', true],
    [{ share: false }, guest, asked(), 'audio', true],
    [{ locked: true, chat: false }, guest, asked(), 'audio', true],
  ]
  for (const [changed, authority, askedFor, kind, may] of table) {
    const refusal = refusalToSend(rules(changed), { authority, askedFor }, kind)
    const row = JSON.stringify([changed, authority, [...askedFor], kind])
    assert.equal(refusal?.code, may ? undefined : 'INVALID_PERMISSIONS', row)
  }
})

test('who may write where', () => {
  assert.equal(refusalToWrite(openRules, false, 'CHAT'), undefined)
  assert.equal(refusalToWrite(rules({ chat: false }), true, 'CHAT'), undefined)
  assert.equal(refusalToWrite(rules({ chat: false }), false, 'CHAT')?.code, 'INVALID_PERMISSIONS')
  assert.equal(refusalToWrite(rules({ chat: false }), false, 'RAISE_HAND'), undefined)
})

test('what a change of rules takes away', () => {
  assert.deepEqual(newlyForbidden(openRules, rules({ mic: false, share: false })), ['audio', 'share'])
  assert.deepEqual(newlyForbidden(rules({ mic: false }), rules({ mic: false, locked: true })), [])
  assert.deepEqual(newlyForbidden(rules({ camera: false }), openRules), [])
})
