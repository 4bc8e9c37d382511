/** The overview of the dashboard where several nodes share a database. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from './support/browser.ts'
import { freePorts } from './support/ports.ts'
import { makeDatabase, withoutPostgres } from './support/postgres.ts'
import { TestServer } from './support/test-server.ts'

const PASSWORD = 'correct horse battery'
const onPostgres = { skip: withoutPostgres }
let database: Awaited<ReturnType<typeof makeDatabase>> | undefined
let nodes: TestServer[] = []
let browser: Browser | undefined

before(async () => {
  if (withoutPostgres !== false) return
  database = await makeDatabase()
  const clusterPort = await freePorts(1)
  for (const last of [2, 3])
    nodes.push(
      await TestServer.start({
        databaseUrl: database.url,
        masterKey: Buffer.alloc(32, 7),
        nodeAddress: `127.0.0.${last}`,
        nodeId: `node-${last}`,
        clusterPort,
        sessionGraceSeconds: 60,
      }),
    )
  browser = await launchBrowser()
})
after(async () => {
  await browser?.close()
  for (const node of nodes) await node.stop()
  nodes = []
  await database?.drop()
})

async function signIn(page: Page, { url, ready }: TestServer): Promise<void> {
  await page.goto(/https?:\/\/\S+#sign-in=[\w-]+/.exec(ready.text)![0])
  await page.getByLabel('New password').fill(PASSWORD)
  await page.getByLabel('Once more').fill(PASSWORD)
  await page.getByRole('button', { name: 'Save and continue' }).click()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  assert.ok(page.url().startsWith(url))
}

test('the overview adds up all nodes, and shows each with its state', onPostgres, async () => {
  const [one, two] = nodes as [TestServer, TestServer]
  const token = one.token(['allow_join'])
  // One meeting at each node, so that neither knows all of it.
  for (const [node, people] of [
    [one, ['ann', 'bob']],
    [two, ['eve']],
  ] as const) {
    const meetingId = await node.createMeeting()
    for (const participantId of people) await node.connect({ token, meetingId, participantId }).join()
  }
  const page = await browser!.newPage({ viewport: { width: 1280, height: 860 } })
  page.setDefaultTimeout(60_000)
  await signIn(page, one)
  const tile = (title: string, value: string) =>
    page.getByLabel('Right now').locator('div', { hasText: title }).getByText(value, { exact: true })
  const row = (id: string) => page.getByRole('table', { name: 'Nodes' }).getByRole('row', { name: id })
  await tile('Participants', '3').waitFor()
  await tile('Live meetings', '2').waitFor()
  await tile('Nodes serving', '2').waitFor()
  await row('node-2').getByText('Serving').waitFor()
  await row('node-2').getByText('answers now').waitFor()
  await row('node-3').getByText('Serving').waitFor()
  assert.equal(await page.getByText('answers now').count(), 1)
  await page.close()
})

test('the overview of a server alone has no nodes', async () => {
  const alone = await TestServer.start()
  const page = await (browser ??= await launchBrowser()).newPage()
  try {
    await signIn(page, alone)
    await page.getByLabel('Right now').getByText('Participants').waitFor()
    assert.equal(await page.getByText('Nodes').count(), 0)
  } finally {
    await page.close()
    await alone.stop()
  }
})
