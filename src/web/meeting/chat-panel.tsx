import { memo, useEffect, useMemo, useRef, useState, useSyncExternalStore, type SyntheticEvent } from 'react'
import { isolated } from '../isolate.ts'
import { Foreign } from '../parts/foreign.tsx'
import { Icon } from '../parts/icon.tsx'
import { rich, text, useLanguage } from '../texts/texts.ts'
import { pollsAsText, pollsView } from './activities/polls-model.ts'
import { AttachedFiles } from './chat-file.tsx'
import { saveAs, sizeText } from './chat-files.ts'
import { answeredBy, asReply, asText, search } from './chat-log.ts'
import { Message, MessageText, Quote } from './chat-message.tsx'
import { completed, completions } from './said.ts'
import { useModel } from './model.ts'
import { othersView } from './people-model.ts'
import { useView } from './use-view.ts'

const EMOJI = ['👍', '👏', '😀', '🎉', '❤️', '🤔']
const MAX_LENGTH = 4000
const MAX_ROWS = 6
const MAX_FILES = 10
const MAX_COMPLETIONS = 4
/** Scrolled this close to the end, the list follows new messages. */
const AT_END_PX = 80

/** The chat: its messages, the choice of the reader, and the input. */
export const ChatPanel = memo(function ChatPanel({ onClose }: { onClose: () => void }) {
  const { meeting, chat, notice } = useModel()
  const language = useLanguage()
  const { messages, unsent, sending, draft } = useSyncExternalStore(chat.subscribe, () => chat.state)
  const others = useView(useMemo(() => othersView(meeting), [meeting]))
  const polls = useView(useMemo(() => pollsView(meeting), [meeting]))
  const { text: typed, to, replyTo, files = [] } = draft
  const [wanted, setWanted] = useState('')
  const found = useMemo(() => search(messages, wanted), [messages, wanted])
  const byId = useMemo(() => new Map(messages.map((one) => [one.id, one])), [messages])
  const { name: ownName } = meeting.self
  const othersNames = useMemo(() => others.map(({ name }) => name), [others])
  const names = useMemo(() => [ownName, ...othersNames], [ownName, othersNames])
  const list = useRef<HTMLDivElement>(null)
  const input = useRef<HTMLTextAreaElement>(null)
  const atEnd = useRef(true)
  useEffect(() => {
    chat.setRead(true)
    return () => chat.setRead(false)
  }, [chat])
  useEffect(() => {
    const element = list.current!
    if (atEnd.current) element.scrollTop = element.scrollHeight
  }, [messages, unsent, replyTo])

  const nameOf = (id: string): string =>
    id === meeting.self.id
      ? text('chat.toYou')
      : (others.find((one) => one.id === id)?.name ?? text('chat.gone'))
  const gone = to !== undefined && !others.some(({ id }) => id === to.id)
  const answered = (id: string | undefined) => (id === undefined ? undefined : (byId.get(id) ?? null))
  const send = (event: SyntheticEvent): void => {
    event.preventDefault()
    const said = typed.replace(/^\s*\n|\s+$/g, '')
    if ((said.trim() === '' && files.length === 0) || gone) return
    atEnd.current = true
    setWanted('')
    chat.say({ text: said, to, replyTo, files })
    // Clear the input now, not when the answer comes: from here on the person writes the next message.
    chat.write((now) => ({ ...now, text: '', replyTo: undefined, files: [] }))
  }
  const { maxBytes } = meeting.files
  const attach = (chosen: Iterable<File>): void => {
    const all = [...chosen]
    const fitting = all.filter(({ size }) => size > 0 && size <= maxBytes)
    const tooLarge = all.find(({ size }) => size > maxBytes)
    if (tooLarge)
      notice.show(
        text('chat.file.tooLarge', { name: isolated(tooLarge.name), size: sizeText(maxBytes, language) }),
      )
    chat.write((now) => ({ ...now, files: [...(now.files ?? []), ...fitting].slice(0, MAX_FILES) }))
    input.current?.focus()
  }
  const write = (value: string): void => {
    chat.write((now) => ({ ...now, text: value }))
    input.current?.focus()
  }
  const suggested = completions(typed, othersNames).slice(0, MAX_COMPLETIONS)

  return (
    <aside
      className="panel chat"
      aria-label={text('chat')}
      data-testid="chat"
      onDragOver={(event) => {
        if (maxBytes > 0 && [...event.dataTransfer.items].some(({ kind }) => kind === 'file'))
          event.preventDefault()
      }}
      onDrop={(event) => {
        if (maxBytes === 0 || event.dataTransfer.files.length === 0) return
        event.preventDefault()
        attach(event.dataTransfer.files)
      }}
    >
      <h2>{text('chat')}</h2>
      {(messages.length > 0 || polls.length > 0) && (
        <div className="row tools">
          <input
            type="search"
            value={wanted}
            aria-label={text('chat.search')}
            placeholder={text('chat.search')}
            onChange={({ target: { value } }) => setWanted(value)}
            data-testid="chat-search"
          />
          <button
            aria-label={text('chat.save')}
            title={text('chat.save')}
            onClick={() =>
              save(
                asText(messages, (one) =>
                  one.to.length === 0
                    ? ''
                    : text('chat.only', { names: one.to.map((id) => nameOf(id)).join(', ') }),
                ) + pollsAsText(polls.toReversed()),
              )
            }
          >
            ↓
          </button>
        </div>
      )}
      <p className="quiet" role="status">
        {wanted.trim() !== '' && text('chat.found', { count: found.length })}
      </p>
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
        {messages.length === 0 && <p className="quiet">{text('chat.nothing')}</p>}
        <ol>
          {found.map((message) => (
            <Message
              key={message.id}
              message={message}
              self={meeting.self.id}
              answered={answered(answeredBy(message))}
              names={names}
              nameOf={nameOf}
              onReply={() => {
                chat.write((now) => asReply(now, message, meeting.self.id, nameOf))
                input.current?.focus()
              }}
            />
          ))}
          {unsent.map((one) => (
            <li key={`unsent ${one.id}`} className="own unsent" data-testid="unsent">
              <p className="problem">{one.problem}</p>
              {one.to && (
                <p className="quiet">
                  <em>{rich('chat.only', { names: <Foreign text={one.to.name} /> })}</em>
                </p>
              )}
              <MessageText said={one.files?.[0]?.name ?? one.text} names={names} />
              <div className="row">
                <button
                  onClick={() => {
                    chat.takeBack(one.id)
                    chat.say(one)
                  }}
                >
                  {text('chat.again')}
                </button>
                <button
                  disabled={typed !== '' || files.length > 0}
                  onClick={() => {
                    chat.takeBack(one.id)
                    chat.write(() => ({
                      text: one.text,
                      to: one.to,
                      replyTo: one.replyTo,
                      files: one.files,
                    }))
                  }}
                >
                  {text('chat.edit')}
                </button>
                <button onClick={() => chat.takeBack(one.id)}>{text('chat.discard')}</button>
              </div>
            </li>
          ))}
        </ol>
      </div>
      <div className="row">
        {maxBytes > 0 && (
          <label className="attach" title={text('chat.file.attach')}>
            <Icon name="attach" />
            <input
              type="file"
              multiple
              aria-label={text('chat.file.attach')}
              onChange={({ target }) => {
                attach(target.files ?? [])
                // The same file can be chosen again.
                target.value = ''
              }}
              data-testid="attach"
            />
          </label>
        )}
        <div className="row emoji" aria-label={text('chat.emoji')} role="group">
          {EMOJI.map((emoji) => (
            <button
              key={emoji}
              type="button"
              aria-label={text('chat.addEmoji', { emoji })}
              onClick={() => chat.write((now) => ({ ...now, text: now.text + emoji }))}
            >
              {emoji}
            </button>
          ))}
        </div>
      </div>
      <form onSubmit={send}>
        <label>
          {text('chat.to')}
          <select
            value={to?.id ?? ''}
            onChange={({ target: { value: id } }) => {
              const name = others.find((one) => one.id === id)?.name
              chat.write((now) => ({ ...now, to: name === undefined ? undefined : { id, name } }))
            }}
            data-testid="chat-to"
          >
            <option value="">{text('chat.everybody')}</option>
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {text('chat.onlyOne', { name: isolated(name) })}
              </option>
            ))}
            {gone && (
              <option value={to.id} disabled>
                {text('chat.onlyOne', { name: isolated(to.name) })}
              </option>
            )}
          </select>
        </label>
        {replyTo !== undefined && (
          <div className="row replying" data-testid="replying">
            <Quote message={byId.get(replyTo) ?? null} self={meeting.self.id} />
            <button type="button" onClick={() => chat.write((now) => ({ ...now, replyTo: undefined }))}>
              {text('cancel')}
            </button>
          </div>
        )}
        {suggested.length > 0 && (
          <div
            className="row suggested"
            data-testid="suggested"
            role="group"
            aria-label={text('chat.mention')}
          >
            {suggested.map((name) => (
              <button key={name} type="button" onClick={() => write(completed(typed, name))}>
                <Foreign text={`@${name}`} />
              </button>
            ))}
          </div>
        )}
        <AttachedFiles
          files={files}
          onRemove={(file) =>
            chat.write((now) => ({ ...now, files: now.files?.filter((one) => one !== file) }))
          }
        />
        <div className="row">
          <textarea
            ref={input}
            value={typed}
            rows={Math.min(MAX_ROWS, typed.split('\n').length)}
            maxLength={MAX_LENGTH}
            aria-label={text('chat.message')}
            placeholder={text('chat.placeholder')}
            autoFocus
            dir="auto"
            onChange={({ target: { value } }) => chat.write((now) => ({ ...now, text: value }))}
            onPaste={(event) => {
              if (maxBytes === 0 || event.clipboardData.files.length === 0) return
              event.preventDefault()
              attach(event.clipboardData.files)
            }}
            onKeyDown={(event) => {
              // While a word is being composed, as in Japanese, Enter chooses it.
              if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
              send(event)
            }}
            data-testid="chat-text"
          />
          <button
            className="primary"
            disabled={gone || (typed.trim() === '' && files.length === 0)}
            data-testid="chat-send"
          >
            {text('chat.send')}
          </button>
        </div>
        <p className="problem" role="alert">
          {gone && rich('chat.hasLeft', { name: <Foreign text={to.name} /> })}
        </p>
        <p className="quiet" role="status">
          {sending > 0 && text('chat.sending')}
        </p>
      </form>
      <button onClick={onClose}>{text('close')}</button>
    </aside>
  )
})

/** Has the browser save the chat as a text file. */
function save(content: string): void {
  saveAs(new Blob([content]), `chat-${new Date().toISOString().slice(0, 10)}.txt`)
}
