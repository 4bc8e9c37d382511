/** The way of two people who see the page for the first time: by the words on the buttons, without reading anything else. */
import type { Browser } from 'playwright-core'
import { Person } from './browser.ts'

export interface Step {
  step: string
  /** Since the step before. */
  ms: number
}

/**
 * Walks from the start page to the end of a meeting. One starts it and passes on what the address bar shows, the other
 * asks to join and is let in; they see and hear each other, one shares the screen, and both leave.
 */
export async function firstWalk(url: string, host: Browser, guest = host): Promise<Step[]> {
  const steps: Step[] = []
  let before = performance.now()
  const done = (step: string): void => {
    const now = performance.now()
    steps.push({ step, ms: now - before })
    before = now
  }
  const ann = await Person.at(host, 'Ann')
  const bob = await Person.at(guest, 'Bob')
  const button = ({ page }: Person, name: string) => page.getByRole('button', { name, exact: true })
  try {
    before = performance.now()
    await ann.page.goto(url)
    await button(ann, 'Start a meeting').click()
    done('open the page and start')
    await ann.page.getByLabel('Your name').fill('Ann')
    await button(ann, 'Join').click()
    await ann.inside()
    done('join')
    await bob.page.goto(ann.page.url())
    await bob.page.getByLabel('Your name').fill('Bob')
    await button(bob, 'Ask to join').click()
    await bob.page.getByText('You asked to join').waitFor()
    done('open the copied address and ask')
    await button(ann, 'Let in').click()
    await bob.inside()
    done('be let in')
    await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
    done('see and hear each other')
    await ann.page.getByTestId('bar-share').click()
    await bob.page.getByTestId('shared').locator('video').waitFor()
    await bob.page.waitForFunction(
      () => (document.querySelector<HTMLVideoElement>('[data-testid="shared"] video')?.videoWidth ?? 0) > 0,
    )
    done('share the screen')
    for (const person of [bob, ann]) {
      await person.page.getByTestId('leave').click()
      const alone = person.page.getByTestId('leave-alone')
      const message = person.page.getByTestId('message')
      await alone.or(message).first().waitFor()
      if (await alone.isVisible()) await alone.click()
      await message.waitFor()
    }
    done('leave')
    const errors = [...ann.errors, ...bob.errors]
    if (errors.length > 0) throw new Error(errors.join('; '))
    return steps
  } finally {
    await Promise.all([ann.close(), bob.close()])
  }
}
