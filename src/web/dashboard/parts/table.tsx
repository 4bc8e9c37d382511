import type { ReactNode } from 'react'

export interface Column<Row> {
  title: string
  cell: (row: Row) => ReactNode
  /** Figures stand at the end of their column. */
  figures?: boolean
  /** Buttons: no title on a card, at the end of a row. */
  actions?: boolean
}

/** A table; on a narrow screen each row is a card. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  busy = false,
}: {
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  busy?: boolean
}) {
  const kind = ({ figures, actions }: Column<Row>): string | undefined =>
    figures ? 'figures' : actions ? 'actions' : undefined
  // The roles are said because a table that is laid out as cards is none to a screen reader otherwise.
  return (
    <table className="cards" role="table" aria-busy={busy}>
      <caption className="visually-hidden">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.title} role="columnheader" scope="col" className={kind(column)}>
              <span className={column.actions ? 'visually-hidden' : undefined}>{column.title}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map((column) => (
              <td key={column.title} role="cell" data-title={column.title} className={kind(column)}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
