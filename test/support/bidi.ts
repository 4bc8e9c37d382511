/** Checks that text of others is isolated from the page's text, so that a right-to-left script affects only itself. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'

/**
 * Checks all shown text: texts, tooltips, the window's title and inputs. Foreign text must be Hebrew only, because each
 * Latin letter next to it counts as the page's own.
 */
export async function assertIsolated(page: Page, where: string): Promise<void> {
  const { seen, faults } = await page.evaluate(() => {
    const isForeign = (text: string): boolean => /[\u05d0-\u05ea]/.test(text)
    const outsideIsolates = (text: string): string => text.replace(/\u2068[^\u2069]*\u2069/g, '')
    const found: string[] = []
    let count = 0
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.nodeValue!
      const parent = node.parentElement!
      if (!isForeign(text) || parent.closest('script, style, textarea')) continue
      count++
      if (!isForeign(outsideIsolates(text))) continue
      const holder = parent.closest('bdi, [dir=auto]')
      if (!holder || /[A-Za-z]/.test(holder.textContent)) found.push(parent.outerHTML)
    }
    for (const element of document.querySelectorAll('*')) {
      for (const name of ['title', 'placeholder', 'alt'])
        if (isForeign(outsideIsolates(element.getAttribute(name) ?? ''))) found.push(element.outerHTML)
      if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)
        if (isForeign(element.value) && element.dir !== 'auto') found.push(element.outerHTML)
    }
    return { seen: count, faults: found }
  })
  assert.deepEqual(faults, [], where)
  assert.ok(seen > 0, `${where}: nothing foreign is shown`)
}
