/** Tables as text (RFC 4180). */

/** What spreadsheets take for a formula is text here: somebody's words are never run. */
const FORMULA = /^[=+\-@\t\r]/

/** One row with its line break. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(text: string): string {
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}
