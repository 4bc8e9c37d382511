/** Text of people that would be markup, script or a formula where somebody forgets to write it as text. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'

/** What an element made from any of these is known by. */
const MARK = 'data-hostile'

/** Short enough for a name; each sets `globalThis.hostile` where it runs, or makes an element with the mark. */
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

/** What a spreadsheet would work out. */
export const hostileCells: readonly string[] = [
  '=HYPERLINK("http://evil.example","x")',
  '+1+1',
  '-2+3',
  '@SUM(1)',
  '\t=1+1',
  '\r=1+1',
]

/** Nothing of it became an element or ran, wherever on the page it is shown. */
export async function assertOnlyText(page: Page, where: string): Promise<void> {
  const found = await page.evaluate(
    `({ marked: [...document.querySelectorAll('[${MARK}]')].map((one) => one.outerHTML), ran: globalThis.hostile ?? null })`,
  )
  assert.deepEqual(found, { marked: [], ran: null }, where)
}

/** No cell of a comma-separated text begins as a formula does. */
export function assertNoFormulas(csv: string): void {
  for (const cell of csv.matchAll(/(?:^|,|\r?\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)) {
    const text = cell[1] ?? cell[2] ?? ''
    assert.ok(!/^[=+@\t\r]|^-(?!\d+(\.\d+)?$)/.test(text), `a cell begins as a formula: ${text}`)
  }
}
