/** The page under attack: people's input stays text, nothing runs inline, and a token leaves no trace. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { assertIsolated } from '../support/bidi.ts'
import { launchBrowser, Person } from '../support/browser.ts'
import { assertNoFormulas, assertOnlyText, hostileCells, hostileTexts } from '../support/hostile.ts'
import { RealServer } from '../support/real-server.ts'
import { signAnything } from '../support/test-server.ts'
import { WireClient } from '../support/wire-client.ts'

let browser: Browser
let server: RealServer
before(async () => {
  browser = await launchBrowser()
  server = await RealServer.start({ LOG_LEVEL: 'info' })
})
after(async () => {
  await browser.close()
  await server.stop()
})

test('names, chat and metadata of others never become markup on the page', async () => {
  const ann = await Person.at(browser, 'Ann')
  const meetingId = (await ann.start(server.url)).split('/m/')[1]!
  const violations: string[] = []
  ann.page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) violations.push(message.text())
  })
  const wire: WireClient[] = []
  for (const [at, name] of hostileTexts.entries()) {
    const client = new WireClient({
      url: server.url,
      token: signAnything({ apikey: 'test-key', permissions: ['allow_join'] }),
      meetingId,
      participantId: `<b${at}>"'&`,
      name,
    })
    wire.push(client)
    await client.join({ metaData: { [name]: name } })
  }
  await ann.page.getByTestId('bar-people').click()
  for (const name of hostileTexts) await ann.page.getByText(name, { exact: false }).first().waitFor()
  await assertOnlyText(ann.page, 'in the tiles and the list of people')

  await ann.page.getByTestId('bar-chat').click()
  const bob = await Person.at(browser, 'Bob')
  await (await bob.open(await ann.invite('direct'))).inside()
  await bob.page.getByTestId('bar-chat').click()
  const box = bob.page.getByTestId('chat').getByRole('textbox')
  for (const text of hostileTexts) {
    await box.fill(text)
    await box.press('Enter')
    await ann.page.getByTestId('chat').getByText(text, { exact: true }).first().waitFor()
  }
  await assertOnlyText(ann.page, 'in the chat')
  await wire[0]!.request('changeDisplayName', { displayName: hostileTexts[2] })
  wire[1]!.close()
  await assertOnlyText(ann.page, 'after a change of name and a leaving')
  assert.deepEqual(violations, [])
  assert.deepEqual(ann.errors, [])
  for (const client of wire) client.close()
})

test('right-to-left text changes no other text on the page', async () => {
  const ann = await Person.at(browser, 'אנה')
  const meetingId = (await ann.start(server.url)).split('/m/')[1]!
  const wire = (participantId: string, name: string, permission: string): WireClient =>
    new WireClient({
      url: server.url,
      token: signAnything({ apikey: 'test-key', permissions: [permission], participantId }),
      meetingId,
      participantId,
      name,
    })
  const bob = wire('bob', 'דוד!', 'allow_join')
  await bob.join()
  await ann.page.locator('.toast', { hasText: 'joined' }).waitFor()
  await assertIsolated(ann.page, 'the tiles and a notice')
  const guests = [wire('guest', '(שרה)', 'ask_join'), wire('other', 'רות', 'ask_join')]
  for (const guest of guests) await guest.enter()
  await ann.page.getByTestId('knock').getByText('and 1 more').waitFor()
  await assertIsolated(ann.page, 'somebody asks to join')
  await ann.page.getByTestId('bar-people').click()
  await ann.page.getByText('Waiting (2)').waitFor()
  await assertIsolated(ann.page, 'the list of people')

  await ann.page.getByTestId('bar-chat').click()
  await ann.page.getByTestId('chat-to').selectOption('bob')
  const text = ann.page.getByTestId('chat-text')
  await text.fill('שלום?')
  await assertIsolated(ann.page, 'what is being written, and to whom')
  await text.press('Enter')
  await ann.page.getByRole('log').getByText('שלום?').waitFor()
  await assertIsolated(ann.page, 'what was said to one person')
  await ann.page.getByTestId('bar-react').click()
  await ann.page.getByRole('button', { name: 'React with 🎉' }).click()
  // The first is on the own tile.
  await ann.page.getByRole('button', { name: 'Actions for' }).nth(1).click()
  await ann.page.getByRole('menuitem', { name: 'Remove' }).click()
  await assertIsolated(ann.page, 'the question before a removal')
  if (process.env.SCREENSHOTS !== undefined)
    await ann.page.screenshot({ path: `${process.env.SCREENSHOTS}/right-to-left.png` })
  bob.close()
  for (const guest of guests) guest.close()
  assert.deepEqual(ann.errors, [])
  await ann.close()
})

test('the page runs nothing inline, loads nothing from elsewhere, may be framed, and has no guessed types', async () => {
  for (const path of ['/', '/m/aaaa-bbbb-cccc', '/m/%3Cscript%3E']) {
    const answer = await fetch(server.url + path, { headers: { accept: 'text/html' } })
    const html = await answer.text()
    const policy = answer.headers.get('content-security-policy')!
    const directives = new Map(
      policy.split('; ').map((one) => [one.slice(0, one.indexOf(' ')), one.slice(one.indexOf(' ') + 1)]),
    )
    const scripts = directives.get('script-src') ?? directives.get('default-src')
    // WebAssembly compiles no text; backgrounds and noise suppression are written in it.
    assert.equal(scripts, "'self' 'wasm-unsafe-eval'", path)
    assert.deepEqual(
      [directives.get('object-src'), directives.get('base-uri'), directives.get('frame-ancestors')],
      ["'none'", "'none'", '*'],
    )
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) assert.match(tag, / src="/)
    assert.doesNotMatch(html, / on\w+=|<style|javascript:/i)
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]+)"/g))
      assert.doesNotMatch(address!, /^(https?:)?\/\//)
  }
})

test('a token in the address stays out of addresses, Referer, lasting storage and logs', async () => {
  const ann = await Person.at(browser, 'Ann')
  const meetingId = (await ann.start(server.url)).split('/m/')[1]!
  const token = signAnything({ apikey: 'test-key', permissions: ['allow_join'] })
  const bob = await Person.at(browser, 'Bob')
  const asked: string[] = []
  bob.page.on('request', (request) => asked.push(`${request.url()} ${request.headers().referer ?? ''}`))
  await bob.open(`${server.url}/m/${meetingId}#token=${token}`)
  await bob.inside()
  assert.ok(!bob.page.url().includes(token))
  const signature = token.split('.')[2]!
  assert.deepEqual(
    asked.filter((one) => one.includes(signature) && !one.includes('/socket.io/')),
    [],
  )
  const beyond = await bob.page.evaluate(
    `Promise.resolve(indexedDB.databases()).then((bases) => JSON.stringify([{ ...localStorage }, document.cookie, bases, history.length, document.referrer]))`,
  )
  assert.ok(!String(beyond).includes(signature))
  const other = await bob.context.newPage()
  await other.goto(`${server.url}/m/${meetingId}`)
  assert.ok(!String(await other.evaluate('JSON.stringify({ ...sessionStorage })')).includes(signature))
  await bob.close()
  assert.ok(!server.output.includes(signature) && !server.output.includes(token.split('.')[1]!))
})

test('the helper sees what it is meant to see', async () => {
  const page = await browser.newPage()
  for (const text of hostileTexts.slice(0, 3)) {
    await page.setContent(`<p>${text}`)
    await assert.rejects(assertOnlyText(page, 'written as markup'))
  }
  for (const cell of hostileCells)
    assert.throws(() => assertNoFormulas(`name,"${cell.replaceAll('"', '""')}"`))
  assertNoFormulas(
    `name,joined\n"'=1+1",-3\n${hostileCells.map((cell) => `"'${cell.replaceAll('"', '""')}"`).join(',')}`,
  )
  await page.close()
})
