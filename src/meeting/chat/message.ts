/** Chat messages: incoming, stored and outgoing. Encoded here and not in `protocol/`, once for all recipients. */
import type { ChatRecord } from '../../store/store.ts'
import { encodeChatMessage, encodeServerFrame, NEW_MESSAGES, type Publish } from '../../protocol/chat.ts'
import { Refusal } from '../../protocol/errors.ts'
import { isReadable, MAX_WORDS_LENGTH } from '../../protocol/ids.ts'
import { HEARER_BYTES, RECORD_BYTES } from './limits.ts'

export type NewMessage = Omit<ChatRecord, 'sessionId'>

/** A message with its recipients. */
export type MessageToPublish = Pick<
  Publish,
  'topic' | 'message' | 'payload' | 'sendOnly' | 'persist' | 'messageId'
>

/** A message as sent to clients. */
export interface Encoded {
  bytes: Uint8Array
  senderId: string
  /** Recipients; empty: everybody. */
  sendOnly: readonly string[]
}

/** @throws {Refusal} INVALID_REQUEST */
export function assertTopic(name: string): void {
  if (!isReadable(name))
    throw new Refusal('INVALID_REQUEST', {
      message: `A topic must have 1 to ${MAX_WORDS_LENGTH} characters.`,
    })
}

/** How much of the quota a message uses. */
export function bytesOf({ topic, message, payload, sendOnly }: MessageToPublish): number {
  let bytes = RECORD_BYTES + Buffer.byteLength(topic) + Buffer.byteLength(message) + payload.length
  for (const id of sendOnly) bytes += HEARER_BYTES + 2 * Buffer.byteLength(id)
  return bytes
}

export function encode(record: NewMessage, seqNum = 0): Encoded {
  const { messageId, clientMessageId, senderId, senderName, message, payload, sendOnly, at } = record
  return {
    senderId,
    sendOnly,
    bytes: encodeChatMessage({
      message,
      payload,
      timestamp: new Date(at).toISOString(),
      senderId,
      senderName,
      persistMsgId: messageId,
      messageId: clientMessageId || messageId,
      sendOnly: [...sendOnly],
      seqNum,
    }),
  }
}

/** A private message goes to its recipients and its sender. */
export function mayHear(participantId: string, { sendOnly, senderId }: Encoded): boolean {
  return sendOnly.length === 0 || senderId === participantId || sendOnly.includes(participantId)
}

export function newMessages(topic: string, payloads: Uint8Array[]): Uint8Array {
  return encodeServerFrame('batch', { topic, payloads, batchType: NEW_MESSAGES, isLast: true })
}
