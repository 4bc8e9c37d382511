/** A table of results: one row per version, one column per journey. */
export class Table<Column extends string> {
  readonly #columns: readonly Column[]
  readonly #rows = new Map<string, Map<Column, string>>()

  constructor(columns: readonly Column[]) {
    this.#columns = columns
  }

  set(row: string, column: Column, value: string): void {
    if (!this.#rows.has(row)) this.#rows.set(row, new Map())
    this.#rows.get(row)!.set(column, value)
  }

  print(): void {
    const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
    console.log(line(['version', ...this.#columns]))
    console.log(`|${'---|'.repeat(this.#columns.length + 1)}`)
    for (const [row, cells] of this.#rows)
      console.log(line([row, ...this.#columns.map((column) => cells.get(column) ?? '')]))
  }
}
