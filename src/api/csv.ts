/** Tables as text (RFC 4180). */

/** What spreadsheets take for a formula is text here: somebody's words are never run. */
const FORMULA = /^[=+\-@\t\r]/

export function csv(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  return [headings, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'
}
