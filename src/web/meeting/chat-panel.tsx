import { Fragment, memo, useEffect, useMemo, useRef, useSyncExternalStore, type SyntheticEvent } from 'react'
import { isolated } from '../isolate.ts'
import { withLinks } from '../links.ts'
import { Foreign } from '../parts/foreign.tsx'
import { useModel } from './model.ts'
import { othersView } from './people-model.ts'
import { useView } from './use-view.ts'

const EMOJI = ['👍', '👏', '😀', '🎉', '❤️', '🤔']
const MAX_LENGTH = 4000
/** Scrolled this close to the end, the list follows new messages. */
const AT_END_PX = 80

/** The chat: its messages, the choice of the reader, and the input. */
export const ChatPanel = memo(function ChatPanel({ onClose }: { onClose: () => void }) {
  const { meeting, chat } = useModel()
  const { messages, unsent, sending, draft } = useSyncExternalStore(chat.subscribe, () => chat.state)
  const others = useView(useMemo(() => othersView(meeting), [meeting]))
  const { text, to } = draft
  const list = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    chat.setRead(true)
    return () => chat.setRead(false)
  }, [chat])
  useEffect(() => {
    const element = list.current!
    if (atEnd.current) element.scrollTop = element.scrollHeight
  }, [messages, unsent])

  const nameOf = (id: string): string =>
    id === meeting.self.id ? 'you' : (others.find((one) => one.id === id)?.name ?? 'somebody who left')
  const gone = to !== undefined && !others.some(({ id }) => id === to.id)
  const send = (event: SyntheticEvent): void => {
    event.preventDefault()
    const said = text.trim()
    if (said === '' || gone) return
    atEnd.current = true
    chat.say({ text: said, to })
    // Clear the input now, not when the answer comes: from here on the person writes the next message.
    chat.write((now) => ({ ...now, text: '' }))
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
        {messages.length === 0 && <p className="quiet">Nothing has been said yet.</p>}
        <ol>
          {messages.map((message) => (
            <li key={message.id} className={message.from === meeting.self.id ? 'own' : ''}>
              <p className="quiet">
                <strong>
                  {message.from === meeting.self.id ? 'You' : <Foreign text={message.fromName} />}
                </strong>
                {message.to.length > 0 && (
                  <em>
                    {' to '}
                    {message.to.map((id, at) => (
                      <Fragment key={id}>
                        {at > 0 && ', '}
                        <Foreign text={nameOf(id)} />
                      </Fragment>
                    ))}{' '}
                    only
                  </em>
                )}{' '}
                <time dateTime={new Date(message.at).toISOString()}>
                  {new Date(message.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}
                </time>
              </p>
              <MessageText text={message.text} />
            </li>
          ))}
          {unsent.map((one) => (
            <li key={`unsent ${one.id}`} className="own unsent" data-testid="unsent">
              <p className="problem">{one.problem}</p>
              {one.to && (
                <p className="quiet">
                  <em>
                    to <Foreign text={one.to.name} /> only
                  </em>
                </p>
              )}
              <MessageText text={one.text} />
              <div className="row">
                <button
                  onClick={() => {
                    chat.takeBack(one.id)
                    chat.say(one)
                  }}
                >
                  Send again
                </button>
                <button
                  disabled={text !== ''}
                  onClick={() => {
                    chat.takeBack(one.id)
                    chat.write(() => ({ text: one.text, to: one.to }))
                  }}
                >
                  Edit
                </button>
                <button onClick={() => chat.takeBack(one.id)}>Discard</button>
              </div>
            </li>
          ))}
        </ol>
      </div>
      <div className="row emoji" aria-label="Emoji" role="group">
        {EMOJI.map((emoji) => (
          <button
            key={emoji}
            type="button"
            aria-label={`Add ${emoji}`}
            onClick={() => chat.write((now) => ({ ...now, text: now.text + emoji }))}
          >
            {emoji}
          </button>
        ))}
      </div>
      <form onSubmit={send}>
        <label>
          To
          <select
            value={to?.id ?? ''}
            onChange={({ target: { value: id } }) => {
              const name = others.find((one) => one.id === id)?.name
              chat.write((now) => ({ ...now, to: name === undefined ? undefined : { id, name } }))
            }}
            data-testid="chat-to"
          >
            <option value="">everybody</option>
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {isolated(name)} only
              </option>
            ))}
            {gone && (
              <option value={to.id} disabled>
                {isolated(to.name)} only
              </option>
            )}
          </select>
        </label>
        <div className="row">
          <input
            value={text}
            maxLength={MAX_LENGTH}
            aria-label="Message"
            placeholder="Say something"
            autoFocus
            dir="auto"
            onChange={({ target: { value } }) => chat.write((now) => ({ ...now, text: value }))}
            data-testid="chat-text"
          />
          <button className="primary" disabled={gone || text.trim() === ''} data-testid="chat-send">
            Send
          </button>
        </div>
        <p className="problem" role="alert">
          {gone && (
            <>
              <Foreign text={to.name} /> has left. Choose who is to read this.
            </>
          )}
        </p>
        <p className="quiet" role="status">
          {sending > 0 && 'Sending…'}
        </p>
      </form>
      <button onClick={onClose}>Close</button>
    </aside>
  )
})

/** Memoised, because finding addresses is slow and a message does not change. */
const MessageText = memo(function MessageText({ text }: { text: string }) {
  return (
    <p className="said" dir="auto">
      {withLinks(text).map((part, at) =>
        part.href === undefined ? (
          part.text
        ) : (
          <a key={at} dir="ltr" href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        ),
      )}
    </p>
  )
})
