/**
 * The page that is recorded. The server opens it in a browser of its own, with all that it needs in the fragment; it joins as a
 * member whom nobody sees, and draws.
 */
import { Meeting } from '../../client/meeting.ts'
import type { Composition, Layout } from '../../protocol/outputs.ts'
import { readLayout } from './layouts.ts'
import { stayNearby } from './nearby.ts'
import './recorder.css'
import { Stage } from './stage.ts'

interface Order {
  meetingId: string
  participantId: string
  token: string
  composition: Composition
  frameRate: number
}

/** Called by the server. */
interface Recorder {
  /** Hosts change the layout on these topics. */
  follow(topics: string[]): void
}

const order = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Order
// It is of no use to whoever looks at the page.
history.replaceState(null, '', location.pathname)
const { composition } = order
document.documentElement.dataset.theme = composition.theme
document.documentElement.dataset.state = 'joining'

stayNearby(RTCPeerConnection, location.hostname)

/** Directly to the server that gave out this page, whatever its public address is. */
const meeting = new Meeting({
  url: location.origin,
  path: '/socket.io',
  token: order.token,
  meetingId: order.meetingId,
  participantId: order.participantId,
  name: 'Recorder',
  mic: false,
  camera: false,
  metaData: {},
  iceServers: [],
  requestId: undefined,
  timings: { start: performance.now() },
})
const { chat } = meeting
const openChat = chat.open.bind(chat)
chat.open = (url) => openChat(url && here(url))

function here(url: string): string {
  const given = new URL(url)
  const { host, protocol } = location
  return Object.assign(given, { protocol: protocol === 'https:' ? 'wss:' : 'ws:', host }).href
}

let layout: Layout = composition.layout
const stage = new Stage(
  document.querySelector<HTMLElement>('#stage')!,
  meeting,
  layout,
  composition.mode === 'video-and-audio',
)

const followed = new Map<string, () => void>()
const recorder: Recorder = {
  follow(topics) {
    for (const [topic, stop] of followed) {
      if (topics.includes(topic)) continue
      stop()
      followed.delete(topic)
    }
    for (const topic of topics) {
      if (followed.has(topic)) continue
      const stop = chat.listen(topic, ({ text }) => {
        layout = readLayout(text, layout) ?? layout
        stage.layout = layout
      })
      followed.set(topic, stop)
    }
  },
}
Object.assign(globalThis, { anteroomRecorder: recorder })

meeting.on('stateChanged', (state) => (document.documentElement.dataset.state = state))

const pulse = document.querySelector('#pulse')!
requestAnimationFrame(function beat() {
  pulse.classList.toggle('odd')
  requestAnimationFrame(beat)
})
