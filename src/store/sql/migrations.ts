/** The steps by which a database of any age becomes one of today. */
import { sql, type Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import type { SqlDialect } from './dialect.ts'
import type { Schema } from './schema.ts'
import * as first from './migrations/0001-first.ts'
import * as chat from './migrations/0002-chat.ts'
import * as records from './migrations/0003-records.ts'
import * as removals from './migrations/0004-removals.ts'
import * as chatReading from './migrations/0005-chat-reading.ts'
import * as inviteMakers from './migrations/0006-invite-makers.ts'
import * as chatAccounts from './migrations/0007-chat-accounts.ts'
import * as inviteParticipants from './migrations/0008-invite-participants.ts'
import * as inviteExpiry from './migrations/0009-invite-expiry.ts'
import * as removalTokens from './migrations/0010-removal-tokens.ts'
import * as deliveryTries from './migrations/0011-delivery-tries.ts'
import * as rowNumbers from './migrations/0012-row-numbers.ts'
import * as outputs from './migrations/0013-outputs.ts'
import * as outputFiles from './migrations/0015-output-files.ts'
import * as jobs from './migrations/0016-jobs.ts'
import * as sessionDecisions from './migrations/0020-session-decisions.ts'
import * as owners from './migrations/0022-owners.ts'
import * as sessionValues from './migrations/0024-session-values.ts'
import * as nodes from './migrations/0025-nodes.ts'
import * as outputUploads from './migrations/0027-output-uploads.ts'
import * as deliveryAbout from './migrations/0028-delivery-about.ts'
import * as operators from './migrations/0029-operators.ts'
import * as statsByTime from './migrations/0030-stats-by-time.ts'
import * as polls from './migrations/0031-polls.ts'
import * as nodeFacts from './migrations/0033-node-facts.ts'
import * as jobUploads from './migrations/0036-job-uploads.ts'
import * as outputPieces from './migrations/0040-output-pieces.ts'
import * as audit from './migrations/0049-audit.ts'
import * as secondFactors from './migrations/0050-second-factors.ts'
import * as externalOperators from './migrations/0051-external-operators.ts'
import * as usage from './migrations/0054-usage.ts'
import * as deliveryAnswers from './migrations/0055-delivery-answers.ts'
import * as usageTotals from './migrations/0056-usage-totals.ts'
import * as standingAdmissions from './migrations/0057-standing-admissions.ts'
import * as people from './migrations/0058-people.ts'
import * as jobFiles from './migrations/0059-job-files.ts'
import * as usageMonths from './migrations/0060-usage-months.ts'
import * as removers from './migrations/0061-removers.ts'

interface Step {
  up(db: Kysely<unknown>, dialect: SqlDialect): Promise<void>
}

/** In order; names are never changed once published. */
const steps: Record<string, Step> = {
  '0001-first': first,
  '0002-chat': chat,
  '0003-records': records,
  '0004-removals': removals,
  '0005-chat-reading': chatReading,
  '0006-invite-makers': inviteMakers,
  '0007-chat-accounts': chatAccounts,
  '0008-invite-participants': inviteParticipants,
  '0009-invite-expiry': inviteExpiry,
  '0010-removal-tokens': removalTokens,
  '0011-delivery-tries': deliveryTries,
  '0012-row-numbers': rowNumbers,
  '0013-outputs': outputs,
  '0015-output-files': outputFiles,
  '0016-jobs': jobs,
  '0020-session-decisions': sessionDecisions,
  '0022-owners': owners,
  '0024-session-values': sessionValues,
  '0025-nodes': nodes,
  '0027-output-uploads': outputUploads,
  '0028-delivery-about': deliveryAbout,
  '0029-operators': operators,
  '0030-stats-by-time': statsByTime,
  '0031-polls': polls,
  '0033-node-facts': nodeFacts,
  '0036-job-uploads': jobUploads,
  '0040-output-pieces': outputPieces,
  '0049-audit': audit,
  '0050-second-factors': secondFactors,
  '0051-external-operators': externalOperators,
  '0054-usage': usage,
  '0055-delivery-answers': deliveryAnswers,
  '0056-usage-totals': usageTotals,
  '0057-standing-admissions': standingAdmissions,
  '0058-people': people,
  '0059-job-files': jobFiles,
  '0060-usage-months': usageMonths,
  '0061-removers': removers,
}

/** The table in which a database keeps the names of the steps that it has taken. */
export const MIGRATION_TABLE = 'kysely_migration'
export const FIRST_MIGRATION = '0001-first'

/** Whether this program knows every step that a database has taken. */
export function knowsAll(taken: readonly string[]): boolean {
  return taken.every((name) => name in steps)
}

/**
 * The end of the name of a step that takes something away which older programs use. All other steps only add, so that
 * programs of both versions can work on the database during a rolling upgrade.
 */
const TAKES_AWAY = '-contract'

/** Whether a program that does not know some of these steps can work on the database all the same. */
export function canWorkAfter(taken: readonly string[], known: Record<string, unknown> = steps): boolean {
  return taken.every((name) => name in known || !name.endsWith(TAKES_AWAY))
}

/** Of the steps that a database has not taken, those after which programs that run now could not work on it. */
export function takingAway(taken: readonly string[], known: Record<string, unknown> = steps): string[] {
  return Object.keys(known).filter((name) => name.endsWith(TAKES_AWAY) && !taken.includes(name))
}

/** Takes the steps that are missing. Answers what went wrong, and which steps the database has taken by then. */
export async function migrate(
  db: Kysely<Schema>,
  dialect: SqlDialect,
): Promise<{ error: unknown; taken: string[] }> {
  const passed = dialect.name === 'postgres' ? await takenIn(db).catch(() => []) : []
  const later = passed.filter((name) => !(name in steps) && canWorkAfter([name]))
  const nothing = { up: () => Promise.resolve() }
  const migrations = Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [
      name,
      { up: (inside: Kysely<unknown>) => step.up(inside, dialect) },
    ]),
  )
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: () =>
        Promise.resolve({ ...migrations, ...Object.fromEntries(later.map((name) => [name, nothing])) }),
    },
    // Steps that were written side by side may be taken in any order.
    allowUnorderedMigrations: true,
  })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return { error, taken: Object.keys(steps) }
  return { error, taken: await takenIn(db).catch(() => []) }
}

export async function takenIn(db: Kysely<Schema>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)}`.execute(db)
  return rows.map(({ name }) => name)
}
