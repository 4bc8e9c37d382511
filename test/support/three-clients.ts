/** Two people on our page and one with the published client in one meeting, on a bad line, with slow devices. */
import assert from 'node:assert/strict'
import type { Browser } from 'playwright-core'
import { agree, OwnSide, PublishedSide, type Side } from './agreement.ts'
import { watchArrivals } from './arrivals.ts'
import { BadLine, LINE_ADDRESS } from './bad-line.ts'
import { launchBrowser, Person } from './browser.ts'
import { AppServer, Published } from './published.ts'
import { RealServer } from './real-server.ts'
import { openTracks, slowDevices } from './slow-devices.ts'
import { API_KEY, signAnything } from './test-server.ts'

/** Long enough for a machine that is five times slower. */
export const AGREE_MS = 60_000

const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })

export class ThreeClients {
  readonly line: BadLine
  readonly ann: Person
  readonly bob: Person
  readonly cat: Published
  readonly sides: readonly Side[]
  readonly #meetingId: string
  readonly #secureUrl: string
  readonly #close: () => Promise<void>

  private constructor(
    line: BadLine,
    ann: Person,
    bob: Person,
    cat: Published,
    meetingId: string,
    secureUrl: string,
    close: () => Promise<void>,
  ) {
    this.line = line
    this.ann = ann
    this.bob = bob
    this.cat = cat
    this.sides = [new OwnSide('ann', ann), new OwnSide('bob', bob), new PublishedSide('cat', cat)]
    this.#meetingId = meetingId
    this.#secureUrl = secureUrl
    this.#close = close
  }

  /** Waits until all are inside and agree; the line is still good. */
  static async start(deviceMs: number): Promise<ThreeClients> {
    const [browser, app, server] = await Promise.all([
      launchBrowser(['--ignore-certificate-errors']),
      AppServer.start(),
      RealServer.start({ LOG_LEVEL: 'error', MEDIA_WORKERS: '1', ANNOUNCED_ADDRESS: LINE_ADDRESS }),
    ])
    const [http, https, media] = [server.env.PORT, server.env.HTTPS_PORT, server.env.MEDIA_PORT].map(Number)
    const line = await BadLine.open([http!, https!], [media!])
    const close = async (): Promise<void> => {
      await browser.close()
      line.close()
      app.stop()
      await server.stop()
    }
    try {
      const link = `http://${LINE_ADDRESS}:${http}/m/`
      const meetingId = await server.createMeeting()
      const [ann, bob] = [
        await person(browser, 'ann', link, meetingId, deviceMs),
        await person(browser, 'bob', link, meetingId, deviceMs),
      ]
      const cat = await Published.at(browser, app)
      await watchArrivals(cat.context)
      const three = new ThreeClients(
        line,
        ann,
        bob,
        cat,
        meetingId,
        `https://${LINE_ADDRESS}:${https}`,
        close,
      )
      await three.enterCat()
      await agree(three.sides, AGREE_MS)
      return three
    } catch (error) {
      await close()
      throw error
    }
  }

  /** Leaves by the page's button, and checks that every device is released. */
  async leave({ page }: Person): Promise<void> {
    await page.getByTestId('leave').click()
    await page.getByTestId('leave-alone').click()
    await page.getByTestId('meeting').waitFor({ state: 'detached' })
    assert.deepEqual(await openTracks(page), [], 'nothing stays open after leaving')
  }

  /** Returns on a new page; if the old one was still inside, its connection is cut. */
  async return(one: Person): Promise<void> {
    const link = one.page.url().split('/m/')[0]
    await one.page.goto('about:blank')
    await one.open(`${link}/m/${this.#meetingId}#token=${token}`)
    await one.inside()
  }

  async enterCat(): Promise<void> {
    await this.cat.page.reload()
    await this.cat.inside(this.#secureUrl, {
      token,
      meetingId: this.#meetingId,
      participantId: 'cat',
      name: 'cat',
    })
  }

  close(): Promise<void> {
    return this.#close()
  }
}

async function person(
  browser: Browser,
  name: string,
  link: string,
  meetingId: string,
  deviceMs: number,
): Promise<Person> {
  const one = await Person.at(browser, name, { viewport: { width: 500, height: 400 } })
  await watchArrivals(one.context)
  await slowDevices(one.context, deviceMs)
  // Init scripts also run in documents without storage, such as about:blank between two pages.
  await one.page.addInitScript(
    `if (location.protocol.startsWith('http')) sessionStorage.setItem('anteroom:participant', ${JSON.stringify(name)})`,
  )
  await one.open(`${link}${meetingId}#token=${token}`)
  return one.inside()
}
