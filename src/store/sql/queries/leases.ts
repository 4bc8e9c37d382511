/** Work that one of several nodes does at a time. */
import { sql } from 'kysely'
import type { SqlContext } from '../sql-context.ts'
import type { Store } from '../../store.ts'

export function leaseQueries({ write, dialect, nodeId }: SqlContext): Store['leases'] {
  const holder = nodeId ?? ''
  // A database of a single server needs no leases.
  if (nodeId === null || dialect.now === undefined)
    return { take: () => Promise.resolve(true), release: () => Promise.resolve() }
  const { now } = dialect
  return {
    take: (name, forMs) =>
      write({ lane: 'leases' }, async (tx) => {
        const until = sql<number>`${now} + ${forMs}::bigint`
        const { rows } = await sql`
          insert into leases (name, holder, leased_until) values (${name}, ${holder}, ${until})
          on conflict (name) do update set holder = excluded.holder, leased_until = excluded.leased_until
          where leases.holder = excluded.holder or leases.leased_until <= ${now} returning name`.execute(tx)
        return rows.length > 0
      }),
    release: async (name) => {
      await write({ lane: 'leases' }, (tx) =>
        tx.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute(),
      )
    },
  }
}
