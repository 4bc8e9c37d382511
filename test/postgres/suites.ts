/**
 * Runs the test files that depend on the store over one PostgreSQL, with a database for each server: `npm run
 * test:postgres`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { OwnPostgres, withoutPostgres } from '../support/postgres.ts'

const FILES = [
  'test/attack/kills.test.ts',
  'test/attack/races.test.ts',
  'test/cluster.test.ts',
  'test/entry.test.ts',
  'test/records.test.ts',
  'test/removals.test.ts',
  'test/server-sdk.test.ts',
  'test/webhooks.test.ts',
  'test/webhooks-killed.test.ts',
  'test/wire.test.ts',
  'test/wire-return.test.ts',
  'src/api/chat/sockets.test.ts',
  'src/api/rest/invites.test.ts',
  'src/api/rest/rest.test.ts',
  'src/api/rest/admin/keys.test.ts',
]

if (withoutPostgres !== false) {
  console.log(`${withoutPostgres}. Then "npm run test:postgres" runs over it`)
  for (const file of FILES) console.log(`  skipped: ${file}`)
  // If no test may be skipped, this is a failure.
  process.exit(process.argv.includes('--no-skips') ? 1 : 0)
}
const given = process.env.TEST_POSTGRES
const server = given === undefined ? await OwnPostgres.start() : undefined
const runner = spawn(
  process.execPath,
  [join(import.meta.dirname, '../../scripts/test/run.mjs'), ...process.argv.slice(2), ...FILES],
  {
    env: {
      ...process.env,
      TEST_STORE: 'postgres',
      TEST_POSTGRES: given ?? server!.admin,
      // Kills of a server that sends webhooks; over SQLite there are more.
      TEST_KILLS: process.env.TEST_KILLS ?? '5',
    },
    stdio: 'inherit',
  },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))
const [code] = (await once(runner, 'exit')) as [number | null]
await server?.stop()
process.exitCode = code ?? 1
