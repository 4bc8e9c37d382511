import { Fragment, memo, useMemo, type ReactNode } from 'react'
import type { ChatMessage } from '../../client/client.ts'
import { Foreign } from '../parts/foreign.tsx'
import { rich, text } from '../texts/texts.ts'
import { ChatFile } from './chat-file.tsx'
import { fileOf } from './chat-files.ts'
import { partsOf, type SaidPart } from './said.ts'

export interface MessageProps {
  message: ChatMessage
  self: string
  /** What it answers; null if it answers a message that is not here. */
  answered: ChatMessage | null | undefined
  names: readonly string[]
  nameOf: (id: string) => string
  onReply: () => void
}

/** A message with its sender, its readers if they are few, and what it answers. */
export function Message({ message, self, answered, names, nameOf, onReply }: MessageProps) {
  const isOwn = message.from === self
  const file = useMemo(() => fileOf(message), [message])
  return (
    <li className={isOwn ? 'own' : ''}>
      <p className="quiet head">
        <strong>{isOwn ? text('you') : <Foreign text={message.fromName} />}</strong>
        {message.to.length > 0 && (
          <em>
            {' '}
            {rich('chat.only', {
              names: message.to.map((id, at) => (
                <Fragment key={id}>
                  {at > 0 && ', '}
                  <Foreign text={nameOf(id)} />
                </Fragment>
              )),
            })}
          </em>
        )}{' '}
        <time dateTime={new Date(message.at).toISOString()}>
          {new Date(message.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}
        </time>
        <button
          className="reply"
          aria-label={text('chat.replyTo', { name: isOwn ? text('chat.toYou') : message.fromName })}
          title={text('chat.reply')}
          onClick={onReply}
        >
          ↩
        </button>
      </p>
      {answered !== undefined && <Quote message={answered} self={self} />}
      {file ? <ChatFile file={file} /> : <MessageText said={message.text} names={names} />}
    </li>
  )
}

/** The message that another one answers. */
export function Quote({ message, self }: { message: ChatMessage | null; self: string }) {
  if (!message) return <blockquote className="quiet">{text('chat.quoteMissing')}</blockquote>
  return (
    <blockquote className="quiet">
      <strong>{message.from === self ? text('you') : <Foreign text={message.fromName} />}</strong>{' '}
      <span dir="auto">{message.text}</span>
    </blockquote>
  )
}

/** Memoised, because finding addresses is slow and a message does not change. */
export const MessageText = memo(function MessageText({
  said,
  names,
}: {
  said: string
  names: readonly string[]
}) {
  const parts = useMemo(() => partsOf(said, names), [said, names])
  return (
    <div className="said" dir="auto">
      {parts.map((part, at) => (
        <Fragment key={at}>{shown(part)}</Fragment>
      ))}
    </div>
  )
})

function shown(part: SaidPart): ReactNode {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'code':
      return <code dir="ltr">{part.text}</code>
    case 'block':
      return (
        <pre dir="ltr" tabIndex={0}>
          <code>{part.text}</code>
        </pre>
      )
    case 'mention':
      return <mark>{part.text}</mark>
    case 'link':
      return (
        <a dir="ltr" href={part.href} target="_blank" rel="noopener noreferrer nofollow">
          {part.text}
        </a>
      )
  }
}
