import type { Page } from './pages.ts'

/** One message of a session's chat that was to be kept. */
export interface ChatRecord {
  sessionId: string
  /** Ours, unique. */
  messageId: string
  /** The sender's own; may be empty. */
  clientMessageId: string
  topic: string
  senderId: string
  senderName: string
  message: string
  /** The app's own data: JSON in UTF-8, or nothing. */
  payload: Uint8Array
  /** Participant ids; empty for everybody. */
  sendOnly: readonly string[]
  at: number
  /** Of the token that it was said with; null in records of older versions. */
  tokenId: string | null
  /** The participant on whose account it is kept; null where it was said over REST by a token bound to nobody. */
  accountId: string | null
  /** What it takes of the room that a session has. */
  bytes: number
}

/** A message as it was kept; numbers rise within a session. */
export interface KeptMessage extends ChatRecord {
  number: number
}

/** Which messages of a session: of one topic, if it is named, and those that somebody may hear. */
export interface ChatFilter {
  topic?: string
  /** Absent: all. Null: what everybody hears. A participant: also what is private and to or from that one. */
  hearer?: string | null
}

/** So many messages at most, and so many bytes with the message that goes beyond. */
export interface Newest {
  messages: number
  bytes?: number | undefined
}

/** Messages by their numbers, both included; none where `from` is above `to`. */
export interface Stretch {
  from: number
  to: number
}

/** What of a session's chat was said with one token on one participant's account. */
export interface ChatShare {
  tokenId: string | null
  accountId: string | null
  bytes: number
}

/** No call reads more than a part, however much was said. */
export interface ChatStore {
  /** Answers its number. */
  append(message: ChatRecord): Promise<number>
  /** The stretch that holds a page, oldest first, and how many there are on all pages. */
  page(sessionId: string, page: Page, filter?: ChatFilter): Promise<{ total: number; stretch: Stretch }>
  /** The stretch of the last, none of them after `to`. */
  newest(sessionId: string, most: Newest, to: number, filter?: ChatFilter): Promise<Stretch>
  /** The first messages of a stretch, as many as are read at once, and the rest of it if there is one. */
  read(
    sessionId: string,
    stretch: Stretch,
    filter?: ChatFilter,
  ): Promise<{ messages: KeptMessage[]; rest: Stretch | undefined }>
  /** The number of the last message, 0 where there is none, and who said how much. */
  held(sessionId: string): Promise<{ last: number; shares: ChatShare[] }>
}
