/** A commit whose answer was lost, and a database that cannot tell its outcome. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kysely, sql } from 'kysely'
import type pg from 'pg'
import { Refusal } from '../../protocol/errors.ts'
import type { Schema } from '../sql/schema.ts'
import { WriteQueue } from '../sql/write-queue.ts'
import { troubleOf } from '../unavailable.ts'
import { PoolDialect, type Connections } from './pool.ts'
import { Transactions } from './transactions.ts'

/** Connections on which this function answers each statement. */
function answering(answer: (text: string) => object[]): Connections {
  const query = async (text: string): Promise<pg.QueryResult> => {
    const rows = await Promise.resolve(answer(text))
    return { command: 'SELECT', rowCount: rows.length, oid: 0, fields: [], rows }
  }
  return {
    connect: () => Promise.resolve({ query, release: () => undefined }),
    end: () => Promise.resolve(),
  }
}

const fates: Record<string, () => object[]> = {
  'was never told of it, e.g. a standby that took over': () => {
    throw Object.assign(new Error('transaction ID 7 is in the future'), { code: '22023' })
  },
  'has forgotten it': () => [{ status: null }],
}

for (const [what, fate] of Object.entries(fates))
  test(`writes are refused and do not run again where the database ${what}`, async () => {
    const writers = answering((text) => {
      if (text === 'commit') throw new Refusal('STORE_UNAVAILABLE', { reason: 'away' })
      return [{ name: '7' }]
    })
    const reader = new Kysely<Schema>({ dialect: new PoolDialect(answering(fate)) })
    const transactions = new Transactions(writers, reader, () => false)
    const queue = new WriteQueue<Schema>(
      transactions.run,
      () => assert.fail('nothing was committed'),
      () => undefined,
    )
    const ran: string[] = []
    const write = (name: string): Promise<unknown> =>
      queue.run({ lane: name }, (db) => {
        ran.push(name)
        return sql`select 1`.execute(db)
      })
    const outcomes = await Promise.allSettled([write('first'), write('second')])
    assert.deepEqual(ran, ['first', 'second'])
    for (const one of outcomes) {
      assert.ok(one.status === 'rejected')
      assert.equal(troubleOf(one.reason), 'failing')
    }
    transactions.assertSure()
  })
