import type { Page } from './pages.ts'

/** A stored chat message of a session. */
export interface ChatRecord {
  sessionId: string
  /** Chosen by the server; unique. */
  messageId: string
  /** Chosen by the sender; may be empty. */
  clientMessageId: string
  topic: string
  senderId: string
  senderName: string
  message: string
  /** The app's data: JSON in UTF-8, or empty. */
  payload: Uint8Array
  /** Participant ids; empty for everybody. */
  sendOnly: readonly string[]
  at: number
  /** The sender's token; null in records of older versions. */
  tokenId: string | null
  /** The participant whose quota the message counts against; null if a token without a participant sent it over REST. */
  accountId: string | null
  /** How much of the session's quota the message uses. */
  bytes: number
}

/** A message with its number; numbers rise within a session. */
export interface KeptMessage extends ChatRecord {
  number: number
}

/** Selects messages of a session by topic and by who may read them. */
export interface ChatFilter {
  topic?: string
  /** Absent: all messages. Null: public messages only. A participant: public messages, and private ones to or from them. */
  hearer?: string | null
}

/** An upper limit on messages, and on bytes. The message that crosses the limit on bytes is included. */
export interface Newest {
  messages: number
  bytes?: number | undefined
}

/** A range of message numbers, both ends included; empty if `from` is above `to`. */
export interface Stretch {
  from: number
  to: number
}

/** How many bytes of a session's chat count against one token and one participant. */
export interface ChatShare {
  tokenId: string | null
  accountId: string | null
  bytes: number
}

/** Every call reads a bounded amount, however long the chat is. */
export interface ChatStore {
  /** Returns the number of the message. */
  append(message: ChatRecord): Promise<number>
  /** The range that holds a page, oldest first, and the number of messages on all pages. */
  page(sessionId: string, page: Page, filter?: ChatFilter): Promise<{ total: number; stretch: Stretch }>
  /** The range of the newest messages up to `to`. */
  newest(sessionId: string, most: Newest, to: number, filter?: ChatFilter): Promise<Stretch>
  /** Reads the first messages of a range, and returns the rest of the range if there is more. */
  read(
    sessionId: string,
    stretch: Stretch,
    filter?: ChatFilter,
  ): Promise<{ messages: KeptMessage[]; rest: Stretch | undefined }>
  /** Deletes messages that are older than this and whose session has ended, at most `limit`. Returns how many it deleted. */
  dropBefore(at: number, limit: number): Promise<number>
  /** The number of the last message, or 0, and the bytes used by each token and participant. */
  held(sessionId: string): Promise<{ last: number; shares: ChatShare[] }>
}
