/** What is done with the messages that were said: find some, answer one, and save them all as a text. */
import type { ChatMessage } from '../../client/client.ts'

/** The only reader of a message. The name is kept because the reader may have left. */
export interface Addressee {
  id: string
  name: string
}

/** The message being written. It survives when the panel is closed. */
export interface Draft {
  text: string
  /** Undefined: everybody. */
  to?: Addressee | undefined
  /** The id of the message that it answers. */
  replyTo?: string | undefined
  /** Each becomes a message of its own. */
  files?: readonly File[] | undefined
}

/**
 * A reply names the message that it answers. It does not repeat it, so that nobody can put words into another's mouth,
 * and a private message is quoted only to those who have it. Published clients show the text alone.
 */
export const replyPayload = (replyTo: string): { replyTo: string } => ({ replyTo })

/** The id of the message that this one answers. */
export function answeredBy({ payload }: Pick<ChatMessage, 'payload'>): string | undefined {
  const id = (payload as { replyTo?: unknown } | null | undefined)?.replyTo
  return typeof id === 'string' && id !== '' ? id : undefined
}

/** The draft once it answers this message: a private message is answered in private. */
export function asReply(
  draft: Draft,
  { id, from, fromName, to }: ChatMessage,
  self: string,
  nameOf: (id: string) => string,
): Draft {
  const reply = { ...draft, replyTo: id }
  if (to.length === 0) return reply
  const reader: Addressee =
    from === self ? { id: to[0]!, name: nameOf(to[0]!) } : { id: from, name: fromName }
  return { ...reply, to: reader }
}

/** The messages that contain all of these words, in the text or as the sender's name. */
export function search(messages: readonly ChatMessage[], wanted: string): readonly ChatMessage[] {
  const words = wanted
    .toLocaleLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0) return messages
  return messages.filter(({ text, fromName }) => {
    const said = `${fromName}\n${text}`.toLocaleLowerCase()
    return words.every((word) => said.includes(word))
  })
}

/** The messages as a text file. The lines of a message after its first are indented, so that none looks like another message. */
export function asText(
  messages: readonly ChatMessage[],
  readersOf: (message: ChatMessage) => string,
): string {
  return messages
    .map((message) => {
      const readers = readersOf(message)
      const who = oneLine(message.fromName) + (readers === '' ? '' : ` (${oneLine(readers)})`)
      const said = message.text.replaceAll(/\r\n?|[\n\u2028\u2029]/g, '\n    ')
      return `${new Date(message.at).toISOString()} ${who}: ${said}\n`
    })
    .join('')
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')
