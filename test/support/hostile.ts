/** Text of people that would be markup, script or a formula if somebody forgot to escape it. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'

/** Marks the elements that such a text would create. */
const MARK = 'data-hostile'

/** Short enough for a name. Each sets `globalThis.hostile` if it runs, or creates an element with the mark. */
export const hostileTexts: readonly string[] = [
  `<img src=x ${MARK} onerror="globalThis.hostile=1">`,
  `<script ${MARK}>globalThis.hostile=2</script>`,
  `"><svg ${MARK} onload=globalThis.hostile=3>`,
  `'-globalThis.hostile=4-'`,
  `<a ${MARK} href="javascript:globalThis.hostile=5">x</a>`,
  `</textarea></title></style><b ${MARK}>bold</b>`,
  `<iframe ${MARK} srcdoc="<script>parent.hostile=6</script>"></iframe>`,
  `javascript:globalThis.hostile=7//<i ${MARK}>`,
  `{{globalThis.hostile=8}}\${globalThis.hostile=8}<u ${MARK}>`,
  `&lt;img ${MARK} src=x onerror=globalThis.hostile=9&gt;`,
]

/** Texts that a spreadsheet would evaluate. */
export const hostileCells: readonly string[] = [
  '=HYPERLINK("http://evil.example","x")',
  '+1+1',
  '-2+3',
  '@SUM(1)',
  '\t=1+1',
  '\r=1+1',
]

/** Asserts that no such text became an element or ran, anywhere on the page. */
export async function assertOnlyText(page: Page, where: string): Promise<void> {
  const found = await page.evaluate(
    `({ marked: [...document.querySelectorAll('[${MARK}]')].map((one) => one.outerHTML), ran: globalThis.hostile ?? null })`,
  )
  assert.deepEqual(found, { marked: [], ran: null }, where)
}

/** Asserts that no cell of a CSV text begins like a formula. */
export function assertNoFormulas(csv: string): void {
  for (const cell of csv.matchAll(/(?:^|,|\r?\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)) {
    const text = cell[1] ?? cell[2] ?? ''
    assert.ok(!/^[=+@\t\r]|^-(?!\d+(\.\d+)?$)/.test(text), `a cell begins as a formula: ${text}`)
  }
}
