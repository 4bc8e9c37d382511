import { useCallback, useEffect, useRef, useState } from 'react'
import {
  DeviceError,
  type DeviceRequest,
  type DeviceStatus,
  type Meeting,
  type OwnKind,
} from '../../client/client.ts'
import { createInvite } from '../api.ts'
import { isolated } from '../isolate.ts'
import { gridFor, MAX_TILES } from '../layout.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Foreign } from '../parts/foreign.tsx'
import { clickedOnce } from '../parts/clicked-once.ts'
import { Icon } from '../parts/icon.tsx'
import { Tile, type TileProps } from '../parts/tile.tsx'
import { useChat } from '../parts/use-chat.ts'
import { useMeeting } from '../parts/use-meeting.ts'
import { Sound, Video } from '../parts/video.tsx'
import { ChatPanel } from './chat-panel.tsx'

const GAP = 8
const NOTICE_MS = 5000

type OpenDialog =
  | { name: 'invite' }
  | { name: 'leave' }
  | { name: 'remove'; id: string; who: string }
  | { name: 'consent'; request: DeviceRequest }

/** The meeting itself: tiles, what is shared, the bar, who waits and who is here. */
export function MeetingScreen({
  meeting,
  token,
  reconnecting,
}: {
  meeting: Meeting
  token: string
  reconnecting: boolean
}) {
  useMeeting(meeting)
  const [dialog, setDialog] = useState<OpenDialog>()
  const [panel, setPanel] = useState<'people' | 'chat'>()
  const chat = useChat(meeting, panel === 'chat')
  const open = (name: 'people' | 'chat'): void => setPanel((now) => (now === name ? undefined : name))
  const [notice, setNotice] = useState('')
  const [soundBlocked, setSoundBlocked] = useState(false)
  const blocked = useCallback(() => setSoundBlocked(true), [])

  useEffect(() => {
    const stops = [
      meeting.on('deviceRequested', (request) => setDialog({ name: 'consent', request })),
      meeting.on('participantJoined', ({ name }) => setNotice(`${isolated(name)} joined`)),
      meeting.on('participantLeft', ({ name }) => setNotice(`${isolated(name)} left`)),
      meeting.on('deviceProblem', (error) => setNotice(error.message)),
    ]
    return () => stops.forEach((stop) => stop())
  }, [meeting])
  useEffect(() => {
    if (notice === '') return
    const timer = setTimeout(() => setNotice(''), NOTICE_MS)
    return () => clearTimeout(timer)
  }, [notice])

  const attempt = useCallback((act: () => Promise<void>) => {
    act().catch((error: unknown) => {
      if (error instanceof DeviceError && error.device === 'screen' && error.problem === 'denied') return
      setNotice(error instanceof Error ? error.message : 'That did not work.')
    })
  }, [])
  const { devices, self, lobby } = meeting
  // What is wanted now counts, not what was drawn last: the second of two quick presses undoes the first.
  const isOn = (device: OwnKind): boolean => /^(on|turningOn)$/.test(devices.status(device))
  const toggle = {
    mic: () => attempt(() => (isOn('mic') ? devices.disableMic() : devices.enableMic())),
    camera: () => attempt(() => (isOn('camera') ? devices.disableCamera() : devices.enableCamera())),
    share: () => {
      // The browser is asking what to share; that question is answered there.
      if (devices.status('share') === 'turningOn') return
      attempt(() => (isOn('share') ? devices.stopShare() : devices.startShare()))
    },
    hand: () => attempt(() => chat.raiseHand(!chat.hands.has(self.id))),
  }

  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        event.repeat ||
        /^(input|select|textarea)$/i.test(target.tagName) ||
        document.querySelector('dialog[open]')
      )
        return
      const keys: Record<string, (() => void) | undefined> = {
        m: toggle.mic,
        v: toggle.camera,
        s: toggle.share,
        h: toggle.hand,
        p: () => open('people'),
        c: () => open('chat'),
      }
      const act = keys[event.key.toLowerCase()]
      if (act) {
        // The letter is not to land in a field that opens with it.
        event.preventDefault()
        act()
      } else if (event.key === 'Escape') setPanel(undefined)
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  })

  const participants = [...meeting.participants.values()]
  const streams = participants.flatMap((participant) =>
    [...participant.streams.values()].map((stream) => ({ stream, participant })),
  )
  const shared = streams.find(({ stream }) => stream.kind === 'share')
  const sounds = streams.filter(({ stream }) => stream.kind === 'audio' || stream.kind === 'shareAudio')
  const onRemove = (id: string, who: string): void => setDialog({ name: 'remove', id, who })

  const tiles: Omit<TileProps, 'width'>[] = [
    {
      meeting,
      id: self.id,
      name: self.name,
      self: true,
      micOn: devices.status('mic') === 'on',
      cameraOn: devices.status('camera') === 'on',
      shareOn: devices.status('share') === 'on',
      picture: devices.camera,
      speaking: meeting.activeSpeakerId === self.id,
      pinned: meeting.pinnedId === self.id,
      handUp: chat.hands.has(self.id),
      onRemove,
    },
    ...participants.map((participant) => {
      const stream = [...participant.streams.values()].find(({ kind, paused }) => kind === 'video' && !paused)
      return {
        meeting,
        id: participant.id,
        name: participant.name,
        micOn: participant.micOn,
        cameraOn: participant.cameraOn,
        shareOn: participant.shareOn,
        picture: stream?.track,
        stream,
        speaking: meeting.activeSpeakerId === participant.id,
        pinned: meeting.pinnedId === participant.id,
        handUp: chat.hands.has(participant.id),
        onRemove,
      }
    }),
  ]
  const front = shared ? undefined : tiles.find(({ pinned }) => pinned)

  return (
    <div className={`meeting ${panel ? 'with-panel' : ''}`} data-testid="meeting">
      <header className="top">
        <img className="mark" src={new URL('../mark.svg', import.meta.url).href} alt="" />
        <strong>
          <Foreign text={meeting.meetingId} />
        </strong>
        <Duration />
        {reconnecting && (
          <span className="badge" role="status" data-testid="reconnecting">
            {meeting.mediaPreparing ?? (meeting.serverRestarts ? 'The server restarts…' : 'Reconnecting…')}
          </span>
        )}
        {self.canAdmit && (
          <button onClick={() => setDialog({ name: 'invite' })} data-testid="invite">
            <Icon name="invite" /> Invite
          </button>
        )}
      </header>

      <main className={`stage ${shared || front ? 'split' : ''}`}>
        {shared && (
          <figure className="shared" data-testid="shared">
            <Video track={shared.stream.track} contain label={`Screen of ${shared.participant.name}`} />
            <figcaption>
              <Foreign text={shared.participant.name} /> shares a screen
            </figcaption>
          </figure>
        )}
        {front && (
          <div className="front">
            <Tile {...front} width={900} />
          </div>
        )}
        <Tiles tiles={front ? tiles.filter((tile) => tile !== front) : tiles} />
      </main>

      {panel === 'chat' && <ChatPanel meeting={meeting} chat={chat} onClose={() => setPanel(undefined)} />}
      {panel === 'people' && (
        <aside className="panel" aria-label="Participants">
          {self.canAdmit && lobby.requests.size > 0 && (
            <section>
              <h2>Waiting ({lobby.requests.size})</h2>
              <ul>
                {[...lobby.requests.values()].map(({ id, name }) => (
                  <li key={id}>
                    <span>
                      <Foreign text={name} />
                    </span>
                    <button onClick={clickedOnce(() => attempt(() => lobby.deny(id)))}>Deny</button>
                    <button className="primary" onClick={clickedOnce(() => attempt(() => lobby.allow(id)))}>
                      Let in
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <section>
            <h2>Here ({tiles.length})</h2>
            <ul>
              {tiles.map(({ id, name, self: own, micOn, cameraOn, handUp }) => (
                <li key={id}>
                  <span>
                    <Foreign text={name} />
                    {own && ' (you)'}
                    {handUp && ' ✋'}
                  </span>
                  <Icon name={micOn ? 'mic' : 'micOff'} />
                  <Icon name={cameraOn ? 'camera' : 'cameraOff'} />
                </li>
              ))}
            </ul>
          </section>
          <button onClick={() => setPanel(undefined)}>Close</button>
        </aside>
      )}

      <nav className="bar" aria-label="Meeting controls">
        <BarButton
          name="mic"
          on={isOn('mic')}
          status={devices.status('mic')}
          label={isOn('mic') ? 'Mute' : 'Unmute'}
          hint="m"
          onClick={toggle.mic}
        />
        <BarButton
          name="camera"
          on={isOn('camera')}
          status={devices.status('camera')}
          label={isOn('camera') ? 'Stop camera' : 'Start camera'}
          hint="v"
          onClick={toggle.camera}
        />
        <BarButton
          name="share"
          on
          status={devices.status('share')}
          label={devices.status('share') === 'on' ? 'Stop sharing' : 'Share screen'}
          active={devices.status('share') === 'on'}
          hint="s"
          onClick={toggle.share}
        />
        <BarButton
          name="people"
          on
          label="Participants"
          active={panel === 'people'}
          hint="p"
          count={lobby.requests.size}
          onClick={() => open('people')}
        />
        <BarButton
          name="chat"
          on
          label={chat.unread > 0 ? `Chat, ${chat.unread} unread` : 'Chat'}
          active={panel === 'chat'}
          hint="c"
          count={chat.unread}
          onClick={() => open('chat')}
        />
        <BarButton
          name="hand"
          on
          label={chat.hands.has(self.id) ? 'Lower hand' : 'Raise hand'}
          active={chat.hands.has(self.id)}
          hint="h"
          onClick={toggle.hand}
        />
        <Reactions onReact={(text) => attempt(() => chat.react(text))} />
        <button
          className="round leave"
          aria-label="Leave"
          title="Leave"
          data-testid="leave"
          onClick={() => (self.canModerate ? setDialog({ name: 'leave' }) : void meeting.leave())}
        >
          <Icon name="leave" />
        </button>
      </nav>

      <div className="reactions" aria-live="polite" data-testid="reactions">
        {chat.reactions.map(({ id, from, text }) => (
          <span key={id}>
            <Foreign text={text} />
            <small>
              {from === self.id ? 'You' : <Foreign text={meeting.participants.get(from)?.name ?? ''} />}
            </small>
          </span>
        ))}
      </div>
      {self.canAdmit && panel !== 'people' && lobby.requests.size > 0 && (
        <Knock meeting={meeting} attempt={attempt} />
      )}
      <div className="notice-area" role="status" aria-live="polite">
        {notice !== '' && <p className="toast">{notice}</p>}
      </div>
      {soundBlocked && (
        <div className="toast sound">
          <button
            className="primary"
            onClick={() => {
              document.querySelectorAll('audio').forEach((audio) => void audio.play())
              setSoundBlocked(false)
            }}
          >
            Turn on sound
          </button>
        </div>
      )}
      {sounds.map(({ stream }) => (
        <Sound key={stream.id} track={stream.track} onBlocked={blocked} />
      ))}

      {dialog?.name === 'invite' && (
        <InviteDialog meeting={meeting} token={token} onClose={() => setDialog(undefined)} />
      )}
      {dialog?.name === 'leave' && (
        <Dialog title="Leave the meeting?" onClose={() => setDialog(undefined)}>
          <div className="row">
            <button
              className="primary"
              autoFocus
              onClick={() => void meeting.leave()}
              data-testid="leave-alone"
            >
              Leave
            </button>
            <button
              className="danger"
              onClick={() => attempt(() => meeting.moderation.endForAll())}
              data-testid="end-for-all"
            >
              End for all
            </button>
          </div>
        </Dialog>
      )}
      {dialog?.name === 'remove' && (
        <Dialog title={`Remove ${isolated(dialog.who)}?`} onClose={() => setDialog(undefined)}>
          <p>They cannot come back while this meeting goes on.</p>
          <div className="row">
            <button autoFocus onClick={() => setDialog(undefined)}>
              Keep
            </button>
            <button
              className="danger"
              data-testid="confirm-remove"
              onClick={() => {
                attempt(() => meeting.moderation.remove(dialog.id))
                setDialog(undefined)
              }}
            >
              Remove
            </button>
          </div>
        </Dialog>
      )}
      {dialog?.name === 'consent' && (
        <ConsentDialog
          meeting={meeting}
          request={dialog.request}
          attempt={attempt}
          onClose={() => setDialog(undefined)}
        />
      )}
    </div>
  )
}

type Attempt = (act: () => Promise<void>) => void

function BarButton({
  name,
  on,
  status,
  label,
  hint,
  active = false,
  count = 0,
  onClick,
}: {
  name: 'mic' | 'camera' | 'share' | 'people' | 'chat' | 'hand'
  on: boolean
  /** Of the device that it switches; it shows that something is on its way. */
  status?: DeviceStatus
  label: string
  hint: string
  active?: boolean
  count?: number
  onClick: () => void
}) {
  const off = name === 'mic' || name === 'camera' ? (`${name}Off` as const) : name
  return (
    <button
      className={`round ${on ? '' : 'off'} ${active ? 'active' : ''}`}
      aria-label={label}
      aria-busy={status === 'turningOn' || status === 'turningOff'}
      title={`${label} (${hint})`}
      onClick={onClick}
      data-testid={`bar-${name}`}
    >
      <Icon name={on ? name : off} />
      {count > 0 && <span className="count">{count}</span>}
    </button>
  )
}

const REACTIONS = ['👍', '👏', '❤️', '😂', '😮', '🎉']

function Reactions({ onReact }: { onReact: (text: string) => void }) {
  const [shown, setShown] = useState(false)
  return (
    <div
      className="reaction-holder"
      onBlur={({ currentTarget, relatedTarget }) => !currentTarget.contains(relatedTarget) && setShown(false)}
    >
      <button
        className="round"
        aria-label="React"
        aria-expanded={shown}
        title="React"
        onClick={() => setShown(!shown)}
        data-testid="bar-react"
      >
        <Icon name="smile" />
      </button>
      {shown && (
        <div className="menu row" role="group" aria-label="Reactions">
          {REACTIONS.map((text) => (
            <button key={text} aria-label={`React with ${text}`} onClick={() => onReact(text)}>
              {text}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

/** Measures the room it has and lays the tiles out in it. */
function Tiles({ tiles }: { tiles: Omit<TileProps, 'width'>[] }) {
  const holder = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [page, setPage] = useState(0)
  useEffect(() => {
    const observer = new ResizeObserver(
      ([entry]) => entry && setSize({ width: entry.contentRect.width, height: entry.contentRect.height }),
    )
    observer.observe(holder.current!)
    return () => observer.disconnect()
  }, [])
  const pages = Math.max(1, Math.ceil(tiles.length / MAX_TILES))
  const current = Math.min(page, pages - 1)
  const shown = tiles.slice(current * MAX_TILES, (current + 1) * MAX_TILES)
  const grid = gridFor(shown.length, size.width, size.height, GAP)
  return (
    <div className="tiles" ref={holder}>
      <div
        className="grid"
        style={{ maxWidth: Math.ceil(grid.columns * grid.width + (grid.columns - 1) * GAP), gap: GAP }}
      >
        {shown.map((tile) => (
          <div
            key={tile.id}
            className="cell"
            style={{ width: Math.floor(grid.width), height: Math.floor(grid.height) }}
          >
            <Tile {...tile} width={grid.width} />
          </div>
        ))}
      </div>
      {pages > 1 && (
        <div className="pages">
          <button disabled={current === 0} onClick={() => setPage(current - 1)} aria-label="Earlier people">
            ‹
          </button>
          {current + 1} / {pages}
          <button
            disabled={current === pages - 1}
            onClick={() => setPage(current + 1)}
            aria-label="More people"
          >
            ›
          </button>
        </div>
      )}
    </div>
  )
}

function Knock({ meeting, attempt }: { meeting: Meeting; attempt: Attempt }) {
  const requests = [...meeting.lobby.requests.values()]
  const first = requests[0]!
  return (
    <section className="toast knock-toast" role="alert" data-testid="knock">
      <p>
        <strong>
          <Foreign text={first.name} />
        </strong>{' '}
        asks to join{requests.length > 1 && `, and ${requests.length - 1} more`}
      </p>
      <div className="row" key={first.id}>
        <button onClick={clickedOnce(() => attempt(() => meeting.lobby.deny(first.id)))} data-testid="deny">
          Deny
        </button>
        <button
          className="primary"
          onClick={clickedOnce(() => attempt(() => meeting.lobby.allow(first.id)))}
          data-testid="allow"
        >
          Let in
        </button>
        {requests.length > 1 && (
          <button onClick={() => attempt(() => meeting.lobby.allowAll())} data-testid="allow-all">
            Let everyone in
          </button>
        )}
      </div>
    </section>
  )
}

function InviteDialog({ meeting, token, onClose }: { meeting: Meeting; token: string; onClose: () => void }) {
  const [entry, setEntry] = useState<'direct' | 'ask'>('direct')
  const [link, setLink] = useState('')
  const [problem, setProblem] = useState('')
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    let current = true
    setLink('')
    setCopied(false)
    createInvite(token, meeting.meetingId, entry).then(
      (made) => current && setLink(made.link),
      (error: unknown) =>
        current && setProblem(error instanceof Error ? error.message : 'No link could be made.'),
    )
    return () => {
      current = false
    }
  }, [token, meeting, entry])
  return (
    <Dialog title="Invite people" onClose={onClose}>
      <fieldset>
        <legend>Whoever has the link</legend>
        {(
          [
            ['direct', 'joins directly'],
            ['ask', 'waits until somebody lets them in'],
          ] as const
        ).map(([value, text]) => (
          <label key={value} className="radio">
            <input
              type="radio"
              name="entry"
              checked={entry === value}
              onChange={() => setEntry(value)}
              data-testid={`invite-${value}`}
            />
            {text}
          </label>
        ))}
      </fieldset>
      <div className="row">
        <input
          readOnly
          value={link}
          aria-label="Invite link"
          data-testid="invite-link"
          onFocus={(event) => event.target.select()}
        />
        <button
          className="primary"
          disabled={link === ''}
          onClick={() => {
            void navigator.clipboard.writeText(link).then(
              () => setCopied(true),
              () => setProblem('Copy the link from the field.'),
            )
          }}
        >
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      <p className="quiet">{problem || 'The link works for 7 days.'}</p>
      <button onClick={onClose}>Done</button>
    </Dialog>
  )
}

const asked: Record<DeviceRequest['device'], string> = {
  mic: 'turn on your microphone',
  camera: 'turn on your camera',
  share: 'share your screen',
}

function ConsentDialog({
  meeting,
  request,
  attempt,
  onClose,
}: {
  meeting: Meeting
  request: DeviceRequest
  attempt: Attempt
  onClose: () => void
}) {
  const name = meeting.participants.get(request.from)?.name
  const who = name === undefined ? 'A moderator' : isolated(name)
  return (
    <Dialog title={`${who} asks you to ${asked[request.device]}`} onClose={onClose}>
      <div className="row" data-testid="consent">
        <button
          onClick={() => {
            request.reject()
            onClose()
          }}
        >
          Not now
        </button>
        <button
          className="primary"
          data-testid="consent-accept"
          onClick={() => {
            attempt(() => request.accept())
            onClose()
          }}
        >
          Turn on
        </button>
      </div>
    </Dialog>
  )
}

/** How long one has been inside. */
function Duration() {
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    const since = Date.now()
    const timer = setInterval(() => setSeconds(Math.floor((Date.now() - since) / 1000)), 1000)
    return () => clearInterval(timer)
  }, [])
  const pad = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  return (
    <span className="quiet" aria-label="Time in the meeting">
      {hours > 0 && `${hours}:`}
      {pad(Math.floor(seconds / 60) % 60)}:{pad(seconds % 60)}
    </span>
  )
}
