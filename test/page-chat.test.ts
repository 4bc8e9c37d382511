/** Chat, raised hands and reactions on the page, also with a participant on the published client. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from './support/browser.ts'
import { AppServer, Published } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { signAnything } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

let browser: Browser
let server: RealServer
let app: AppServer
before(async () => {
  browser = await launchBrowser(['--ignore-certificate-errors'])
  server = await RealServer.start()
  app = await AppServer.start()
})
after(async () => {
  await browser.close()
  await server.stop()
  app.stop()
})

async function say(person: Person, text: string, to?: string): Promise<void> {
  if (to !== undefined)
    await person.page.getByTestId('chat-to').selectOption({ label: `\u2068${to}\u2069 only` })
  await person.page.getByTestId('chat-text').fill(text)
  await person.page.getByTestId('chat-send').click()
  await person.page.getByTestId('chat').getByText(text).waitFor()
}

test('chat: unread count, history for latecomers, private messages, links, no markup', async () => {
  const ann = await Person.at(browser, 'Ann')
  const address = await ann.start(server.url)
  const link = await ann.invite('direct')
  const bob = await Person.at(browser, 'Bob')
  await bob.open(link)
  await bob.inside()

  await ann.page.getByTestId('bar-chat').click()
  await say(ann, 'hello https://a.example/x?y=1.')
  await say(ann, '<img src=x onerror=alert(1)>')
  await bob.page.getByRole('button', { name: 'Chat, 2 unread' }).click()
  const log = bob.page.getByRole('log')
  await log.getByText('<img src=x onerror=alert(1)>').waitFor()
  assert.equal(await log.locator('img').count(), 0)
  const anchor = log.getByRole('link')
  assert.equal(await anchor.getAttribute('href'), 'https://a.example/x?y=1')
  assert.match((await anchor.getAttribute('rel'))!, /noopener/)
  await bob.page.getByRole('button', { name: 'Chat', exact: true }).waitFor()

  // On the published client, in the same meeting and the same chat.
  const carl = await Published.at(browser, app)
  await carl.inside(server.secureUrl, {
    token: signAnything({ apikey: 'test-key', permissions: ['allow_join'] }),
    meetingId: address.split('/m/')[1]!,
    participantId: 'carl',
    name: 'Carl',
  })
  await carl.run(`globalThis.chat = []
    await m.pubSub.subscribe('CHAT', {
      onMessageReceived: ({ message }) => chat.push(message),
      onBatchReceived: () => undefined,
      onOldMessagesReceived: (messages) => chat.push(...messages.map(({ message }) => message)),
      onMessageDrop: () => undefined,
    }, {})`)
  await carl.until('chat.length === 2')
  await carl.run(`await m.pubSub.publish('CHAT', 'from the published client', { persist: true })`)
  await log.getByText('from the published client').waitFor()
  await say(ann, 'for Bob alone', 'Bob')
  await log.getByText('for Bob alone').waitFor()

  // Bob answers Carl: the page quotes Carl, and the published client shows the answer alone.
  await log
    .locator('li', { hasText: 'from the published client' })
    .getByRole('button', { name: 'Reply to' })
    .click()
  await bob.page.getByTestId('replying').getByText('from the published client').waitFor()
  await bob.page.getByTestId('chat-text').fill('Is `<b>` this?')
  await bob.page.getByTestId('chat-text').press('Shift+Enter')
  await bob.page.getByTestId('chat-text').pressSequentially('```  <i>a</i>```')
  await bob.page.getByTestId('chat-send').click()
  const answer = ann.page.getByRole('log').locator('li', { hasText: 'this?' })
  assert.equal(await answer.locator('blockquote').innerText(), 'Carl from the published client')
  assert.equal(await answer.locator('.said code').first().innerText(), '<b>')
  assert.equal(await answer.locator('pre').innerText(), '  <i>a</i>')
  await carl.until(`chat.some((text) => text.startsWith('Is \`<b>\` this?'))`)
  assert.equal(await bob.page.getByTestId('replying').count(), 0)

  // A mention is told while the chat is closed.
  await bob.page.getByTestId('bar-chat').click()
  await ann.page.getByTestId('chat-text').fill('hello @b')
  await ann.page.getByTestId('suggested').getByRole('button').click()
  assert.equal(await ann.page.getByTestId('chat-text').inputValue(), 'hello @Bob ')
  await ann.page.getByTestId('chat-text').press('Enter')
  await bob.page.getByText('\u2068Ann\u2069 mentioned you: \u2068hello @Bob\u2069').waitFor()
  await bob.page.getByTestId('bar-chat').click()
  assert.equal(await log.locator('mark').innerText(), '@Bob')
  await bob.page.getByTestId('chat-search').fill('PUBLISHED carl')
  await bob.page.getByText('1 message', { exact: true }).waitFor()
  assert.equal(await log.locator('.said').innerText(), 'from the published client')
  const saving = bob.page.waitForEvent('download')
  await bob.page.getByRole('button', { name: 'Save as text' }).click()
  const saved = await readFile(await (await saving).path(), 'utf8')
  assert.match(saved, /^\S+Z Ann: hello https:\/\/a\.example\/x\?y=1\.\n/)
  assert.match(saved, /\n\S+Z Ann \(to you only\): for Bob alone\n/)
  await bob.page.getByTestId('chat-search').fill('')

  const dan = await Person.at(browser, 'Dan', { viewport: { width: 360, height: 740 } })
  await dan.open(link)
  await dan.inside()
  await dan.page.getByTestId('bar-chat').click()
  await dan.page.locator('.said', { hasText: 'from the published client' }).waitFor()
  assert.equal(await dan.page.getByText('for Bob alone').count(), 0)
  assert.equal(await carl.run(`return chat.includes('for Bob alone')`), false)

  await bob.page.getByTestId('bar-hand').click()
  await ann.page.locator('[aria-label="hand is up"]').waitFor()
  await bob.page.getByRole('button', { name: 'Lower hand' }).click()
  await ann.page.locator('[aria-label="hand is up"]').waitFor({ state: 'detached' })
  await bob.page.getByTestId('bar-react').click()
  await bob.page.getByRole('button', { name: 'React with 🎉' }).click()
  await ann.page.getByTestId('reactions').getByText('🎉').waitFor()
  if (process.env.SCREENSHOTS !== undefined) {
    await ann.page.screenshot({ path: `${process.env.SCREENSHOTS}/chat-wide.png` })
    await dan.page.screenshot({ path: `${process.env.SCREENSHOTS}/chat-narrow.png` })
  }

  // Changes a name over the wire, because the published client has no button for it.
  const dora = new WireClient({
    url: server.url,
    token: signAnything({ apikey: 'test-key', permissions: ['allow_join'] }),
    meetingId: address.split('/m/')[1]!,
    participantId: 'dora',
    name: 'Dora',
  })
  await dora.join()
  await ann.page.getByRole('button', { name: 'Actions for Dora' }).waitFor({ state: 'attached' })
  await dora.request('changeDisplayName', { displayName: 'Theodora' })
  await ann.page.getByRole('button', { name: 'Actions for Theodora' }).waitFor({ state: 'attached' })
  dora.close()

  // The server restarts: the same session, the same chat, nothing twice.
  await server.end('SIGKILL')
  await server.run()
  await ann.knows((meeting) => meeting.state === 'joined' && meeting.participants.size >= 2)
  await say(ann, 'after the restart')
  await log.getByText('after the restart').waitFor()
  assert.equal(await log.locator('.said', { hasText: 'from the published client' }).count(), 1)
  for (const one of [ann, bob, dan]) assert.deepEqual(one.errors, [])
})

test('chat: text typed while a message is being sent stays, and a double Enter sends it once', async () => {
  const ann = await Person.at(browser, 'Ann')
  let cut = false
  await ann.page.routeWebSocket(/\/chat\?/, (line) => {
    const behind = line.connectToServer()
    line.onMessage((message) => {
      if (cut) void line.close()
      else behind.send(message)
    })
    behind.onMessage((message) => setTimeout(() => line.send(message), 300))
  })
  const meetingId = (await ann.start(server.url)).split('/m/')[1]!
  await ann.page.getByTestId('bar-chat').click()
  const text = ann.page.getByTestId('chat-text')
  const log = ann.page.getByRole('log')
  const said = (): Promise<string[]> => log.locator('.said').allInnerTexts()

  await text.pressSequentially('first')
  await text.press('Enter')
  await text.press('Enter')
  await text.pressSequentially('second')
  await log.getByText('first').waitFor()
  assert.equal(await text.inputValue(), 'second')
  await text.press('Enter')
  await log.getByText('second').waitFor()
  await ann.page.getByText('Sending…').waitFor({ state: 'detached' })
  assert.deepEqual(await said(), ['first', 'second'])

  await text.fill('a draft')
  await ann.page.getByTestId('bar-people').click()
  await ann.page.getByTestId('bar-chat').click()
  assert.equal(await text.inputValue(), 'a draft')

  // A private message to a participant who leaves before it is sent reaches neither that person nor everybody.
  const token = signAnything({ apikey: 'test-key', permissions: ['allow_join'] })
  const bob = new WireClient({ url: server.url, token, meetingId, participantId: 'bob', name: 'Bob' })
  await bob.join()
  await ann.page.getByTestId('chat-to').selectOption('bob')
  bob.close()
  await ann.page.getByText('Bob has left. Choose who is to read this.').waitFor()
  await text.press('Enter')
  assert.equal(await ann.page.getByTestId('chat-send').isDisabled(), true)
  assert.deepEqual([await text.inputValue(), await said()], ['a draft', ['first', 'second']])
  await ann.page.getByTestId('chat-to').selectOption('')

  // The line breaks while the message is sent.
  cut = true
  await text.press('Enter')
  await text.pressSequentially('written meanwhile')
  const unsent = ann.page.getByTestId('unsent')
  await unsent.getByText('It is not certain that this was sent.').waitFor()
  assert.equal(await unsent.locator('.said').innerText(), 'a draft')
  assert.equal(await unsent.getByRole('button', { name: 'Edit' }).isDisabled(), true)
  if (process.env.SCREENSHOTS !== undefined)
    await ann.page.screenshot({ path: `${process.env.SCREENSHOTS}/chat-unsent.png` })
  cut = false
  await unsent.getByRole('button', { name: 'Send again' }).click()
  await log.locator('li:not(.unsent)').getByText('a draft').waitFor()
  assert.deepEqual([await text.inputValue(), await unsent.count()], ['written meanwhile', 0])
  assert.deepEqual(await said(), ['first', 'second', 'a draft'])
  assert.deepEqual(ann.errors, [])
  await ann.close()
})

test('lobby: the second half of a double click admits nobody else', async () => {
  const ann = await Person.at(browser, 'Ann')
  const meetingId = (await ann.start(server.url)).split('/m/')[1]!
  const [first, second] = ['first', 'second'].map(
    (participantId) =>
      new WireClient({
        url: server.url,
        token: signAnything({ apikey: 'test-key', permissions: ['ask_join'], participantId }),
        meetingId,
        participantId,
        name: participantId,
      }),
  )
  for (const guest of [first!, second!]) {
    await guest.enter()
    await ann.knows((meeting) => meeting.lobby.requests.size > 0)
  }
  await ann.page.getByText('first asks to join, and 1 more').waitFor()
  const allow = ann.page.getByTestId('allow')
  await allow.click()
  await first!.hears('entryResponded', ({ decision }) => decision === 'allowed')
  await ann.page.getByText('second asks to join').waitFor()
  // The pointer is where the button was; the next button has moved there.
  const { x, y, width, height } = (await allow.boundingBox())!
  await ann.page.mouse.move(x + width / 2, y + height / 2)
  for (const half of ['down', 'up'] as const) await ann.page.mouse[half]({ clickCount: 2 })
  // The answer to anything that the click requested has arrived before this one.
  await ann.page.getByTestId('deny').click()
  assert.equal((await second!.hears('entryResponded')).decision, 'denied')
  for (const guest of [first!, second!]) guest.close()
  assert.deepEqual(ann.errors, [])
  await ann.close()
})
