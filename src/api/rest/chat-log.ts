/**
 * Returns stored chat messages over REST. They are read part by part, as fast as the caller reads them, so that a long log needs no more
 * memory than a short one, and other requests run between two parts.
 */
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Static } from 'typebox'
import type { Message } from '../../protocol/rest/sessions.ts'
import type { PageInfo } from '../../protocol/rest.ts'
import type { ChatFilter, KeptMessage, Store, Stretch } from '../../store/store.ts'
import { BYTE_ORDER_MARK, csvRow } from './csv.ts'

/** A range of a session's chat, as far as `filter` allows. */
export interface ChatPart {
  chat: Pick<Store['chat'], 'read'>
  sessionId: string
  stretch: Stretch
  filter: ChatFilter
}

/** A paragraph for the API document. */
export const ofPrivateMessages =
  'A token with the role `crawler` or the permission `allow_mod` reads everything. Any other reads what everybody heard, and of private messages those to and from the participant that it is bound to.'

/** The whole log. */
export const WHOLE_LOG: Stretch = { from: 0, to: Number.MAX_SAFE_INTEGER }

/** The body of a page of messages. */
export function messagesAsJson(part: ChatPart, pageInfo: PageInfo): Readable {
  async function* text(): AsyncGenerator<string> {
    let before = `{"pageInfo":${JSON.stringify(pageInfo)},"data":[`
    for await (const messages of partsOf(part)) {
      yield before + messages.map((message) => JSON.stringify(toMessage(message))).join(',')
      before = ','
    }
    yield before === ',' ? ']}' : `${before}]}`
  }
  return asStream(text())
}

/** The messages as a table, with headings. */
export function messagesAsCsv(part: ChatPart): Readable {
  async function* text(): AsyncGenerator<string> {
    const headings = csvRow(['timestamp', 'topic', 'senderId', 'senderName', 'message', 'sendOnly'])
    let before = BYTE_ORDER_MARK + headings
    for await (const messages of partsOf(part)) {
      yield before + messages.map(toRow).join('')
      before = ''
    }
    if (before !== '') yield before
  }
  return asStream(text())
}

async function* partsOf({ chat, sessionId, stretch, filter }: ChatPart): AsyncGenerator<KeptMessage[]> {
  for (let rest: Stretch | undefined = stretch; rest;) {
    const part = await chat.read(sessionId, rest, filter)
    if (part.messages.length > 0) yield part.messages
    rest = part.rest
    if (rest) await setImmediate()
  }
}

/** Sizes the stream's buffer in bytes; counted in parts, 16 parts would wait. */
function asStream(text: AsyncGenerator<string>): Readable {
  return Readable.from(text, { objectMode: false })
}

function toRow({ at, topic, senderId, senderName, message, sendOnly }: KeptMessage): string {
  return csvRow([new Date(at).toISOString(), topic, senderId, senderName, message, sendOnly.join(' ')])
}

function toMessage(kept: KeptMessage): Static<typeof Message> {
  const { messageId, topic, message, payload, senderId, senderName, sendOnly, at } = kept
  return {
    id: messageId,
    topic,
    message,
    payload: payload.length === 0 ? null : parsed(payload),
    senderId,
    senderName,
    sendOnly: [...sendOnly],
    timestamp: new Date(at).toISOString(),
  }
}

/** The app's data is JSON by convention only. */
function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown
  } catch {
    return null
  }
}
