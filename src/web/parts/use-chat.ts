/** What is said in the meeting, as React state: messages, hands that are up, reactions that float by. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { ChatMessage, Meeting } from '../../client/client.ts'

/** The topics that apps on the published client use for the same. */
const CHAT = 'CHAT'
const HANDS = 'RAISE_HAND'
const REACTIONS = 'REACTION'
const REACTION_MS = 4000

export interface MeetingChat {
  messages: ChatMessage[]
  unread: number
  /** participantIds of those whose hand is up. */
  hands: ReadonlySet<string>
  reactions: { id: string; from: string; text: string }[]
  say(text: string, to?: string): Promise<void>
  raiseHand(up: boolean): Promise<void>
  react(text: string): Promise<void>
}

/** @param open whether the messages are being read */
export function useChat(meeting: Meeting, open: boolean): MeetingChat {
  const [messages, setMessages] = useState<ChatMessage[]>([])
  const [unread, setUnread] = useState(0)
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
        setReactions((all) => [...all, { id, from, text: text.slice(0, 8) }])
        setTimeout(() => setReactions((all) => all.filter((one) => one.id !== id)), REACTION_MS)
      }),
    ]
    return () => stops.forEach((stop) => stop())
  }, [meeting])

  const say = useCallback(
    (text: string, to?: string) => meeting.chat.publish(CHAT, text, { keep: true, ...(to && { to: [to] }) }),
    [meeting],
  )
  const raiseHand = useCallback(
    (raised: boolean) =>
      meeting.chat.publish(HANDS, raised ? 'Raise hand' : 'Lower hand', { keep: true, payload: { raised } }),
    [meeting],
  )
  const react = useCallback((text: string) => meeting.chat.publish(REACTIONS, text), [meeting])
  return { messages, unread, hands, reactions, say, raiseHand, react }
}
