/** The queries of the store, independent of the database's dialect. */
import type { Store } from '../store.ts'
import type { SqlContext } from './sql-context.ts'
import { revokedTokenQueries, secretQueries, signInQueries, valueQueries } from './queries/access.ts'
import { auditQueries } from './queries/audit.ts'
import { chatQueries } from './queries/chat.ts'
import { figureQueries } from './queries/figures.ts'
import { inviteQueries } from './queries/invites.ts'
import { jobQueries } from './queries/jobs.ts'
import { leaseQueries } from './queries/leases.ts'
import { keyQueries, projectQueries } from './queries/keys.ts'
import { meetingQueries } from './queries/meetings.ts'
import { OutboxSignal, outboxQueries } from './queries/outbox.ts'
import { operatorQueries } from './queries/operators.ts'
import { outputQueries } from './queries/outputs.ts'
import { pastSessionQueries } from './queries/past-sessions.ts'
import { peopleQueries } from './queries/people.ts'
import { pollQueries } from './queries/polls.ts'
import { sessionValueQueries } from './queries/session-values.ts'
import { sessionQueries } from './queries/sessions.ts'
import { standingQueries } from './queries/standing.ts'
import { usageQueries } from './queries/usage.ts'

/** A sealed value that every start opens, so that a wrong master key is noticed at once. */
export const SEAL_PROBE = 'seal-probe'

/** @throws {SealBroken} if the store was created with another master key */
export async function proveSeal({ db, write, seal }: SqlContext): Promise<void> {
  const read = () =>
    db.selectFrom('stored_values').select('value').where('name', '=', SEAL_PROBE).executeTakeFirst()
  if (!(await read()))
    // Of two first starts at once, the slower one opens the probe of the other.
    await write({ lane: 'values' }, (tx) =>
      tx
        .insertInto('stored_values')
        .values({ name: SEAL_PROBE, value: seal.seal(SEAL_PROBE, SEAL_PROBE) })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    )
  seal.open((await read())!.value, SEAL_PROBE)
}

export function storeOver(context: SqlContext): Omit<Store, 'close' | 'files' | 'version'> {
  const signal = new OutboxSignal()
  const meetings = new Map<string, string>()
  return {
    projects: projectQueries(context),
    keys: keyQueries(context),
    meetings: meetingQueries(context),
    sessions: { ...sessionQueries(context, signal, meetings), ...pastSessionQueries(context) },
    invites: inviteQueries(context),
    standing: standingQueries(context),
    chat: chatQueries(context, meetings),
    polls: pollQueries(context, meetings),
    outbox: outboxQueries(context, signal),
    figures: figureQueries(context),
    outputs: outputQueries(context, signal),
    jobs: jobQueries(context, signal),
    usage: usageQueries(context),
    leases: leaseQueries(context),
    sessionValues: context.nodeId === null ? undefined : sessionValueQueries(context, meetings),
    revokedTokens: revokedTokenQueries(context),
    signIns: signInQueries(context),
    operators: operatorQueries(context),
    audit: auditQueries(context),
    people: peopleQueries(context),
    secrets: secretQueries(context),
    values: valueQueries(context),
    check: async () => {
      // Nodes would wait for each other's checks.
      const { nodeId } = context
      if (nodeId !== null) {
        const row = { name: `check:${nodeId}`, holder: nodeId, leased_until: 0 }
        await context.write({ lane: 'leases' }, (tx) =>
          tx
            .insertInto('leases')
            .values(row)
            .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
            .execute(),
        )
        return
      }
      await context.write({ lane: 'values' }, (tx) =>
        tx.updateTable('stored_values').set({ name: SEAL_PROBE }).where('name', '=', SEAL_PROBE).execute(),
      )
    },
  }
}
