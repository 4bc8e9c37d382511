/** The dashboard as the operator uses it: a real browser, a whole server, live clients. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join as pathOf } from 'node:path'
import { after, before, test } from 'node:test'
import Database from 'better-sqlite3'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { figuresOf, qualityFrom } from '../src/meeting/media/quality.ts'
import { DATABASE_FILE } from '../src/store/sqlite/sqlite.ts'
import { assertIsolated } from './support/bidi.ts'
import { launchBrowser } from './support/browser.ts'
import type { Outputs } from '../src/output/output.ts'
import { Receiver, failing, taking } from './support/receiver.ts'
import { TestServer } from './support/test-server.ts'
import { aFile, playedEngines } from './support/outputs.ts'
import type { WireClient } from './support/wire-client.ts'

const PASSWORD = 'correct horse battery'
const MARKUP = '<img src=x onerror="globalThis.hacked=1">'
const HOUR_MS = 3_600_000

let browser: Browser
let context: BrowserContext
let server: TestServer
let receiver: Receiver
const engines = playedEngines()
let page: Page
let axe: string
/** Errors of the page. */
const complaints: string[] = []

before(async () => {
  axe = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
  receiver = await Receiver.start(taking)
  server = await TestServer.start(
    { sessionGraceSeconds: 0, webhookAllowPrivate: true },
    { outputs: engines as unknown as Outputs },
  )
  browser = await launchBrowser()
  context = await browser.newContext({ viewport: { width: 1280, height: 860 } })
  page = await context.newPage()
  page.setDefaultTimeout(90_000)
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (line) => {
    // The browser logs each refusal, and these tests cause some on purpose.
    if (line.type() === 'error' && !/status of 4\d\d/.test(line.text())) complaints.push(line.text())
  })
})
after(async () => {
  await browser.close()
  await server.stop()
  receiver.stop()
})

const button = (name: string | RegExp, within: Page | Locator = page): Locator =>
  within.getByRole('button', { name, exact: typeof name === 'string' })
const heading = (name: string | RegExp): Locator => page.getByRole('heading', { name })
const dialog = (): Locator => page.getByRole('dialog')
const confirmation = (text: string | RegExp): Promise<void> =>
  page.locator('.confirmation', { hasText: text }).waitFor()
const open = (place: string): Promise<unknown> => page.goto(`${server.url}/dashboard${place}`)
const codeIn = (text: string): string => /\/dashboard#sign-in=([\w-]+)$/m.exec(text)![1]!

const audio = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2, parameters: {} }],
  encodings: [{ ssrc: 1111 }],
  rtcp: { cname: 'x' },
}

async function join(meetingId: string, participantId: string, name: string): Promise<WireClient> {
  const client = server.connect({ meetingId, participantId, name, token: server.token(['allow_join']) })
  await client.join()
  return client
}

test('the dashboard cannot be framed or cached; the meeting page stays embeddable', async () => {
  for (const place of ['/dashboard', '/dashboard/', '/dashboard/meetings/x']) {
    const { headers, status } = await fetch(server.url + place)
    assert.equal(status, 200, place)
    assert.equal(headers.get('x-frame-options'), 'DENY')
    assert.equal(headers.get('cache-control'), 'no-store')
    const policy = headers.get('content-security-policy')!
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|\*/)
  }
  const meeting = await fetch(server.url, { headers: { accept: 'text/html' } })
  assert.equal(meeting.headers.get('x-frame-options'), null)
  assert.match(meeting.headers.get('content-security-policy')!, /frame-ancestors \*/)
  const [dashboardCode] = /dashboard-[\w-]+\.js/.exec(await (await fetch(`${server.url}/dashboard`)).text())!
  assert.ok(
    !(await meeting.text()).includes(dashboardCode),
    'the meeting page loads no code of the dashboard',
  )
})

test('a wrong link is refused and leaves the address bar; the right one asks for a password, once', async () => {
  await open('#sign-in=AAAAAAAAAAAAAAAAAAAAAAAA')
  await heading('Welcome to Anteroom').waitFor()
  assert.match(await page.getByRole('alert').innerText(), /does not work any more/)
  assert.equal(page.url(), `${server.url}/dashboard`)
  await holds('welcome')

  const code = codeIn(server.ready.text)
  await page.getByLabel('Sign-in link').fill(`${server.url}/dashboard#sign-in=${code}`)
  await button('Continue').click()
  await heading('Choose a password').waitFor()
  await holds('choosing a password')
  await page.getByLabel('New password').fill(PASSWORD)
  await page.getByLabel('Once more').fill('something else')
  await button('Save and continue').click()
  await page.getByText('The two are not the same.').waitFor()
  await page.getByLabel('Once more').fill(PASSWORD)
  await button('Save and continue').click()
  await heading('Overview').waitFor()

  await page.reload()
  await heading('Overview').waitFor()
  await button('Sign out').click()
  await heading('Sign in').waitFor()
  await open(`#sign-in=${code}`)
  await page.getByText('does not work any more').waitFor()
  assert.equal(page.url(), `${server.url}/dashboard`)
})

test('a wrong password is refused, the right one opens the requested place', async () => {
  await open('/meetings?find=nothing')
  await page.getByLabel('Password').fill('wrong password')
  await button('Sign in').click()
  await page.getByText('The password is wrong.').waitFor()
  await holds('signing in')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByLabel('Password').press('Enter')
  await heading('Meetings').waitFor()
  await page.getByText('No meeting has this id').waitFor()
})

test('by keyboard: the skip link leads past the menu, Escape closes a dialog and restores the focus', async () => {
  await open('/meetings')
  await heading('Meetings').waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to content')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'content')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await dialog().waitFor()
  await page.keyboard.press('Escape')
  await dialog().waitFor({ state: 'detached' })
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'New meeting')
})

let meetingId: string

test('creates a meeting, shows its invite link once, counts and revokes it', async () => {
  await open('/meetings')
  await button('New meeting').click()
  await dialog().getByLabel('Custom id').fill(MARKUP)
  await page.getByLabel('Close after, in minutes').fill('90')
  await button('Create').click()
  await heading(MARKUP).waitFor()
  meetingId = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1)!)
  const { body: room } = await server.rest('GET', `/v2/rooms/${meetingId}`)
  assert.deepEqual([room.customRoomId, room.autoCloseConfig.duration], [MARKUP, 90])

  await button('New invite link').click()
  await page.getByLabel('Whoever has it').selectOption('direct')
  await page.getByLabel('Uses at most').fill('3')
  await button('Create').click()
  const link = await page.getByLabel('Invite link', { exact: true }).inputValue()
  await button('Done').click()
  const code = link.split('#invite=')[1]!
  const exchanged = await server.rest('POST', '/invites/exchange', { code }, '')
  assert.equal(exchanged.body.meetingId, meetingId)
  await page.reload()
  await page.getByText('1 of 3').waitFor()
  assert.ok(!(await page.content()).includes(code), 'the code is shown once')
  await button(/^Revoke the link/).click()
  await button('Revoke', dialog()).click()
  await page.getByText('Revoked').waitFor()
  assert.equal((await server.rest('POST', '/invites/exchange', { code }, '')).status, 404)
})

test('watches and moderates a live meeting: admit, switch off, ask, remove, lift, end', async () => {
  const ann = await join(meetingId, 'ann', `${MARKUP}Ann`)
  const bob = await join(meetingId, 'bob', 'Bob')
  await ann.request('produce', { transportId: ann.transports.send, kind: 'audio', rtpParameters: audio })
  const [guest, other] = ['guest', 'other'].map((participantId) =>
    server.connect({ meetingId, participantId, name: participantId, token: server.token(['ask_join']) }),
  )
  await Promise.all([guest!.enter(), other!.enter()])

  await open(`/meetings/${meetingId}`)
  await page.getByText('Live', { exact: true }).waitFor()
  await page.getByText(`${MARKUP}Ann`).first().waitFor()
  await holds('a live meeting')
  await button('Admit guest').click()
  await guest!.hears('entryResponded', ({ decision }) => decision === 'allowed')
  await guest!.finishJoin()
  await button('Deny other').click()
  await other!.hears('close')
  await button('Remove guest').waitFor()

  await button(/^Microphone of .*Ann is on/).click()
  await ann.hears('request:disableMic')
  await button(/^Microphone of .*Ann is off/).click()
  await ann.hears('request:enableMic')

  await button('Remove Bob').click()
  await page.keyboard.press('Escape')
  await dialog().waitFor({ state: 'detached' })
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Remove Bob')
  await button('Remove Bob').click()
  await button('Remove', dialog()).click()
  await bob.gone()
  await button('Lift the removal of Bob').click()
  await confirmation(/Bob.? may come back/)
  const back = await join(meetingId, 'bob', 'Bob')
  await button('Remove Bob').waitFor()

  const said = { topic: 'CHAT', message: `${MARKUP} hello`, persist: true, senderName: 'Backend' }
  await server.rest('POST', `/v2/rooms/${meetingId}/messages`, said)
  const ended = server.sessionEnded(meetingId)
  await button('End session').click()
  await button('End session', dialog()).click()
  await Promise.all([ann.gone(), back.gone(), guest!.gone(), ended])
  await page.getByText('Nobody is here right now').waitFor()
})

test('opens the meeting in its own window for a moderator, and no address contains the token', async () => {
  await open(`/meetings/${meetingId}`)
  const [meeting] = await Promise.all([
    context.waitForEvent('page'),
    page.getByRole('button', { name: 'Join as moderator' }).click(),
  ])
  const addresses: string[] = []
  meeting.on('framenavigated', (frame) => addresses.push(frame.url()))
  await meeting.getByTestId('name').waitFor()
  assert.equal(meeting.url(), `${server.url}/m/${meetingId}`)
  assert.deepEqual(
    addresses.filter((address) => /token|eyJ/.test(address)),
    [],
  )
  await meeting.close()
})

test('finds a past session and draws who was there when, why each left, and its chat', async () => {
  const today = new Date().toLocaleDateString('sv')
  await open(`/sessions?meeting=${meetingId}&state=ended&from=${today}&to=${today}`)
  await page.getByText('1 session', { exact: true }).waitFor()
  assert.equal(await page.getByLabel('State').inputValue(), 'ended')
  await holds('sessions')
  await page.getByLabel('State').selectOption('ongoing')
  await page.getByText('No session fits these filters').waitFor()
  assert.match(page.url(), /state=ongoing/)
  await page.goBack()
  await open(`/sessions?meeting=${meetingId}&state=ended&page=9`)
  await page.getByText('There is no page 9').waitFor()
  await page.getByRole('link', { name: 'Go to page 1, the last' }).click()
  await page.getByRole('table').getByRole('link').first().click()
  await heading('Who was there').waitFor()
  // Ann, the guest, and Bob twice.
  assert.equal(await page.locator('svg rect.stay').count(), 4)
  assert.equal(await page.locator('svg rect.lane-mic').count(), 1)
  await page.locator('summary', { hasText: 'stays' }).click()
  const stays = page.getByRole('region', { name: 'Stays, as a table' })
  assert.equal(await stays.getByText('Removed by the operator').count(), 1)
  assert.equal(await stays.getByText('Ended by the operator').count(), 3)
  await page.getByText(/^Nothing(:| was measured)/).waitFor()
  const { body } = await server.rest('GET', `/v2/sessions?roomId=${meetingId}`)
  measureBadly(body.data[0])
  await button('Refresh').click()
  await page.getByLabel('Of', { exact: true }).selectOption('ann')
  await page.waitForURL(/of=ann/)
  await page
    .getByText(/The line of .*Ann.* was bad: up to 31 % of the packets sent to them were lost/)
    .waitFor()
  await heading('Packets lost').waitFor()
  const events = page.getByRole('region', { name: 'Events' })
  await events.getByText('2 of 2 pictures held back (the line takes 120 kb/s)').first().waitFor()
  await page.getByRole('searchbox', { name: 'Find an event' }).fill('microphone')
  await page.getByRole('searchbox', { name: 'Find an event' }).press('Enter')
  await events.getByText('Switched the microphone on').waitFor()
  assert.equal(await events.getByText(/held back/).count(), 0)
  const [download] = await Promise.all([page.waitForEvent('download'), button('Download chat').click()])
  assert.ok((await readFile(await download.path(), 'utf8')).includes('hello'))
  await holds('a session')
})

test('deactivates a meeting only after a confirmation', async () => {
  const other = await server.createMeeting()
  await open(`/meetings/${other}`)
  await button('Deactivate').click()
  await button('Cancel').click()
  assert.equal((await server.rest('GET', `/v2/rooms/${other}`)).body.disabled, false)
  await button('Deactivate').click()
  await button('Deactivate', dialog()).click()
  await page.getByText('Deactivated', { exact: true }).waitFor()
  assert.equal((await server.rest('GET', `/v2/rooms/${other}`)).body.disabled, true)
})

test('creates a key, shows its secret once, and changes, rotates and revokes it', async () => {
  await open('/keys')
  await button('New key').click()
  await page.getByLabel('Name').fill(`${MARKUP}key`)
  await page.getByLabel('Web origins').fill('https://app.example.org')
  await button('Create').click()
  const apiKey = await page.getByLabel('API key', { exact: true }).inputValue()
  const secret = await page.getByLabel('Secret', { exact: true }).inputValue()
  const token = server.token(['allow_join'], { apiKey, secret })
  assert.equal((await server.rest('GET', '/v2/rooms', undefined, token)).status, 200)
  await holds('a secret')
  await button('I have kept it').click()
  await page.getByText('https://app.example.org').waitFor()
  assert.ok(!(await page.content()).includes(secret))
  await page.reload()
  await button(`Rotate ${MARKUP}key`).waitFor()
  assert.ok(!(await page.content()).includes(secret))

  await button(`Change ${MARKUP}key`).click()
  await page.getByLabel('Name').fill('shop')
  await button('Save').click()
  await button('Rotate shop').click()
  await page.getByLabel('The old one works for').selectOption('3600')
  await button('Rotate').click()
  const successor = await page.getByLabel('Secret', { exact: true }).inputValue()
  assert.notEqual(successor, secret)
  await button('I have kept it').click()
  await page.getByText(/^Ends in/).waitFor()
  assert.equal((await server.rest('GET', '/v2/rooms', undefined, token)).status, 200, 'both are in force')
  await page
    .getByRole('row', { name: /Ends in/ })
    .getByRole('button', { name: /^Revoke/ })
    .click()
  await page.getByLabel('is put out now').check()
  await button('Revoke', dialog()).click()
  await page.getByText('Revoked').waitFor()
  assert.equal((await server.rest('GET', '/v2/rooms', undefined, token)).status, 401)
  await holds('keys')
})

test('another project has its own key and meetings', async () => {
  await open('/keys')
  await button('New project').click()
  await page.getByLabel('Name').fill('Second')
  await button('Save').click()
  await page.waitForURL(/project=/)
  await page.getByText('This project has no key').waitFor()
  await button('New key').click()
  await button('Create').click()
  await button('I have kept it').click()
  await page.getByRole('navigation', { name: 'Dashboard' }).getByText('Meetings').click()
  await page.getByText('No meetings yet').waitFor()
  await page.getByLabel('Project').selectOption({ index: 0 })
  await page.getByRole('link', { name: meetingId }).waitFor()
})

test('sets the webhook of the project, and replays undelivered events one by one and all at once', async () => {
  receiver.answer = failing
  await open('/webhooks')
  await button('Set up').click()
  await page.getByLabel('Address').fill(receiver.url)
  await page.getByLabel('Events').fill('session*')
  await button('Save').click()
  await confirmation('The webhook is saved')
  const told = await server.createMeeting()
  const ann = await join(told, 'ann', 'Ann')
  // The first attempt that finds it too old is followed by one more.
  for (const [tried, ahead] of [25 * HOUR_MS, HOUR_MS, HOUR_MS].entries()) {
    await deliveryUntil(told, ({ attempts, state }) => attempts > tried || state === 'parked')
    server.aheadMs += ahead
  }
  await deliveryUntil(told, ({ state }) => state === 'parked')
  server.aheadMs = 0
  await open('/webhooks?state=parked&event=session-started')
  await page.getByRole('table').getByText('Parked').waitFor()
  await holds('deliveries')
  await page.getByRole('table').getByRole('link', { name: 'session-started' }).click()
  await heading('History').waitFor()
  await page.getByRole('region', { name: 'What is sent' }).getByText(told).waitFor()
  const tries = page.getByRole('table', { name: 'Tries' }).getByRole('row')
  // The headings are a row too.
  assert.equal(await tries.count(), 4)
  assert.match(await tries.nth(1).innerText(), /HTTP 500[^]*\d+ ms[^]*answered 500[^]*no$/)
  await holds('a delivery')
  receiver.answer = taking
  await button('Replay').click()
  await page.getByText('taken by the receiver').waitFor()
  assert.match(await tries.nth(1).innerText(), /HTTP 204[^]*Taken/)
  // Including those before the replay.
  assert.equal(await tries.count(), 5)
  // A delivery from before attempts were stored shows only the last answer.
  const database = new Database(pathOf(server.config.dataDir, DATABASE_FILE))
  database.exec('delete from delivery_tries')
  database.close()
  await page.reload()
  await page.getByText('Tried 1 time. The last answer: HTTP 204.').waitFor()
  await open('/webhooks')
  await button('Replay all parked').click()
  await button('Replay all').click()
  await confirmation('0 deliveries will be tried again')
  ann.close()
})

async function deliveryUntil(told: string, holds: (delivery: any) => boolean): Promise<void> {
  for (let looked = 0; looked < 200; looked++) {
    const { body } = await server.rest('GET', `/v2/webhooks/deliveries?roomId=${told}`)
    if (body.data.some(holds)) return
    await page.waitForTimeout(50)
  }
  assert.fail('no delivery came so far')
}

test('calls the REST API with a token of the chosen key, and shows refusals as they are', async () => {
  await open('/console')
  await page.getByLabel('Operation').selectOption('GET /v2/rooms/{id}')
  await button('Send').click()
  await page.getByText('Fill in id.').waitFor()
  await page.getByLabel('id', { exact: true }).fill(meetingId)
  await button('Send').click()
  const answer = page.getByRole('region', { name: 'Answer', exact: true })
  await answer.getByText('HTTP 200').waitFor()
  assert.ok((await answer.innerText()).includes(`"roomId": "${meetingId}"`))
  await page.getByLabel('id', { exact: true }).fill('none-none-none')
  await button('Send').click()
  await answer.getByText(/HTTP 4\d\d/).waitFor()
  await page.getByLabel('Operation').selectOption('POST /v2/rooms')
  await page.getByLabel('Body').fill('{')
  await button('Send').click()
  await page.getByText('The body is not JSON.').waitFor()
  await page.getByLabel('Body').fill('{"customRoomId": "from-the-console"}')
  await button('Send').click()
  await answer.getByText('HTTP 200').waitFor()
  assert.equal((await server.rest('GET', '/v2/rooms/from-the-console')).status, 200)
  await holds('the console')
})

test('generates a token and explains it claim by claim, and says what is not a token', async () => {
  await open('/tokens')
  await page.getByLabel('Token to inspect').fill('no token')
  await button('Inspect').click()
  await page.getByText('three parts').first().waitFor()
  await page.getByLabel('Its holder').selectOption('ask')
  await page.getByLabel('Meeting', { exact: true }).fill(meetingId)
  await page.getByLabel('Good for').selectOption('rtc')
  await page.getByText('Code that mints it').click()
  await page.getByLabel('Language').selectOption('Python')
  const code = await page.getByRole('region', { name: 'Code for Python' }).innerText()
  assert.ok(code.includes(`"roomId": "${meetingId}"`) && code.includes('"permissions": ["ask_join"]'), code)
  await holds('code')
  await page.setViewportSize({ width: 390, height: 800 })
  await holds('code on a phone')
  await page.setViewportSize({ width: 1280, height: 860 })
  await button('Make token').click()
  const token = await page.getByLabel('Token', { exact: true }).inputValue()
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  assert.deepEqual([claims.permissions, claims.roomId, claims.roles], [['ask_join'], meetingId, ['rtc']])
  assert.equal(claims.exp - claims.iat, 3600)
  await button('Inspect it').click()
  await button('Inspect').click()
  const said = page.getByRole('region', { name: 'What the token says' })
  await said.getByText('Asks to come in and waits in the lobby.').waitFor()
  await said.getByText('Accepted').first().waitFor()
  await said.getByText('Refused').first().waitFor()
  await holds('tokens')
})

test('settings show their value and where it comes from, and no secret', async () => {
  await open('/settings')
  const row = (variable: string): Locator => page.getByRole('row', { name: new RegExp(`^${variable} `) })
  await row('SESSION_GRACE_SECONDS').waitFor()
  assert.ok(!(await page.content()).includes(server.config.apiKey!.secret))
  assert.match(await row('VIDEOSDK_SECRET_KEY').innerText(), /set, not shown/)
  await page.getByRole('searchbox').fill('lobby')
  await page.getByRole('searchbox').press('Enter')
  await page.waitForURL(/find=lobby/)
  await row('SESSION_GRACE_SECONDS').waitFor({ state: 'detached' })
  await row('LOBBY_TIMEOUT_SECONDS').waitFor()
})

test('an owner invites a viewer, who chooses a password, reads, and changes nothing; then the owner deletes the viewer', async () => {
  await open('/operators')
  await button('Invite an operator').click()
  await page.getByLabel('Name').fill(`Vera ${MARKUP}`)
  await holds('inviting an operator')
  await button('Make the link').click()
  const link = await page.getByLabel('Link', { exact: true }).inputValue()
  await holds('the link of an operator')
  await button('I have kept it').click()
  await page.getByRole('table', { name: 'Links' }).getByText('new viewer').waitFor()

  const hers = await browser.newContext({ viewport: { width: 390, height: 800 } })
  const her = await hers.newPage()
  await her.goto(link)
  await her.getByText('You sign in as').waitFor()
  assert.equal(her.url(), `${server.url}/dashboard`)
  await her.getByLabel('New password').fill(`${PASSWORD} hers`)
  await her.getByLabel('Once more').fill(`${PASSWORD} hers`)
  await her.getByRole('button', { name: 'Save and continue' }).click()
  await her.getByRole('heading', { name: 'Overview' }).waitFor()
  await her.goto(`${server.url}/dashboard/operators`)
  await her.getByRole('heading', { name: 'Your browsers' }).waitFor()
  assert.equal(await her.getByRole('button', { name: 'Invite an operator' }).count(), 0)
  await her.goto(`${server.url}/dashboard/keys`)
  await her.getByRole('table').first().waitFor()
  assert.equal(await her.getByRole('button', { name: 'New key' }).count(), 0)

  await open('/operators')
  await button(/^Delete: Vera/).click()
  await holds('deleting an operator')
  await button('Delete', dialog()).click()
  await button(/^Delete: Vera/).waitFor({ state: 'detached' })
  await her.goto(`${server.url}/dashboard/meetings`)
  await her.getByRole('heading', { name: 'Sign in' }).waitFor()
  await hers.close()
})

test('every screen keeps the rules of accessibility in light and dark, and fits a phone', async () => {
  const { body } = await server.rest('GET', `/v2/sessions?roomId=${meetingId}`)
  const screens: [place: string, heading: string | RegExp][] = [
    ['', 'Overview'],
    ['/meetings', 'Meetings'],
    [`/meetings/${meetingId}`, MARKUP],
    ['/sessions', 'Sessions'],
    [`/sessions/${body.data[0].id}`, 'Who was there'],
    [`/sessions/${body.data[0].id}?of=ann`, 'Packets lost'],
    ['/outputs', 'Outputs'],
    ['/usage', 'Usage'],
    ['/outputs?kind=transcripts', 'Outputs'],
    ['/keys', 'Keys'],
    ['/webhooks', 'Webhooks'],
    ['/tokens', 'Tokens'],
    ['/console', 'Console'],
    ['/operators', 'Operators'],
    ['/settings', 'Settings'],
    ['/nowhere', 'Nothing here'],
  ]
  for (const [colorScheme, width] of [
    ['dark', 1280],
    ['light', 360],
  ] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 740 })
    for (const [place, title] of screens) {
      await open(place)
      await page
        .getByRole('heading', { name: title, exact: title !== MARKUP })
        .first()
        .waitFor()
      await holds(`${place} in ${colorScheme} at ${width}`)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 1280, height: 860 })
})

test('lists what left a meeting, a page at a time, plays it, saves it, and deletes it after a confirmation', async () => {
  await open('/outputs?kind=transcripts')
  await page.getByText('No transcripts yet').waitFor()
  const ann = await join(meetingId, 'ann', 'Ann')
  const film = Buffer.from(await page.evaluate(makeFilm), 'base64')
  // More than a page, and the newest goes on.
  for (let number = 1; number <= 22; number++) {
    await server.rest('POST', '/v2/recordings/start', { roomId: meetingId })
    const played = engines.recording.started.at(-1)!
    if (number === 22) break
    await writeFile(pathOf(played.order.folder, 'recording.webm'), film)
    await server.rest('POST', '/v2/recordings/end', { roomId: meetingId })
    const size = film.length
    played.finish([{ ...aFile('recording.webm'), contentType: 'video/webm', size, meta: { duration: 62.5 } }])
    await until(async () => {
      const { body } = await server.rest('GET', `/v2/recordings/${played.order.outputId}`)
      return body.end !== null
    })
  }
  await open('/outputs')
  await page.getByText('22 recordings · page 1 of 2').waitFor()
  assert.equal(await page.getByText('Going on').count(), 1)
  await page.getByRole('link', { name: 'Older' }).click()
  await page.waitForURL(/page=2/)
  await page.locator('tbody tr').nth(1).waitFor()
  const row = page.locator('tbody tr').last()
  assert.match(await row.innerText(), /1 min 2 s|1 min 3 s/)

  await button('Play', row).click()
  const video = dialog().locator('video')
  await video.waitFor()
  await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0)
  assert.equal(await video.evaluate((one: HTMLVideoElement) => one.videoWidth), 320)
  await page.keyboard.press('Escape')
  const saving = page.waitForEvent('download')
  await row.getByRole('link', { name: 'Download' }).click()
  const saved = await saving
  assert.equal(saved.suggestedFilename(), 'recording.webm')
  assert.deepEqual(await readFile(await saved.path()), film)

  const oldest = engines.recording.started[0]!.order.outputId
  await button('Delete', row).click()
  await dialog().getByText('This cannot be taken back').waitFor()
  assert.equal((await server.rest('GET', `/v2/recordings/${oldest}`)).status, 200)
  await button('Delete', dialog()).click()
  await confirmation('It is deleted.')
  await page.getByText('21 recordings · page 2 of 2').waitFor()
  assert.equal((await server.rest('GET', `/v2/recordings/${oldest}`)).status, 404)

  await open('/outputs?meeting=nothing-like-it')
  await page.getByText('Nothing fits these filters').waitFor()
  await button('Show all').click()
  await page.getByText('21 recordings · page 1 of 2').waitFor()
  ann.close()
  engines.recording.started.at(-1)!.finish()
})

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((next) => setTimeout(next, 20))
}

/** A second of a moving square, as WebM in base64. Runs in the page. */
async function makeFilm(): Promise<string> {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 })
  const brush = canvas.getContext('2d')!
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm;codecs=vp8' })
  const pieces: Blob[] = []
  recorder.ondataavailable = ({ data }) => pieces.push(data)
  const ended = new Promise((end) => (recorder.onstop = end))
  recorder.start()
  for (let at = 0; at < 25; at++) {
    brush.fillStyle = `hsl(${at * 14} 80% 50%)`
    brush.fillRect(0, 0, 320, 180)
    await new Promise((next) => setTimeout(next, 40))
  }
  recorder.stop()
  await ended
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer())
  return btoa(String.fromCharCode(...bytes))
}

test('the overview shows what is going on and what was', async () => {
  const ann = await join(meetingId, 'ann', 'Ann')
  await open('')
  const tile = (title: string): Locator => page.locator('.tile-box', { hasText: title })
  await tile('Participants')
    .getByText(/^[1-9]/)
    .waitFor()
  await button('24 hours').click()
  await page.waitForURL(/span=24h/)
  for (const title of ['People', 'Joins and refusals', 'Quality', 'Traffic'])
    await page.getByRole('figure', { name: title }).getByRole('img').waitFor()
  await page.locator('summary', { hasText: 'People' }).click()
  await page.getByRole('region', { name: 'People, as a table' }).getByText('Participants').waitFor()
  ann.close()
})

test('right-to-left text changes no other text on the dashboard', async () => {
  const { body: room } = await server.rest('POST', '/v2/rooms', { customRoomId: 'חדר!' })
  const ann = await join(room.roomId, 'אנה', 'אנה (שרה)')
  const bob = await join(room.roomId, 'דוד', 'דוד!')
  const guest = server.connect({
    meetingId: room.roomId,
    participantId: 'רות',
    name: 'רות?',
    token: server.token(['ask_join']),
  })
  await guest.enter()
  const { body: key } = await server.admin('POST', '/v2/admin/keys', {
    projectId: (await server.admin('GET', '/v2/admin/projects')).body.data[0].projectId,
    name: 'מפתח.',
  })
  await open(`/meetings/${room.roomId}`)
  await button('Admit רות?').waitFor()
  await assertIsolated(page, 'a live meeting')
  await button('Remove דוד!').click()
  await assertIsolated(page, 'the question before a removal')
  await button('Remove', dialog()).click()
  await button('Lift the removal of דוד!').waitFor()
  await assertIsolated(page, 'who is removed')
  await bob.gone()
  const { body: sessions } = await server.rest('GET', `/v2/sessions?roomId=${room.roomId}`)
  for (const [place, shown] of [
    ['/meetings', 'חדר!'],
    ['/sessions', 'אנה (שרה)'],
    [`/sessions/${sessions.data[0].id}`, 'אנה (שרה)'],
    ['/keys', 'מפתח.'],
  ] as const) {
    await open(place)
    // The first one may be in a collapsed table.
    await page.locator('main bdi', { hasText: shown }).filter({ visible: true }).first().waitFor()
    await assertIsolated(page, place)
  }
  await button('Revoke מפתח.').click()
  await assertIsolated(page, 'the question before a key is revoked')
  await page.keyboard.press('Escape')
  await open('/tokens')
  await page
    .getByLabel('Token to inspect')
    .fill(server.token(['allow_join'], { roomId: 'חדר!', apiKey: key.apiKey, secret: key.secret }))
  await button('Inspect').click()
  await page.getByText('"חדר!"').waitFor()
  await assertIsolated(page, 'what a token says')
  ann.close()
  guest.close()
})

test('a form that is being sent accepts no more text, and is sent once', async () => {
  await open('/keys')
  let asked = 0
  const looked = Promise.withResolvers<undefined>()
  await page.route('**/v2/admin/keys', async (route) => {
    if (route.request().method() === 'POST') {
      asked++
      await looked.promise
    }
    await route.continue()
  })
  await button('New key').click()
  const name = page.getByLabel('Name')
  await name.fill('once')
  await name.press('Enter')
  await name.press('Enter')
  await name.pressSequentially(' and more')
  assert.equal(await name.inputValue(), 'once')
  looked.resolve(undefined)
  await button('I have kept it').click()
  await page.unroute('**/v2/admin/keys')
  await button('Change once').waitFor()
  assert.deepEqual([asked, await button('Change once').count()], [1, 1])
})

test('a person signed out elsewhere signs in again and returns to the same place', async () => {
  await open('/settings')
  await page.getByRole('table').waitFor()
  await server.admin('POST', '/v2/admin/password', { password: `${PASSWORD} two` })
  await page.getByRole('navigation', { name: 'Dashboard' }).getByText('Keys').click()
  await heading('Sign in').waitFor()
  await page.getByLabel('Password').fill(`${PASSWORD} two`)
  await button('Sign in').click()
  await heading('Keys').waitFor()
})

test('names and chat were always text; no secret is left in the browser; the page reported no violation', async () => {
  assert.equal(await page.evaluate(() => (globalThis as any).hacked), undefined)
  assert.equal(await page.locator('img[src="x"]').count(), 0)
  const kept = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])
  assert.deepEqual(kept, [0, 0, ''])
  assert.deepEqual(complaints, [])
})

/** No accessibility rule is violated, and nothing overflows at the side. */
/** Writes measurements of Ann, whose line becomes bad in the middle of her stay, as the server would have. */
function measureBadly({ sessionId, start, end }: { sessionId: string; start: string; end: string }): void {
  const database = new Database(pathOf(server.config.dataDir, DATABASE_FILE))
  const insert = database.prepare('insert into participant_stats values (?, ?, ?, ?)')
  const [from, to] = [Date.parse(start), Date.parse(end)]
  const good = {
    ...qualityFrom([]),
    ...{ sendAudioBitrate: 32_000, sendVideoBitrate: 1_200_000, sendVideoPackets: 900, sendVideoLost: 2 },
    ...{ receiveAudioBitrate: 30_000, receiveVideoBitrate: 1_800_000, receiveLinePercentLost: 0.4 },
    ...{ receiveAudioPackets: 500, receiveReportBitrate: 9000, receiveAvailableBitrate: 3_000_000 },
    ...{ audioRoundTripMs: 24, videoRoundTripMs: 25, audioScore: 4.4, videoScore: 4.3, cameraScore: 10 },
    ...{ sendProtocol: 0, receiveProtocol: 0, sendIce: 2, receiveIce: 2, worker: 0, sendVideoHeight: 720 },
    ...{
      videosWanted: 2,
      videosHeld: 0,
      videosMissing: 0,
      videoLayer: 2,
      eventLoopLagMs: 1,
      workerAnswerMs: 2,
    },
  }
  const bad = {
    ...good,
    ...{
      receiveLinePercentLost: 31,
      videosHeld: 2,
      receiveAvailableBitrate: 120_000,
      receiveVideoBitrate: 0,
    },
    ...{ audioScore: 2.1, videoScore: 1.4, audioRoundTripMs: 310, videoRoundTripMs: 320 },
  }
  for (let number = 0; number <= 12; number++) {
    const figures = figuresOf(number > 4 && number < 8 ? bad : good)
    insert.run(sessionId, 'ann', Math.round(from + ((to - from) * number) / 12), JSON.stringify(figures))
  }
  database.close()
}

async function holds(what: string): Promise<void> {
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
  // Waits for transitions, because nobody reads the colours in between.
  await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => 0))))
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() =>
    (globalThis as any).axe.run(document, { resultTypes: ['violations'] }),
  )
  const grave = violations.filter(({ impact }: any) => impact === 'serious' || impact === 'critical')
  assert.deepEqual(
    grave.map(({ id, nodes }: any) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`),
    [],
    what,
  )
  const wider = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  assert.ok(wider <= 0, `${what} is too wide by ${wider}`)
}
