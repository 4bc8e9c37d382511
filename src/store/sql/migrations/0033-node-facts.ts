/** What an operator is told of each node, and which versions of the calls between nodes it speaks. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  const add = (name: string, type: 'integer' | 'bigint', value: number): Promise<void> =>
    db.schema
      .alterTable('nodes')
      .addColumn(name, type, (column) => column.notNull().defaultTo(value))
      .execute()
  await add('started_at', 'bigint', 0)
  await add('entry_requests', 'integer', 0)
  await add('processor_percent', 'integer', 0)
  await add('media_workers', 'integer', 0)
  // Nodes from before this step speak version 1.
  await add('wire_min', 'integer', 1)
  await add('wire_max', 'integer', 1)
}
