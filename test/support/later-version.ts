/**
 * The program as a later version of it may be: the present one with a higher version, calls between nodes of a higher
 * version beside those of today, and one more migration, which adds a column and a table.
 */
import { cp, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
export const LATER = '99.0.0'
const STEP = `import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql\`alter table meetings add column of_a_later_version text not null default 'later'\`.execute(db)
  await sql\`create table of_a_later_version (id text primary key)\`.execute(db)
}
`

/** Returns its folder, which the caller deletes, and its command line. */
export async function makeLaterVersion(): Promise<{ folder: string; cli: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-later-'))
  await Promise.all([
    cp(join(root, 'src'), join(folder, 'src'), { recursive: true }),
    ...['node_modules', 'scripts', 'dist'].map((name) => symlink(join(root, name), join(folder, name))),
  ])
  const change = async (path: string, from: string | RegExp, to: string): Promise<void> => {
    const before = await readFile(join(root, path), 'utf8')
    const after = before.replace(from, to)
    if (after === before) throw new Error(`${path} has nothing like ${from}`)
    await writeFile(join(folder, path), after)
  }
  await change('package.json', /"version": "[^"]+"/, `"version": "${LATER}"`)
  await change('src/cluster/wire.ts', /wireMax: (\d+)/, 'wireMax: $1 + 1')
  await change(
    'src/store/sql/migrations.ts',
    /const steps: Record<string, Step> = \{/,
    `import * as later from './migrations/9000-later.ts'\n$&\n  '9000-later': later,`,
  )
  await writeFile(join(folder, 'src/store/sql/migrations/9000-later.ts'), STEP)
  return { folder, cli: join(folder, 'src/cli.ts') }
}
