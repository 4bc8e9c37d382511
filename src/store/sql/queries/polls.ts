import type { SqlContext, Turn } from '../sql-context.ts'
import type { Store } from '../../store.ts'

export function pollQueries(
  { db, write }: SqlContext,
  /** The meeting of each session that goes on here. */
  meetings: ReadonlyMap<string, string>,
): Store['polls'] {
  const laneOf = (sessionId: string): Turn => ({
    lane: `polls:${sessionId}`,
    fence: meetings.get(sessionId),
  })
  return {
    add: async (sessionId, poll) => {
      await write(laneOf(sessionId), (tx) =>
        tx
          .insertInto('polls')
          .values({
            session_id: sessionId,
            poll_id: poll.pollId,
            question: poll.question,
            options: JSON.stringify(poll.options),
            multiple: poll.multiple ? 1 : 0,
            anonymous: poll.anonymous ? 1 : 0,
            asker_id: poll.askerId,
            asker_name: poll.askerName,
            created_at: poll.createdAt,
            ended_at: poll.endedAt,
          })
          .execute(),
      )
    },
    end: async (sessionId, pollId, at) => {
      await write(laneOf(sessionId), (tx) =>
        tx
          .updateTable('polls')
          .set({ ended_at: at })
          .where('session_id', '=', sessionId)
          .where('poll_id', '=', pollId)
          .execute(),
      )
    },
    vote: async (sessionId, { pollId, participantId, tokenId, name, choices, at }) => {
      const row = { name, choices: JSON.stringify(choices), at }
      await write(laneOf(sessionId), (tx) =>
        tx
          .insertInto('poll_votes')
          .values({
            session_id: sessionId,
            poll_id: pollId,
            participant_id: participantId,
            token_id: tokenId,
            ...row,
          })
          .onConflict((conflict) =>
            conflict.columns(['session_id', 'poll_id', 'participant_id', 'token_id']).doUpdateSet(row),
          )
          .execute(),
      )
    },
    list: async (sessionId) => {
      const rows = await db
        .selectFrom('polls')
        .selectAll()
        .where('session_id', '=', sessionId)
        .orderBy('created_at')
        .orderBy('poll_id')
        .execute()
      return rows.map((row) => ({
        pollId: row.poll_id,
        question: row.question,
        options: JSON.parse(row.options) as string[],
        multiple: row.multiple === 1,
        anonymous: row.anonymous === 1,
        askerId: row.asker_id,
        askerName: row.asker_name,
        createdAt: row.created_at,
        endedAt: row.ended_at,
      }))
    },
    votes: async (sessionId) => {
      const rows = await db
        .selectFrom('poll_votes')
        .selectAll()
        .where('session_id', '=', sessionId)
        .orderBy('at')
        .execute()
      return rows.map((row) => ({
        pollId: row.poll_id,
        participantId: row.participant_id,
        tokenId: row.token_id,
        name: row.name,
        choices: JSON.parse(row.choices) as number[],
        at: row.at,
      }))
    },
  }
}
