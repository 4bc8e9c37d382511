import { useEffect, useRef, useState, type SyntheticEvent } from 'react'
import type { Meeting } from '../../client/client.ts'
import type { MeetingChat } from '../parts/use-chat.ts'
import { withLinks } from '../links.ts'

const EMOJI = ['👍', '👏', '😀', '🎉', '❤️', '🤔']
const MAX_LENGTH = 4000
/** This close to the end counts as reading along. */
const AT_END_PX = 80

/** What is said: the list, whom to say it to, and the line to write in. */
export function ChatPanel({
  meeting,
  chat,
  onClose,
}: {
  meeting: Meeting
  chat: MeetingChat
  onClose: () => void
}) {
  const [text, setText] = useState('')
  const [to, setTo] = useState('')
  const [problem, setProblem] = useState('')
  const list = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    const element = list.current!
    if (atEnd.current) element.scrollTop = element.scrollHeight
  }, [chat.messages])

  const nameOf = (id: string): string =>
    id === meeting.self.id ? 'you' : (meeting.participants.get(id)?.name ?? 'somebody who left')
  const send = (event: SyntheticEvent): void => {
    event.preventDefault()
    const said = text.trim()
    if (said === '') return
    atEnd.current = true
    chat.say(said, to || undefined).then(
      () => {
        setText('')
        setProblem('')
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : 'That was not sent.'),
    )
  }

  return (
    <aside className="panel chat" aria-label="Chat" data-testid="chat">
      <h2>Chat</h2>
      <div
        className="log"
        ref={list}
        role="log"
        aria-live="polite"
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < AT_END_PX
        }}
      >
        {chat.messages.length === 0 && <p className="quiet">Nothing has been said yet.</p>}
        <ol>
          {chat.messages.map((message) => (
            <li key={message.id} className={message.from === meeting.self.id ? 'own' : ''}>
              <p className="quiet">
                <strong>{message.from === meeting.self.id ? 'You' : message.fromName}</strong>
                {message.to.length > 0 && <em> to {message.to.map(nameOf).join(', ')} only</em>}{' '}
                <time dateTime={new Date(message.at).toISOString()}>
                  {new Date(message.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}
                </time>
              </p>
              <p className="said">
                {withLinks(message.text).map((part, at) =>
                  part.href === undefined ? (
                    part.text
                  ) : (
                    <a key={at} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
                      {part.text}
                    </a>
                  ),
                )}
              </p>
            </li>
          ))}
        </ol>
      </div>
      <div className="row emoji" aria-label="Emoji" role="group">
        {EMOJI.map((emoji) => (
          <button key={emoji} type="button" aria-label={`Add ${emoji}`} onClick={() => setText(text + emoji)}>
            {emoji}
          </button>
        ))}
      </div>
      <form onSubmit={send}>
        <label>
          To
          <select value={to} onChange={(event) => setTo(event.target.value)} data-testid="chat-to">
            <option value="">everybody</option>
            {[...meeting.participants.values()].map(({ id, name }) => (
              <option key={id} value={id}>
                {name} only
              </option>
            ))}
          </select>
        </label>
        <div className="row">
          <input
            value={text}
            maxLength={MAX_LENGTH}
            aria-label="Message"
            placeholder="Say something"
            autoFocus
            onChange={(event) => setText(event.target.value)}
            data-testid="chat-text"
          />
          <button className="primary" disabled={text.trim() === ''} data-testid="chat-send">
            Send
          </button>
        </div>
        <p className="problem" role="alert">
          {problem}
        </p>
      </form>
      <button onClick={onClose}>Close</button>
    </aside>
  )
}
