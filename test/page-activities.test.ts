/** What people do together on the page beside talking: polls, and files in the chat. */
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

/** A picture of two by two pixels. */
const RED = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
  'base64',
)
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

test('a timer: started by a host, seen by everybody, paused, and its end heard', async () => {
  const ann = await Person.at(browser, 'Ann')
  await ann.start(server.url)
  const link = await ann.invite('ask')
  const bob = await Person.at(browser, 'Bob', { viewport: { width: 390, height: 844 } })
  await bob.context.addInitScript(() => {
    AudioContext.prototype.createOscillator = function () {
      document.documentElement.dataset.notes = `${Number(document.documentElement.dataset.notes ?? 0) + 1}`
      return new OscillatorNode(this)
    }
  })
  await bob.open(link)
  await ann.page.getByTestId('allow').click()
  await bob.inside()
  await bob.page.getByTestId('bar-view').click()
  await bob.page.getByTestId('open-activities').click()
  await bob.page.getByTestId('activities').waitFor()
  assert.equal(await bob.page.getByTestId('timer').count(), 0, 'who does not host starts none')

  await ann.page.keyboard.press('a')
  const minutes = ann.page.getByTestId('timer-minutes')
  await minutes.fill('none')
  await ann.page.getByText('Enter up to 1,440 minutes.').waitFor()
  assert.equal(await ann.page.getByTestId('timer-start').isDisabled(), true)
  await looksRight(ann, 'a wrong time')
  await ann.page.getByRole('button', { name: '10 min', exact: true }).click()
  await ann.page.getByTestId('timer-start').click()
  await bob.page.getByTestId('timer-sign').getByText('9:5').waitFor()
  await bob.page.getByTestId('timer').waitFor()
  assert.equal(await bob.page.getByTestId('timer-pause').count(), 0)
  await ann.page.getByTestId('timer-pause').click()
  await bob.page.getByTestId('timer-sign').getByText('paused').waitFor()
  const standing = await bob.page.getByTestId('timer-sign').innerText()
  await looksRight(ann, 'a paused timer')
  await looksRight(bob, 'a timer of others')
  await ann.page.getByTestId('timer-pause').click()
  await bob.page.getByTestId('timer-sign').getByText('paused').waitFor({ state: 'detached' })
  await bob.page.waitForFunction(
    (before) => !before.startsWith(document.querySelector('[data-testid="timer-sign"]')!.textContent),
    standing,
  )

  // A second timer takes the place of the first.
  await ann.page.getByTestId('timer-stop').click()
  await bob.page.getByTestId('timer-sign').waitFor({ state: 'detached' })
  const notes = async (): Promise<number> =>
    Number(await bob.page.evaluate(() => document.documentElement.dataset.notes ?? 0))
  const heard = await notes()
  await minutes.fill('0,05')
  await ann.page.getByTestId('timer-start').click()
  await bob.page.getByRole('status').getByText('Time is up.').waitFor()
  await bob.page.getByTestId('timer-sign').getByText('0:00').waitFor()
  assert.ok((await notes()) > heard, 'the end makes a sound')
  await ann.page.getByTestId('timer-stop').click()
  await bob.page.getByTestId('timer-sign').waitFor({ state: 'detached' })
  for (const person of [ann, bob]) {
    assert.deepEqual(person.errors, [])
    await person.close()
  }
})

test('files in the chat: pictures are shown, other files are saved, nothing of them runs, and large ones stay out', async () => {
  const ann = await Person.at(browser, 'Ann')
  await ann.start(server.url)
  const link = await ann.invite('direct')
  const bob = await Person.at(browser, 'Bob', { viewport: { width: 390, height: 844 } })
  await bob.open(link)
  await bob.inside()
  await ann.page.getByTestId('bar-chat').click()
  await bob.page.getByTestId('bar-chat').click()

  const html = '<!doctype html><script>document.title = "ran"</script>'
  await ann.page.getByTestId('attach').setInputFiles([
    { name: 'red.png', mimeType: 'image/png', buffer: RED },
    { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from(html) },
    { name: 'drawing.png', mimeType: 'image/png', buffer: Buffer.from('<svg onload="alert(1)"/>') },
    { name: 'huge.bin', mimeType: 'image/png', buffer: Buffer.alloc(6_000_000) },
  ])
  await ann.page.getByText('\u2068huge.bin\u2069 is too large.').waitFor()
  assert.equal(await ann.page.getByTestId('attached').getByRole('listitem').count(), 3)
  await looksRight(ann, 'attached files')
  await ann.page.getByTestId('chat-text').fill('Look at these')
  await ann.page.getByTestId('chat-send').click()
  const log = bob.page.getByRole('log')
  await log.getByText('Look at these').waitFor()
  await bob.page.getByTestId('file').nth(2).waitFor()
  const picture = bob.page.getByTestId('picture')
  await picture.waitFor()
  const width = (): Promise<number> => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)
  await picture.evaluate((image: HTMLImageElement) => image.decode())
  assert.equal(await width(), 2)
  assert.equal(await picture.count(), 1, 'what only has the name of a picture is not shown')
  const saving = bob.page.waitForEvent('download')
  await bob.page.getByRole('button', { name: 'Save page.html' }).click()
  const saved = await saving
  assert.equal(saved.suggestedFilename(), 'page.html')
  assert.equal(await readFile(await saved.path(), 'utf8'), html)
  assert.notEqual(await bob.page.title(), 'ran')
  await looksRight(bob, 'files in the chat')

  // Pasted, and dropped.
  for (const [event, field] of [
    ['paste', 'clipboardData'],
    ['drop', 'dataTransfer'],
  ] as const)
    await bob.page.getByTestId('chat-text').evaluate(
      (input, { type, name, bytes }) => {
        const data = new DataTransfer()
        data.items.add(new File([new Uint8Array(bytes)], `${type}.png`, { type: 'image/png' }))
        const made = new Event(type, { bubbles: true, cancelable: true })
        Object.defineProperty(made, name, { value: data })
        input.dispatchEvent(made)
      },
      { type: event, name: field, bytes: [...RED] },
    )
  await bob.page.getByTestId('attached').getByText('drop.png').waitFor()
  await bob.page.getByRole('button', { name: 'Remove paste.png' }).click()
  await bob.page.getByTestId('chat-send').click()
  await ann.page.getByRole('button', { name: 'Save drop.png' }).waitFor()
  assert.equal(await ann.page.getByRole('button', { name: 'Save paste.png' }).count(), 0)

  // Who comes later has them; who is outside has not.
  const [entry] = await ann.page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => name)
      .filter((name) => name.includes('/files/')),
  )
  assert.equal((await fetch(entry!)).status, 401)
  const carl = await Person.at(browser, 'Carl')
  await carl.open(link)
  await carl.inside()
  await carl.page.getByTestId('bar-chat').click()
  await carl.page.getByTestId('picture').first().waitFor()
  for (const person of [ann, bob, carl]) {
    assert.deepEqual(person.errors, [])
    await person.close()
  }
})
