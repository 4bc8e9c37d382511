/** Chooses the screen that is shown, and switches between screens. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { MeetingError, type LeftReason, type Meeting } from '../client/client.ts'
import { pathOf, type Address } from './address.ts'
import { exchangeInvite, knock, ServerClientError, serverUrl, signIn, type Pass } from './api.ts'
import { processTrack } from './effects/process.ts'
import { memory } from './memory.ts'
import { newMeeting } from './new-meeting.ts'
import { PAGE_INCOMPLETE, sentenceFor, type Sentence } from './sentences.ts'
import { Home } from './screens/home.tsx'
import type * as inside from './screens/inside.tsx'
import { Message } from './screens/message.tsx'
import { PreJoin, type Choice } from './screens/pre-join.tsx'
import { text, useLanguage } from './texts/texts.ts'

/** A refusal by the page itself; the reason is a key of `sentences.ts`. */
class PageError extends Error {
  readonly reason: string

  constructor(reason: string, cause?: unknown) {
    super(reason, { cause })
    this.reason = reason
  }
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof ServerClientError) return error.code
  return error instanceof MeetingError || error instanceof PageError ? error.reason : undefined
}

/**
 * Loads the larger part of the page while people look at themselves in the preview. @throws {PageError} PAGE_INCOMPLETE
 */
async function loadInside(): Promise<typeof inside> {
  try {
    return await import('./screens/inside.tsx')
  } catch (error) {
    console.error(error)
    throw new PageError('PAGE_INCOMPLETE', error)
  }
}

type Screen =
  | { name: 'home' }
  | { name: 'busy'; text: string }
  | { name: 'preJoin'; pass: Pass }
  | { name: 'meeting'; pass: Pass; meeting: Meeting; Inside: typeof inside.Inside }
  | { name: 'message'; sentence: Sentence; pass?: Pass }

declare global {
  interface Window {
    /** For tests and for apps that embed the page from the same origin. */
    anteroom?: { meeting?: Meeting }
  }
}

/** Exchanges an invite code for a pass. A truncated code is reported like an unknown one. */
async function passOfInvite(code: string): Promise<Pass> {
  try {
    return await exchangeInvite(code)
  } catch (error) {
    throw reasonOf(error) === 'INVALID_REQUEST' ? new PageError('NOT_FOUND', error) : error
  }
}

/** @throws {PageError} NO_KNOCK if the meeting's bare address admits nobody */
async function knockAt(meetingId: string): Promise<Pass> {
  try {
    return await knock(meetingId)
  } catch (error) {
    throw reasonOf(error) === 'NOT_FOUND' ? new PageError('NO_KNOCK', error) : error
  }
}

/** What is shown first: where an address leads, the meeting of a pass, or why nothing could be started. */
export type First = { address: Address } | { pass: Pass } | { failed: unknown }

export function App({ first }: { first: First }) {
  const [screen, setScreen] = useState<Screen>({ name: 'busy', text: text('oneMoment') })
  useLanguage()
  const meetingRef = useRef<Meeting | undefined>(undefined)
  /** On the way from the meeting to a breakout room, or back. */
  const moving = useRef(false)
  /** Counts attempts to open a meeting, because an app may hand over its token while the page still knocks. */
  const opened = useRef(0)

  const refuse = useCallback((error: unknown, pass?: Pass) => {
    const reason = reasonOf(error)
    if (pass && reason !== undefined) memory.refused(pass, reason)
    if (reason === undefined) console.error(error)
    setScreen({ name: 'message', sentence: sentenceFor(reason), ...(pass && { pass }) })
  }, [])

  const enter = useCallback((pass: Pass) => {
    opened.current++
    memory.save(pass)
    history.replaceState(null, '', pathOf(new URL(serverUrl).pathname, pass))
    setScreen({ name: 'preJoin', pass })
    // A failure is reported when the person joins.
    loadInside().catch(() => undefined)
  }, [])

  const open = useCallback(
    async (to: Address) => {
      const own = ++opened.current
      const withKey = (pass: Pass): Pass => ({ ...pass, ...(to.key !== undefined && { key: to.key }) })
      const enterUnlessOther = (pass: Pass): void => {
        if (own === opened.current) enter(withKey(pass))
      }
      try {
        if (to.signIn !== undefined) await signIn(to.signIn)
        if (to.meetingId === undefined) setScreen({ name: 'home' })
        else if (to.token !== undefined) enter(withKey({ token: to.token, meetingId: to.meetingId }))
        else if (to.invite !== undefined) {
          setScreen({ name: 'busy', text: text('openingInvite') })
          enterUnlessOther(await passOfInvite(to.invite))
        } else enterUnlessOther(memory.load(to.meetingId) ?? (await knockAt(to.meetingId)))
      } catch (error) {
        if (own === opened.current) refuse(error)
      }
    },
    [enter, refuse],
  )

  useEffect(() => {
    // An app that embeds the page hands over its own token, and so does our dashboard, which opened the page.
    const hear = ({
      source,
      origin,
      data,
    }: MessageEvent<{ type?: string; token?: string; meetingId?: string } | null>): void => {
      const embeds = source === window.parent && source !== window
      const opened = source === window.opener && origin === location.origin
      if (!(embeds || (source !== null && opened)) || data?.type !== 'anteroom:token') return
      if (typeof data.token === 'string' && typeof data.meetingId === 'string')
        enter({ token: data.token, meetingId: data.meetingId })
    }
    window.addEventListener('message', hear)
    if (window.parent !== window) window.parent.postMessage({ type: 'anteroom:ready' }, '*')
    const opener = window.opener as Window | null
    opener?.postMessage({ type: 'anteroom:ready' }, location.origin)
    if ('address' in first) void open(first.address)
    else if ('pass' in first) enter(first.pass)
    else refuse(first.failed)
    return () => window.removeEventListener('message', hear)
  }, [first, enter, open, refuse])

  const start = async (isEncrypted: boolean): Promise<void> => {
    try {
      enter(await newMeeting(isEncrypted))
    } catch (error) {
      refuse(error)
    }
  }

  const left = useCallback((pass: Pass, reason: LeftReason) => {
    if (window.parent !== window)
      window.parent.postMessage({ type: 'anteroom:left', reason: reason.code }, '*')
    setScreen({ name: 'message', sentence: sentenceFor(reason.error?.reason, reason.code), pass })
  }, [])

  const move = useCallback((meeting: Meeting | undefined) => {
    moving.current = meeting === undefined
    if (!meeting) return
    meetingRef.current = meeting
    window.anteroom = { meeting }
  }, [])

  const join = async (pass: Pass, choice: Choice): Promise<void> => {
    try {
      const { connect, Inside } = await loadInside().catch((error: unknown) => {
        for (const track of [choice.mic, choice.camera]) track?.stop()
        throw error
      })
      const participantId = memory.participantId(pass)
      const meeting = await connect({
        url: serverUrl,
        token: pass.token,
        meetingId: pass.meetingId,
        name: choice.name,
        ...(choice.message !== '' && { message: choice.message }),
        mic: choice.mic ?? false,
        camera: choice.camera ?? false,
        processTrack,
        ...(participantId !== undefined && { participantId }),
        ...(pass.key !== undefined && { encryption: { key: pass.key } }),
      })
      memory.joined(pass, meeting.self.id)
      meetingRef.current = meeting
      window.anteroom = { meeting }
      // In a breakout room, the screen inside follows the meeting that it has moved to.
      meeting.on('left', (reason) => {
        if (meetingRef.current === meeting && !moving.current) left(pass, reason)
      })
      moving.current = false
      setScreen({ name: 'meeting', pass, meeting, Inside })
    } catch (error) {
      refuse(error, pass)
    }
  }

  switch (screen.name) {
    case 'home':
      return <Home onStart={start} onJoin={open} />
    case 'busy':
      return (
        <main className="centre" aria-busy="true">
          <p>{screen.text}</p>
        </main>
      )
    case 'preJoin':
      return <PreJoin pass={screen.pass} onJoin={(choice) => join(screen.pass, choice)} />
    case 'meeting':
      return (
        <screen.Inside
          meeting={screen.meeting}
          pass={screen.pass}
          onMove={move}
          onLeft={(reason) => left(screen.pass, reason)}
        />
      )
    case 'message': {
      const { sentence, pass } = screen
      // A part that could not be loaded, or that a newer version no longer has, requires loading the page again.
      const again = (to: Pass): void =>
        sentence === PAGE_INCOMPLETE ? location.reload() : setScreen({ name: 'preJoin', pass: to })
      return (
        <Message
          sentence={sentence}
          {...(pass && sentence.again && { onAgain: () => again(pass) })}
          onHome={() => {
            history.replaceState(null, '', `${new URL(serverUrl).pathname.replace(/\/$/, '')}/`)
            setScreen({ name: 'home' })
          }}
        />
      )
    }
  }
}
