/** The progress of a copy, stored in the target beside the copied rows. */
import { sql } from 'kysely'
import { HALF_COPY_TABLE } from '../sql/half-copy.ts'
import type { Db } from './rows.ts'

export class CopyProgress {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async create(): Promise<void> {
    await this.#db.schema
      .createTable(HALF_COPY_TABLE)
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute()
  }

  async drop(): Promise<void> {
    await this.#db.schema.dropTable(HALF_COPY_TABLE).execute()
  }

  async get(name: string): Promise<string | undefined> {
    const rows = this.#db.selectFrom(HALF_COPY_TABLE).select('value').where('name', '=', name)
    return (await rows.executeTakeFirst())?.value as string | undefined
  }

  async set(name: string, value: string): Promise<void> {
    await this.#db
      .insertInto(HALF_COPY_TABLE)
      .values({ name, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: sql.ref('excluded.value') }))
      .execute()
  }
}
