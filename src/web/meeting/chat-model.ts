/** The chat of a meeting: messages, raised hands and reactions. */
import { MeetingError, type Chat, type ChatMessage, type Files } from '../../client/client.ts'
import { failureOf } from '../failure.ts'
import { text } from '../texts/texts.ts'
import { filePayload } from './chat-files.ts'
import { replyPayload, type Draft } from './chat-log.ts'
import { mentions } from './said.ts'
import type { Subscribe } from './view.ts'

/** Apps on the published client use the same topics. */
const CHAT = 'CHAT'
const HANDS = 'RAISE_HAND'
const REACTIONS = 'REACTION'
const REACTION_MS = 4000
const MAX_REACTION_LENGTH = 8

export interface Unsent extends Draft {
  id: number
  problem: string
}

/** Immutable: a part that changes becomes a new object. */
export interface ChatState {
  readonly messages: readonly ChatMessage[]
  readonly draft: Draft
  /** How many messages wait for the server's answer. */
  readonly sending: number
  /** Messages that were not sent, or may not have been. */
  readonly unsent: readonly Unsent[]
  readonly unread: number
  /** The participantIds of people with a raised hand. */
  readonly hands: ReadonlySet<string>
  readonly reactions: readonly { id: string; from: string; text: string }[]
}

const NOTHING_SAID: Pick<ChatState, 'messages' | 'unread' | 'hands' | 'reactions'> = {
  messages: [],
  unread: 0,
  hands: new Set(),
  reactions: [],
}

/** The parts of a meeting that the model uses. */
export interface ChatSource {
  readonly self: { readonly id: string; readonly name: string }
  readonly participants: ReadonlyMap<string, { readonly name: string }>
  readonly chat: Pick<Chat, 'listen' | 'publish'>
  readonly files: Pick<Files, 'share'>
}

export class ChatModel {
  readonly #source: ChatSource
  readonly #onMention: (message: ChatMessage) => void
  readonly #listeners = new Set<() => void>()
  #state: ChatState = { ...NOTHING_SAID, draft: { text: '' }, sending: 0, unsent: [] }
  #isRead = false
  #lastUnsent = 0

  /** Calls `onMention` for a new message that mentions us while the chat is closed. */
  constructor(source: ChatSource, onMention: (message: ChatMessage) => void = () => undefined) {
    this.#source = source
    this.#onMention = onMention
  }

  get state(): ChatState {
    return this.#state
  }

  readonly subscribe: Subscribe = (onChange) => {
    this.#listeners.add(onChange)
    return () => this.#listeners.delete(onChange)
  }

  /** Follows the chat from its first kept message on. Returns a function that stops it. */
  listen(): () => void {
    const { chat, self } = this.#source
    this.#set(NOTHING_SAID)
    const stops = [
      chat.listen(CHAT, (message, old) => {
        const isNew = !old && !this.#isRead && message.from !== self.id
        this.#change(({ messages, unread }) => ({
          messages: [...messages, message],
          unread: isNew ? unread + 1 : unread,
        }))
        if (isNew && this.#isMentioned(message.text)) this.#onMention(message)
      }),
      chat.listen(HANDS, ({ from, payload }) => {
        const hands = new Set(this.#state.hands)
        if ((payload as { raised?: unknown } | undefined)?.raised !== false) hands.add(from)
        else hands.delete(from)
        this.#set({ hands })
      }),
      chat.listen(REACTIONS, ({ id, from, text }, old) => {
        if (old) return
        const reaction = { id, from, text: Array.from(text).slice(0, MAX_REACTION_LENGTH).join('') }
        this.#change(({ reactions }) => ({ reactions: [...reactions, reaction] }))
        setTimeout(() => {
          this.#change(({ reactions }) => ({ reactions: reactions.filter((one) => one.id !== id) }))
        }, REACTION_MS)
      }),
    ]
    return () => stops.forEach((stop) => stop())
  }

  /** Sets whether the messages are on screen; if so, new ones do not count as unread. */
  setRead(isRead: boolean): void {
    this.#isRead = isRead
    if (isRead && this.#state.unread > 0) this.#set({ unread: 0 })
  }

  write(change: (draft: Draft) => Draft): void {
    this.#change(({ draft }) => ({ draft: change(draft) }))
  }

  /** Never fails: a message that could not be sent goes to `unsent`. */
  say(draft: Draft): void {
    const { files = [], ...said } = draft
    const { to } = draft
    const messages = files.map((file) => ({ text: '', ...(to && { to }), files: [file] }))
    // One after the other, as they were chosen.
    let turn: Promise<void> | undefined
    for (const one of said.text.trim() === '' ? messages : [said, ...messages]) turn = this.#send(one, turn)
  }

  async #publish({ text, to, replyTo, files: [file] = [] }: Draft): Promise<void> {
    const shared = file && (await this.#source.files.share(file, file.name))
    await this.#source.chat.publish(CHAT, shared?.name ?? text, {
      keep: true,
      ...(to && { to: [to.id] }),
      ...(replyTo !== undefined && { payload: replyPayload(replyTo) }),
      ...(shared && { payload: filePayload(shared) }),
    })
  }

  async #send(draft: Draft, before: Promise<void> | undefined): Promise<void> {
    this.#change(({ sending }) => ({ sending: sending + 1 }))
    if (before) await before
    await this.#publish(draft)
      .catch((error: unknown) => {
        const id = ++this.#lastUnsent
        const problem = problemOf(error)
        this.#change(({ unsent }) => ({ unsent: [...unsent, { ...draft, id, problem }] }))
      })
      .finally(() => this.#change(({ sending }) => ({ sending: sending - 1 })))
  }

  takeBack(id: number): void {
    this.#change(({ unsent }) => ({ unsent: unsent.filter((one) => one.id !== id) }))
  }

  /** @throws {MeetingError} */
  raiseHand(raised: boolean): Promise<void> {
    const text = raised ? 'Raise hand' : 'Lower hand'
    return this.#source.chat.publish(HANDS, text, { keep: true, payload: { raised } })
  }

  /** @throws {MeetingError} */
  react(text: string): Promise<void> {
    return this.#source.chat.publish(REACTIONS, text)
  }

  #isMentioned(text: string): boolean {
    const { self, participants } = this.#source
    return mentions(
      text,
      self.name,
      [...participants.values()].map(({ name }) => name),
    )
  }

  #change(change: (state: ChatState) => Partial<ChatState>): void {
    this.#set(change(this.#state))
  }

  #set(changed: Partial<ChatState>): void {
    this.#state = { ...this.#state, ...changed }
    for (const listener of [...this.#listeners]) listener()
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof MeetingError)) return text('chat.unsent')
  // The message may have reached the server before the connection was lost.
  return error.reason === 'CONNECTION_FAILED'
    ? text('chat.unsentPerhaps')
    : text('chat.unsentBecause', { reason: failureOf(error) })
}
