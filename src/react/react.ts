/**
 * `<AnteroomMeeting>`: the meeting page of a server in a React app, React 18 or newer. It shows `<anteroom-meeting>`,
 * which it loads from that server in the browser; rendered on a server, it is an empty element.
 *
 * ```tsx
 * <AnteroomMeeting server="https://meet.example" meetingId={id} token={token} onLeft={({ reason }) => …} />
 * ```
 */
import {
  createElement,
  forwardRef,
  useEffect,
  useImperativeHandle,
  useRef,
  type CSSProperties,
  type ForwardRefExoticComponent,
  type RefAttributes,
} from 'react'

/** Commands to the page. Without effect before the person has joined. */
export interface AnteroomMeetingHandle {
  leave: () => void
  setMic: (on: boolean) => void
  setCamera: (on: boolean) => void
  /** A browser may refuse to share a screen without a click in the page. */
  setShare: (on: boolean) => void
}

export interface AnteroomMeetingProps {
  /** Address of the server, such as `https://meet.example`. A page shows the meetings of one server. */
  server: string
  meetingId: string
  /** Made by the app's own server for this person. It is never written into the document. */
  token: string
  /** `de`; default: the browser's language. */
  language?: string
  /** Of the frame, for screen readers. Default: "Meeting". */
  title?: string
  className?: string
  /** Give it a height. */
  style?: CSSProperties
  onReady?: () => void
  onJoined?: (event: { meetingId: string; participantId: string }) => void
  onParticipantJoined?: (event: { participantId: string }) => void
  onParticipantLeft?: (event: { participantId: string }) => void
  /** A command that failed. */
  onRefused?: (event: { command: string; reason: string }) => void
  /** `reason` is the code of the end. */
  onLeft?: (event: { reason: number }) => void
  /** The server could not be reached. */
  onUnavailable?: () => void
}

type Element = HTMLElement & AnteroomMeetingHandle & { token: string }

const handlers = {
  ready: 'onReady',
  joined: 'onJoined',
  'participant-joined': 'onParticipantJoined',
  'participant-left': 'onParticipantLeft',
  refused: 'onRefused',
  left: 'onLeft',
} as const satisfies Record<string, keyof AnteroomMeetingProps>

export const AnteroomMeeting: ForwardRefExoticComponent<
  AnteroomMeetingProps & RefAttributes<AnteroomMeetingHandle>
> = forwardRef<AnteroomMeetingHandle, AnteroomMeetingProps>(function AnteroomMeeting(props, ref) {
  const { server, meetingId, token, language, title, className, style } = props
  const element = useRef<Element>(null)
  // The events call what was passed last, without listening anew.
  const latest = useRef(props)
  useEffect(() => {
    latest.current = props
  })

  useEffect(() => {
    const target = element.current!
    const stops = Object.entries(handlers).map(([type, name]) => {
      const hear = (event: Event): void => {
        const call = latest.current[name] as ((detail: unknown) => void) | undefined
        call?.((event as CustomEvent<unknown>).detail)
      }
      target.addEventListener(type, hear)
      return () => target.removeEventListener(type, hear)
    })
    return () => stops.forEach((stop) => stop())
  }, [])
  useEffect(() => {
    // Set before the script has arrived, the element finds it there.
    element.current!.token = token
  }, [token, meetingId])
  useEffect(() => load(server, () => latest.current.onUnavailable?.()), [server])

  useImperativeHandle(ref, () => {
    const command = (name: keyof AnteroomMeetingHandle, ...on: boolean[]): void => {
      const call = element.current?.[name] as ((...values: boolean[]) => void) | undefined
      call?.apply(element.current, on)
    }
    return {
      leave: () => command('leave'),
      setMic: (on) => command('setMic', on),
      setCamera: (on) => command('setCamera', on),
      setShare: (on) => command('setShare', on),
    }
  }, [])
  // A custom element has `class`, and `className` under React 18 only as that.
  return createElement('anteroom-meeting', {
    ref: element,
    meeting: meetingId,
    lang: language,
    title,
    class: className,
    style: { display: 'block', ...style },
  })
})

/** Loads the element of this server, once for the page. Returns a function that stops waiting for a failure. */
function load(server: string, onFailure: () => void): () => void {
  const src = `${server.replace(/\/+$/, '')}/embed.js`
  let script = [...document.scripts].find((one) => one.src === src)
  if (!script) {
    script = document.createElement('script')
    script.type = 'module'
    script.src = src
    document.head.append(script)
  }
  const fail = (): void => {
    // The next attempt loads it again.
    script.remove()
    onFailure()
  }
  script.addEventListener('error', fail)
  return () => script.removeEventListener('error', fail)
}
