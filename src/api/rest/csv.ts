/** Tables as text (RFC 4180), to be opened in a spreadsheet. */

/** Excel takes a table without it for one in the code page of the machine. */
export const BYTE_ORDER_MARK = '\ufeff'

/**
 * A cell that a spreadsheet would run as a formula. Some skip white space and invisible characters before the sign, some take the
 * full-width and small forms of it, and some take a tab or a line break at the start of a cell as its end.
 */
const FORMULA = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠﹦﹢﹣﹫−])/u

/** One row with its line break. Somebody's words are text, so an apostrophe goes before what looks like a formula. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(text: string): string {
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}
