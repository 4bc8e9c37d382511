/** The queries of the store, independent of the database's dialect. */
import type { Store } from '../store.ts'
import type { SqlContext } from './sql-context.ts'
import type { Seal } from '../secrets/seal.ts'
import { revokedTokenQueries, secretQueries, signInQueries, valueQueries } from './queries/access.ts'
import { chatQueries } from './queries/chat.ts'
import { figureQueries } from './queries/figures.ts'
import { inviteQueries } from './queries/invites.ts'
import { keyQueries, projectQueries } from './queries/keys.ts'
import { meetingQueries } from './queries/meetings.ts'
import { OutboxSignal, outboxQueries } from './queries/outbox.ts'
import { sessionQueries } from './queries/sessions.ts'

/** A sealed value that every start opens, so that a wrong master key is noticed at once. */
export const SEAL_PROBE = 'seal-probe'

/** @throws {SealBroken} if the store was created with another master key */
export async function proveSeal({ values }: Pick<Store, 'values'>, seal: Seal): Promise<void> {
  const probe = await values.get(SEAL_PROBE)
  if (probe === undefined) await values.set(SEAL_PROBE, seal.seal(SEAL_PROBE, SEAL_PROBE))
  else seal.open(probe, SEAL_PROBE)
}

export function storeOver(context: SqlContext): Omit<Store, 'close' | 'files' | 'version'> {
  const signal = new OutboxSignal()
  return {
    projects: projectQueries(context),
    keys: keyQueries(context),
    meetings: meetingQueries(context),
    sessions: sessionQueries(context, signal),
    invites: inviteQueries(context),
    chat: chatQueries(context),
    outbox: outboxQueries(context, signal),
    figures: figureQueries(context),
    revokedTokens: revokedTokenQueries(context),
    signIns: signInQueries(context),
    secrets: secretQueries(context),
    values: valueQueries(context),
    check: async () => {
      await context.write((tx) =>
        tx.updateTable('stored_values').set({ name: SEAL_PROBE }).where('name', '=', SEAL_PROBE).execute(),
      )
    },
  }
}
