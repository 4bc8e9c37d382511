import type { Ground } from '../ground.ts'
import type { Store } from '../store.ts'

export function chatQueries({ db, write }: Ground): Store['chat'] {
  return {
    append: async (message) => {
      const row = {
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
      }
      await write((tx) => tx.insertInto('chat_messages').values(row).execute())
    },
    list: async (sessionId) => {
      const rows = await db
        .selectFrom('chat_messages')
        .selectAll()
        .where('session_id', '=', sessionId)
        .orderBy('number')
        .execute()
      return rows.map((row) => ({
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
      }))
    },
  }
}
