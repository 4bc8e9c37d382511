/** Starts a temporary PostgreSQL and a server on it, to try: `npm run try:postgres`. Both are removed at the end. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OwnPostgres, runSql, withoutOwnPostgres } from '../support/postgres.ts'

if (withoutOwnPostgres !== false) {
  console.error(withoutOwnPostgres)
  process.exit(1)
}
const folder = await mkdtemp(join(tmpdir(), 'anteroom-try-'))
const database = await OwnPostgres.start()
await runSql(database.admin, 'create database anteroom')
console.log(`PostgreSQL: ${database.urlOf('anteroom')}`)
const server = spawn(process.execPath, [join(import.meta.dirname, '../../src/cli.ts'), 'serve'], {
  env: { ...process.env, DATA_DIR: join(folder, 'data'), DATABASE_URL: database.urlOf('anteroom') },
  stdio: 'inherit',
})
// A terminal sends both signals to the server too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill('SIGTERM'))
server.on('exit', (code) => {
  void database
    .stop()
    .then(() => rm(folder, { recursive: true, force: true }))
    .finally(() => process.exit(code ?? 1))
})
