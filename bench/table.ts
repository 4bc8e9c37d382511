/** Prints rows in columns: the first to the left, the others, numbers mostly, to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column ? cell.padStart(widths[column]!) : cell.padEnd(widths[0]!)))
      .join('  ')
  console.log(line(head))
  console.log(widths.map((width) => '─'.repeat(width)).join('  '))
  for (const row of rows) console.log(line(row))
  console.log()
}

/** Says whether a goal was reached in this run. */
export function printGoal(text: string, reached: boolean): void {
  console.log(`${reached ? 'reached' : 'MISSED '}  ${text}`)
}
