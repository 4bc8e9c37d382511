import type { Selectable } from 'kysely'
import type { SqlContext } from '../sql-context.ts'
import type { Schema } from '../schema.ts'
import type { ChatFilter, ChatRecord, KeptMessage, Store } from '../../store.ts'

/** Limits of one read. The message that crosses the limit on bytes is included. */
const READ_MESSAGES = 100
const READ_BYTES = 128 * 1024
/** Every number of rows makes another prepared statement, and those are cached; so keep the number small. */
const ROWS_AT_ONCE = 50

export function chatQueries({ db, write }: SqlContext, meetings: ReadonlyMap<string, string>): Store['chat'] {
  /** Selects numbers and bytes only. They are in the indexes, so counting and skipping messages reads none of them. */
  const matching = (sessionId: string, { topic, hearer }: ChatFilter) => {
    let all = db.selectFrom('chat_messages').select(['number', 'bytes']).where('session_id', '=', sessionId)
    if (topic !== undefined) all = all.where('topic', '=', topic)
    if (hearer === undefined) return db.selectFrom(all.as('matching'))
    const everybodys = all.where('is_private', '=', 0)
    if (hearer === null) return db.selectFrom(everybodys.as('matching'))
    let own = db
      .selectFrom('chat_hearers')
      .select(['chat_hearers.number', 'chat_hearers.bytes'])
      .where('chat_hearers.session_id', '=', sessionId)
      .where('participant_id', '=', hearer)
    if (topic !== undefined) {
      own = own
        .innerJoin('chat_messages', 'chat_messages.number', 'chat_hearers.number')
        .where('chat_messages.topic', '=', topic)
    }
    return db.selectFrom(everybodys.unionAll(own).as('matching'))
  }

  return {
    append: (message) =>
      write({ lane: message.sessionId, fence: meetings.get(message.sessionId) }, async (tx) => {
        const { number } = await tx
          .insertInto('chat_messages')
          .values(toRow(message))
          .returning('number')
          .executeTakeFirstOrThrow()
        if (message.sendOnly.length === 0) return number
        const hearers = [...new Set([message.senderId, ...message.sendOnly])].map((participantId) => ({
          session_id: message.sessionId,
          participant_id: participantId,
          number,
          bytes: message.bytes,
        }))
        for (let at = 0; at < hearers.length; at += ROWS_AT_ONCE) {
          await tx
            .insertInto('chat_hearers')
            .values(hearers.slice(at, at + ROWS_AT_ONCE))
            .execute()
        }
        return number
      }),
    page: async (sessionId, { page, perPage }, filter = {}) => {
      const { total } = await matching(sessionId, filter)
        .select((select) => select.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const before = (page - 1) * perPage
      const wanted = Math.min(perPage, total - before)
      if (wanted <= 0) return { total, stretch: { from: 1, to: 0 } }
      // The database skips rows one by one, so reach a page in the second half from the end.
      const fromTheEnd = before > total / 2
      const rows = await matching(sessionId, filter)
        .select('number')
        .orderBy('number', fromTheEnd ? 'desc' : 'asc')
        .limit(wanted)
        .offset(fromTheEnd ? total - before - wanted : before)
        .execute()
      const [first, last] = [rows[0]!.number, rows.at(-1)!.number]
      return { total, stretch: { from: Math.min(first, last), to: Math.max(first, last) } }
    },
    newest: async (sessionId, { messages: count, bytes: mostBytes }, to, filter = {}) => {
      const newestFirst = matching(sessionId, filter).where('number', '<=', to).orderBy('number', 'desc')
      if (mostBytes !== undefined) {
        let [from, bytes] = [to + 1, 0]
        const sizes = newestFirst.select(['number', 'bytes'])
        for (const one of await (count === Infinity ? sizes : sizes.limit(Math.max(count, 0))).execute()) {
          if (bytes >= mostBytes) break
          from = one.number
          bytes += one.bytes
        }
        return { from, to }
      }
      if (count === Infinity) return { from: 0, to }
      const first = await newestFirst
        .select('number')
        .limit(1)
        .offset(Math.max(count, 1) - 1)
        .executeTakeFirst()
      // If there are fewer than `count`, take all.
      return { from: count <= 0 ? to + 1 : (first?.number ?? 0), to }
    },
    dropBefore: (at, limit) =>
      write({ lane: 'sweep' }, async (tx) => {
        const old = await tx
          .selectFrom('chat_messages')
          .select(['number', 'session_id'])
          .where('at', '<', at)
          .where(
            'session_id',
            'in',
            tx.selectFrom('sessions').select('session_id').where('ended_at', 'is not', null),
          )
          .orderBy('at')
          .limit(limit)
          .execute()
        if (old.length === 0) return 0
        const numbers = old.map(({ number }) => number)
        await tx
          .deleteFrom('chat_hearers')
          .where('session_id', 'in', [...new Set(old.map(({ session_id }) => session_id))])
          .where('number', 'in', numbers)
          .execute()
        await tx.deleteFrom('chat_messages').where('number', 'in', numbers).execute()
        return old.length
      }),
    read: async (sessionId, { from, to }, filter = {}) => {
      const ahead = await matching(sessionId, filter)
        .select(['number', 'bytes'])
        .where('number', '>=', from)
        .where('number', '<=', to)
        .orderBy('number')
        .limit(READ_MESSAGES + 1)
        .execute()
      let [taken, bytes] = [0, 0]
      while (taken < Math.min(ahead.length, READ_MESSAGES) && bytes < READ_BYTES)
        bytes += ahead[taken++]!.bytes
      if (taken === 0) return { messages: [], rest: undefined }
      const numbers = ahead.slice(0, taken).map(({ number }) => number)
      const rows = await db
        .selectFrom('chat_messages')
        .selectAll()
        .where('number', 'in', numbers)
        .orderBy('number')
        .execute()
      const next = ahead[taken]?.number
      return { messages: rows.map(toMessage), rest: next === undefined ? undefined : { from: next, to } }
    },
    held: async (sessionId) => {
      const ofSession = db.selectFrom('chat_messages').where('session_id', '=', sessionId)
      const { last } = await ofSession
        .select((select) => select.fn.max<number | null>('number').as('last'))
        .executeTakeFirstOrThrow()
      const shares = await ofSession
        .select((select) => ['token_id', 'account_id', select.fn.sum<number>('bytes').as('bytes')])
        .groupBy(['token_id', 'account_id'])
        .execute()
      return {
        last: last ?? 0,
        shares: shares.map(({ token_id, account_id, bytes }) => ({
          tokenId: token_id,
          accountId: account_id,
          bytes,
        })),
      }
    },
  }
}

function toRow(message: ChatRecord) {
  return {
    session_id: message.sessionId,
    message_id: message.messageId,
    client_message_id: message.clientMessageId,
    topic: message.topic,
    sender_id: message.senderId,
    sender_name: message.senderName,
    message: message.message,
    payload: Buffer.from(message.payload),
    send_only: JSON.stringify(message.sendOnly),
    at: message.at,
    is_private: message.sendOnly.length === 0 ? 0 : 1,
    bytes: message.bytes,
    token_id: message.tokenId,
    account_id: message.accountId,
  }
}

function toMessage(row: Selectable<Schema['chat_messages']>): KeptMessage {
  return {
    number: row.number,
    sessionId: row.session_id,
    messageId: row.message_id,
    clientMessageId: row.client_message_id,
    topic: row.topic,
    senderId: row.sender_id,
    senderName: row.sender_name,
    message: row.message,
    payload: row.payload,
    sendOnly: JSON.parse(row.send_only) as string[],
    at: row.at,
    tokenId: row.token_id,
    accountId: row.account_id,
    bytes: row.bytes,
  }
}
