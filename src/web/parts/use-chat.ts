/** What is said in the meeting, as React state: messages, hands that are up, reactions that float by. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { MeetingError, type ChatMessage, type Meeting } from '../../client/client.ts'

/** The topics that apps on the published client use for the same. */
const CHAT = 'CHAT'
const HANDS = 'RAISE_HAND'
const REACTIONS = 'REACTION'
const REACTION_MS = 4000

/** Who alone is to hear it; the name is kept for when they have left. */
export interface Addressee {
  id: string
  name: string
}

/** What is being written. It outlives the panel in which it is written. */
export interface Draft {
  text: string
  /** Absent: everybody. */
  to?: Addressee | undefined
}

export interface Unsent extends Draft {
  id: number
  problem: string
}

export interface MeetingChat {
  messages: ChatMessage[]
  draft: Draft
  write: (change: (draft: Draft) => Draft) => void
  /** What was said and not answered yet. */
  sending: boolean
  /** What was said and did not arrive, as far as is known. */
  unsent: readonly Unsent[]
  takeBack(id: number): void
  unread: number
  /** participantIds of those whose hand is up. */
  hands: ReadonlySet<string>
  reactions: { id: string; from: string; text: string }[]
  /** Never fails: what cannot be sent is among `unsent`. */
  say(said: Draft): void
  raiseHand(up: boolean): Promise<void>
  react(text: string): Promise<void>
}

/** @param open whether the messages are being read */
export function useChat(meeting: Meeting, open: boolean): MeetingChat {
  const [messages, setMessages] = useState<ChatMessage[]>([])
  const [unread, setUnread] = useState(0)
  const [draft, write] = useState<Draft>({ text: '' })
  const [sending, setSending] = useState(0)
  const [unsent, setUnsent] = useState<readonly Unsent[]>([])
  const lastUnsent = useRef(0)
  const [hands, setHands] = useState<ReadonlySet<string>>(new Set())
  const [reactions, setReactions] = useState<MeetingChat['reactions']>([])
  const reading = useRef(open)
  reading.current = open
  useEffect(() => {
    if (open) setUnread(0)
  }, [open])

  useEffect(() => {
    const stops = [
      meeting.chat.listen(CHAT, (message, old) => {
        setMessages((all) => [...all, message])
        if (!old && !reading.current && message.from !== meeting.self.id) setUnread((count) => count + 1)
      }),
      meeting.chat.listen(HANDS, ({ from, payload }) => {
        const up = (payload as { raised?: unknown } | undefined)?.raised !== false
        setHands((all) => {
          const next = new Set(all)
          if (up) next.add(from)
          else next.delete(from)
          return next
        })
      }),
      meeting.chat.listen(REACTIONS, ({ id, from, text }, old) => {
        if (old) return
        setReactions((all) => [...all, { id, from, text: Array.from(text).slice(0, 8).join('') }])
        setTimeout(() => setReactions((all) => all.filter((one) => one.id !== id)), REACTION_MS)
      }),
    ]
    return () => stops.forEach((stop) => stop())
  }, [meeting])

  const say = useCallback(
    ({ text, to }: Draft) => {
      setSending((count) => count + 1)
      meeting.chat
        .publish(CHAT, text, { keep: true, ...(to && { to: [to.id] }) })
        .catch((error: unknown) => {
          const id = ++lastUnsent.current
          setUnsent((all) => [...all, { id, text, to, problem: problemOf(error) }])
        })
        .finally(() => setSending((count) => count - 1))
    },
    [meeting],
  )
  const takeBack = useCallback((id: number) => setUnsent((all) => all.filter((one) => one.id !== id)), [])
  const raiseHand = useCallback(
    (raised: boolean) =>
      meeting.chat.publish(HANDS, raised ? 'Raise hand' : 'Lower hand', { keep: true, payload: { raised } }),
    [meeting],
  )
  const react = useCallback((text: string) => meeting.chat.publish(REACTIONS, text), [meeting])
  return {
    messages,
    draft,
    write,
    sending: sending > 0,
    unsent,
    takeBack,
    unread,
    hands,
    reactions,
    say,
    raiseHand,
    react,
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof MeetingError)) return 'This was not sent.'
  // A lost line may have carried it before.
  return error.reason === 'CONNECTION_FAILED'
    ? 'It is not certain that this was sent.'
    : `This was not sent: ${error.message}`
}
