/** Accounts in the dashboard, in a real browser: the audit log, the second factor, and OpenID Connect. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { TOTP } from 'otpauth'
import { complaints as violations, overflow } from './support/accessibility.ts'
import { CLIENT_ID, CLIENT_SECRET, TestProvider } from './support/oidc.ts'
import { launchBrowser } from './support/browser.ts'
import { Stage } from './support/rest-calls.ts'
import { TestServer } from './support/test-server.ts'

const PASSWORD = 'correct horse battery'

let browser: Browser
let context: BrowserContext
let server: TestServer
let provider: TestProvider
let page: Page
/** Errors of the page. */
const complaints: string[] = []

before(async () => {
  provider = await TestProvider.start()
  server = await TestServer.start({
    oidcIssuer: provider.issuer,
    oidcClientId: CLIENT_ID,
    oidcClientSecret: CLIENT_SECRET,
    oidcScopes: 'openid profile roles',
    oidcRoleClaim: 'realm.roles',
    oidcName: 'The Company',
  })
  provider.serve(server.url)
  await server.admin('POST', '/v2/admin/password', { password: PASSWORD })
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
  await provider.stop()
})

const button = (name: string | RegExp, within: Page | Locator = page): Locator =>
  within.getByRole('button', { name, exact: typeof name === 'string' })
const heading = (name: string | RegExp): Locator => page.getByRole('heading', { name })
const open = (place: string): Promise<unknown> => page.goto(`${server.url}/dashboard${place}`)

/** A folder for pictures, if somebody wants to look at them. */
const PICTURES = process.env.TEST_PICTURES

/** No rule of accessibility is violated and nothing is too wide, in light and dark, wide and on a phone. */
async function looksRight(what: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height: 860 })
      const where = `${what}, ${colorScheme}, ${width} wide`
      assert.deepEqual(await violations(page), [], where)
      assert.ok((await overflow(page)) <= 0, where)
      if (PICTURES !== undefined)
        await page.screenshot({
          path: `${PICTURES}/${what.replaceAll(' ', '-')}-${colorScheme}-${width}.png`,
        })
    }
  await page.setViewportSize({ width: 1280, height: 860 })
}

test('an owner finds out who did what, filters it, and exports it', async () => {
  await open('')
  await page.getByLabel('Password').fill('not the password')
  await button('Sign in').click()
  await page.getByText('The password is wrong.').waitFor()
  await page.getByLabel('Password').fill(PASSWORD)
  await button('Sign in').click()
  await heading('Overview').waitFor()
  for (let number = 0; number < 30; number++)
    await server.admin('POST', '/v2/admin/projects', { name: `Project ${number}` })

  await page.getByRole('navigation', { name: 'Dashboard' }).getByText('Audit').click()
  await heading('Audit log').waitFor()
  const rows = page.getByRole('table', { name: 'Audit log' }).locator('tbody tr')
  await rows.first().getByText('project: create').waitFor()
  await page.getByRole('link', { name: 'Older' }).click()
  await rows.filter({ hasText: 'sign in: enter' }).first().waitFor()
  assert.match(await rows.filter({ hasText: 'nobody' }).first().innerText(), /refused, UNAUTHORIZED/)
  await page.getByLabel('What', { exact: true }).selectOption('signing in')
  await page.getByLabel('Outcome').selectOption('done')
  await page.waitForURL(/outcome=done/)
  await rows.filter({ hasText: 'admin key' }).first().waitFor()
  await page.getByText(/^2 entries$/).waitFor()
  await looksRight('audit log')
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Export as CSV' }).click(),
  ])
  assert.equal(download.suggestedFilename(), 'audit.csv')
  const csv = await readFile(await download.path(), 'utf8')
  assert.equal(csv.trim().split('\r\n').length, 3, 'headings and what is filtered')
  await page.getByLabel('From', { exact: true }).fill('2001-01-01')
  await page.getByLabel('To', { exact: true }).fill('2001-01-02')
  await page.getByText('No entry fits these filters').waitFor()
  await button('Show all').click()
  await rows.first().waitFor()
})

test('an operator sets up a second factor, signs in with it, and uses a recovery code instead', async () => {
  await button('Second factor').click()
  const dialog = page.getByRole('dialog', { name: 'Second factor' })
  await dialog.getByLabel('Your password').fill(PASSWORD)
  await button('Set it up', dialog).click()
  await dialog.getByRole('img', { name: /QR code/ }).waitFor()
  const secret = (await dialog.locator('.key').innerText()).replaceAll(' ', '')
  await looksRight('second factor')
  const code = () => new TOTP({ secret }).generate({ timestamp: Date.now() + server.aheadMs })
  await dialog.getByLabel('Code of the app').fill(code())
  await button('Confirm', dialog).click()
  const codes = dialog.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
  await codes.first().waitFor()
  const [recovery] = await codes.allInnerTexts()
  await looksRight('recovery codes')
  await button('I have kept them', dialog).click()

  server.aheadMs += 600_000
  await button('Sign out').click()
  await page.getByLabel('Password').fill(PASSWORD)
  await button('Sign in').click()
  await heading('Enter a code').waitFor()
  await looksRight('enter a code')
  await page.getByLabel('Code').fill('000000')
  await button('Sign in').click()
  await page.getByText('This code is wrong, or was used already').waitFor()
  await page.getByLabel('Code').fill(code())
  await button('Sign in').click()
  await button('Sign out').waitFor()

  await button('Sign out').click()
  await page.getByLabel('Password').fill(PASSWORD)
  await button('Sign in').click()
  await page.getByLabel('Code').fill(recovery!)
  await button('Sign in').click()
  await button('Second factor').click()
  await dialog.getByText('9 recovery codes are left').waitFor()
  await page.keyboard.press('Escape')
})

test('a viewer is shown no button that the server would refuse', async () => {
  const stage = new Stage(server)
  const { roomId, ann } = await stage.busySession()
  const token = server.token(['allow_join'])
  await server.connect({ meetingId: roomId, token, participantId: 'ned' }).join()
  await server.rest('POST', '/v2/sessions/participants/remove', { roomId, participantId: 'ned' })
  await server.rest('POST', '/v2/invites', { roomId, entry: 'ask' })
  /** What an operator finds in each place besides the buttons of a viewer. */
  const actions: Record<string, string[]> = {
    meetings: ['New meeting'],
    [`meetings/${roomId}`]: [
      'Join as moderator',
      'End session',
      'Deactivate',
      'New invite link',
      'Revoke the link of …',
      'Admit Gus',
      'Deny Gus',
      'Microphone of Ann is on: switch it off',
      'Camera of Ann is off: ask to switch it on',
      'Screen of Ann is off: ask to switch it on',
      'Remove Ann',
      'Lift the removal of ned',
    ],
    keys: ['New key', 'Rename', 'New project', 'Change …', 'Rotate …', 'Revoke …'],
    webhooks: ['Replay all parked', 'Set up'],
    tokens: ['Make token', 'Copy code'],
    console: ['Send', 'Copy curl command'],
    operators: [],
  }
  const seen: Record<string, Record<string, string[]>> = {}
  for (const role of ['viewer', 'operator']) {
    const { cookie } = await stage.operator(role)
    const [name = '', value = ''] = cookie.split('=')
    const theirContext = await browser.newContext({ viewport: { width: 1280, height: 860 } })
    await theirContext.addCookies([{ name, value, url: server.url }])
    const theirs = await theirContext.newPage()
    theirs.setDefaultTimeout(90_000)
    seen[role] = {}
    for (const place of Object.keys(actions)) {
      await theirs.goto(`${server.url}/dashboard/${place}`)
      await theirs.locator('main h1').first().waitFor()
      await theirs.locator('main .skeleton').first().waitFor({ state: 'detached' })
      if (place.startsWith('meetings/')) await theirs.getByRole('table', { name: 'Invite links' }).waitFor()
      const names = await theirs
        .locator('main button')
        .evaluateAll((found) => found.map((one) => one.getAttribute('aria-label') ?? one.textContent.trim()))
      seen[role][place] = names.map((one) =>
        one.replace(/^(Revoke the link of|Change|Rotate|Revoke) .*/, '$1 …'),
      )
      assert.equal(await theirs.getByRole('link', { name: 'Audit' }).count(), 0, 'for owners alone')
    }
    if (role === 'viewer') {
      await theirs.goto(`${server.url}/dashboard/meetings/${roomId}`)
      await theirs.getByRole('img', { name: 'Microphone of Ann is on' }).waitFor()
      const before = page
      page = theirs
      await looksRight('meeting of a viewer')
      for (const [place, sentence] of [
        ['tokens', 'Your role makes no tokens.'],
        ['console', 'Your role makes no calls'],
      ] as const) {
        await theirs.goto(`${server.url}/dashboard/${place}`)
        await theirs.getByText(sentence).waitFor()
        await looksRight(`${place} of a viewer`)
      }
      page = before
    }
    await theirContext.close()
  }
  for (const [place, all] of Object.entries(actions)) {
    const viewers = new Set(seen.viewer![place])
    assert.deepEqual(
      [...new Set(seen.operator![place]!.filter((name) => !viewers.has(name)))].toSorted(),
      all.toSorted(),
      place,
    )
  }
  ann.close()
})

test('an owner requires a second factor of all, and an operator sets one up before anything else', async () => {
  await open('/operators')
  await button('Require it of all').click()
  await button('Require it', page.getByRole('dialog')).click()
  await page.getByText('Every operator needs a second factor.').waitFor()
  await looksRight('operators')
  const { body } = await server.admin('POST', '/v2/admin/operator-invites', { name: 'Vera', role: 'viewer' })
  server.aheadMs += 600_000
  const theirs = await (await browser.newContext()).newPage()
  await theirs.goto(body.link)
  await theirs.getByLabel('New password').fill(PASSWORD)
  await theirs.getByLabel('Once more').fill(PASSWORD)
  await button('Save and continue', theirs).click()
  await theirs.getByRole('heading', { name: 'Set up a second factor' }).waitFor()
  await theirs.getByLabel('Your password').fill(PASSWORD)
  await button('Set it up', theirs).click()
  const secret = (await theirs.locator('.key').innerText()).replaceAll(' ', '')
  await theirs
    .getByLabel('Code of the app')
    .fill(new TOTP({ secret }).generate({ timestamp: Date.now() + server.aheadMs }))
  await button('Confirm', theirs).click()
  await button('I have kept them', theirs).click()
  await theirs.getByRole('heading', { name: 'Overview' }).waitFor()
  await theirs.context().close()

  await page.reload()
  await button('Reset second factor: Vera').click()
  await button('Switch it off', page.getByRole('dialog')).click()
  await button('Reset second factor: Vera').waitFor({ state: 'detached' })
})

test('a person signs in at the provider, and out of it; without a role, the page says why not', async () => {
  const theirs = await (await browser.newContext()).newPage()
  theirs.setDefaultTimeout(90_000)
  const atProvider = async (login: string): Promise<void> => {
    await theirs.getByRole('link', { name: 'Sign in with The Company' }).click()
    await theirs.locator('input[name=login]').fill(login)
    await theirs.locator('input[name=password]').fill('any')
    await theirs.locator('button[type=submit]').click()
    await theirs.locator('button[type=submit]', { hasText: 'Continue' }).click()
  }
  server.aheadMs += 600_000
  await theirs.goto(`${server.url}/dashboard`)
  await theirs.getByRole('link', { name: 'Sign in with The Company' }).waitFor()
  const before = page
  page = theirs
  await looksRight('sign in with a provider')
  page = before
  await atProvider('mallory')
  await theirs.getByText('The provider gives you no role on this server').waitFor()
  assert.equal(theirs.url(), `${server.url}/dashboard`, 'nothing is left in the address')
  await theirs.context().clearCookies()

  provider.roles.set('ada', ['viewer'])
  await atProvider('ada')
  await theirs.getByRole('heading', { name: 'Overview' }).waitFor()
  await theirs.getByText('ada of the company').waitFor()
  assert.equal(await button('Password', theirs).count(), 0)
  await button('Sign out', theirs).click()
  await theirs.waitForURL(/session\/end/)
  await theirs.locator('button[type=submit]').first().click()
  await theirs.waitForURL(`${server.url}/dashboard*`)
  await theirs.getByRole('heading', { name: 'Sign in' }).waitFor()
  await theirs.context().close()
})

test('the page reported no error', () => assert.deepEqual(complaints, []))
