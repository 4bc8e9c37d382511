/** What axe finds on a page, and whether the page fits its window. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'

let axe: string | undefined

/** Returns the violations of WCAG 2.2 A and AA on the current page. */
export async function complaints(page: Page): Promise<string[]> {
  axe ??= await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
  // Waits for transitions, because nobody reads the colours in between. What turns until something happens never ends.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity)
        .map((one) => one.finished.catch(() => 0)),
    ),
  )
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() =>
    (globalThis as any).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    }),
  )
  return violations.flatMap(({ id, nodes }: any) =>
    nodes.map(
      (node: any) => `${id}: ${node.html.slice(0, 120)} ${node.failureSummary.replaceAll('\n', ' ')}`,
    ),
  )
}

/** How much wider than its window the page is, in CSS pixels. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}
