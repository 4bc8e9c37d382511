import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterEnd, pluggedIn, type Listed } from './device-watch.ts'

const mic = (deviceId: string): Listed => ({ kind: 'audioinput', deviceId, label: deviceId })
const camera = (deviceId: string): Listed => ({ kind: 'videoinput', deviceId, label: deviceId })

test('a device that was not there is new, once, and only where the browser had named the others', () => {
  const cases: [what: string, before: Listed[], now: Listed[], fresh: string[]][] = [
    ['a second microphone', [mic('a')], [mic('a'), mic('b')], ['b']],
    ['the first camera', [mic('a')], [mic('a'), camera('c')], ['c']],
    ['an alias of the default', [mic('a')], [mic('default'), mic('communications'), mic('a')], []],
    ['names come with the permission', [mic(''), camera('')], [mic('a'), camera('c')], []],
    ['a device without a name', [mic('a')], [mic('a'), camera('')], []],
    ['one that went', [mic('a'), mic('b')], [mic('a')], []],
    ['the same id of another kind', [mic('a')], [mic('a'), camera('a')], ['a']],
  ]
  for (const [what, before, now, fresh] of cases)
    assert.deepEqual(
      pluggedIn(before, now).map(({ deviceId }) => deviceId),
      fresh,
      what,
    )
})

test('an unplugged device is replaced where there is another; one that is still there is not', () => {
  const cases: [what: string, endedId: string | undefined, now: Listed[], next: string][] = [
    ['still there', 'a', [mic('a'), mic('b')], 'nothing'],
    ['gone, another is there', 'a', [mic('b')], 'replace'],
    ['gone, a camera is no microphone', 'a', [camera('c')], 'none'],
    ['gone, nothing is there', 'a', [], 'none'],
    ['the default one', 'default', [mic('default'), mic('b')], 'replace'],
    ['only an alias is left', 'a', [mic('communications')], 'none'],
    ['a track of no device', undefined, [mic('b')], 'nothing'],
  ]
  for (const [what, endedId, now, next] of cases)
    assert.equal(afterEnd('audioinput', endedId, now), next, what)
})
