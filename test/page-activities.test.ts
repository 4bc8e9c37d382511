/** What people do together on the page beside talking: polls. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { complaints, overflow } from './support/accessibility.ts'
import { launchBrowser, Person } from './support/browser.ts'
import { RealServer } from './support/real-server.ts'

let browser: Browser
let server: RealServer
before(async () => {
  browser = await launchBrowser()
  server = await RealServer.start()
})
after(async () => {
  await browser.close()
  await server.stop()
})

const themes = ['light', 'dark'] as const

async function looksRight(person: Person, what: string): Promise<void> {
  for (const colorScheme of themes) {
    await person.page.emulateMedia({ colorScheme })
    assert.deepEqual(await complaints(person.page), [], `${what}, ${colorScheme}`)
    assert.ok((await overflow(person.page)) <= 0, `${what} is too wide`)
  }
}

test('polls: asked, answered on a phone, changed, ended, told to latecomers, and in the file of the chat', async () => {
  const ann = await Person.at(browser, 'Ann')
  await ann.start(server.url)
  const link = await ann.invite('direct')
  const bob = await Person.at(browser, 'Bob', { viewport: { width: 390, height: 844 } })
  await bob.open(link)
  await bob.inside()

  await ann.page.keyboard.press('a')
  await ann.page.getByTestId('new-poll').click()
  const ask = ann.page.getByTestId('ask-poll')
  await ann.page.getByTestId('poll-question').fill('Tea or <b>coffee</b>?')
  await ann.page.getByTestId('poll-option').nth(0).fill('Tea')
  assert.equal(await ask.isDisabled(), true)
  await ann.page.getByTestId('poll-option').nth(1).fill('Coffee')
  await ann.page.getByTestId('add-option').click()
  await ann.page.getByTestId('poll-option').nth(2).fill('Neither')
  await looksRight(ann, 'the form of a poll')
  await ask.click()

  // Whoever has not voted sees no results. The vote follows from the question that appears.
  await bob.page.getByTestId('poll-toast').getByText('Tea or <b>coffee</b>?').waitFor()
  await looksRight(bob, 'a question that appears')
  await bob.page.getByTestId('answer-poll').click()
  const bobs = bob.page.getByTestId('poll')
  await bobs.waitFor()
  assert.equal(await bob.page.getByTestId('standing').count(), 0)
  assert.equal(await bob.page.getByTestId('end-poll').count(), 0)
  await bobs.getByLabel('Coffee').check()
  await bobs.getByTestId('vote').click()
  await bobs.getByText('1 (100%) · your choice').waitFor()
  const anns = ann.page.getByTestId('poll')
  await anns.getByText('1 person has voted').waitFor()
  await anns.locator('.names').getByText('Bob').waitFor()

  await bobs.getByLabel('Tea').check()
  await bobs.getByRole('button', { name: 'Change my vote' }).click()
  await anns.getByLabel('Neither').check()
  await anns.getByTestId('vote').click()
  await bobs.getByText('2 people have voted').waitFor()
  assert.deepEqual(await bob.page.getByTestId('standing').allInnerTexts(), [
    '1 (50%) · your choice',
    '0 (0%)',
    '1 (50%)',
  ])
  await looksRight(bob, 'a poll')
  await looksRight(ann, 'a poll of a moderator')

  // Who comes later, or comes back, has it too.
  const carl = await Person.at(browser, 'Carl')
  await carl.open(link)
  await carl.inside()
  await carl.page.getByRole('button', { name: 'Activities, 1 question to answer' }).click()
  await carl.page.getByTestId('poll').waitFor()
  await bob.page.reload()
  await bob.preJoin()
  await bob.inside()
  await bob.page.getByTestId('bar-view').click()
  await bob.page.getByTestId('open-activities').click()
  await bobs.getByText('2 people have voted').waitFor()

  await ann.page.getByTestId('end-poll').click()
  await bobs.getByText('2 people have voted · ended').waitFor()
  assert.equal(await bobs.getByRole('radio').count(), 0)
  await carl.page.getByText('1 (50%)').first().waitFor()
  await looksRight(bob, 'a poll that has ended')

  await ann.page.getByTestId('bar-chat').click()
  const saving = ann.page.waitForEvent('download')
  await ann.page.getByRole('button', { name: 'Save as text' }).click()
  const saved = await readFile(await (await saving).path(), 'utf8')
  assert.match(
    saved,
    /Z Ann: Tea or <b>coffee<\/b>\?\n {4}1 Tea \(Bob\)\n {4}0 Coffee\n {4}1 Neither \(Ann\)\n/,
  )
  for (const person of [ann, bob, carl]) {
    assert.deepEqual(person.errors, [])
    await person.close()
  }
})
