/** Writes tables as CSV (RFC 4180) for spreadsheets. */

/** Without this mark, Excel reads the file in the machine's code page. */
export const BYTE_ORDER_MARK = '\ufeff'

/**
 * A cell that a spreadsheet would run as a formula. Some spreadsheets skip white space and invisible characters before the sign, some accept
 * full-width and small forms of it, and some treat a tab or line break at the start of a cell as its end.
 */
const FORMULA = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠﹦﹢﹣﹫−])/u

/** One row with its line break. Puts an apostrophe before text that looks like a formula. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(text: string): string {
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
}
