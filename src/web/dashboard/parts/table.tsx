import type { ReactNode } from 'react'

export interface Column<Row> {
  title: string
  cell: (row: Row) => ReactNode
  /** Aligns figures at the end of the column. */
  figures?: boolean
  /** A column of buttons: at the end of the row, and without a title on a card. */
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
  // Explicit roles, because screen readers do not recognise a table that is laid out as cards.
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
