import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDue, titleUntilSeen } from './attention.ts'

test('many who ask at once make one chime', () => {
  assert.equal(isDue(undefined, 0), true)
  assert.equal(isDue(1000, 3999), false)
  assert.equal(isDue(1000, 4000), true)
})

test('the title of the tab is its own again when somebody looks, however often they were called', () => {
  const page = Object.assign(new EventTarget(), { title: 'Anteroom', hidden: true })
  const isSeen = (): void => {
    page.hidden = false
    page.dispatchEvent(new Event('visibilitychange'))
    page.hidden = true
  }
  titleUntilSeen('Ann asks to join', page)
  page.dispatchEvent(new Event('visibilitychange'))
  titleUntilSeen('Bob asks to join', page)
  assert.equal(page.title, 'Bob asks to join')
  isSeen()
  assert.equal(page.title, 'Anteroom')
  titleUntilSeen('Eve asks to join', page)
  isSeen()
  assert.equal(page.title, 'Anteroom')
})
