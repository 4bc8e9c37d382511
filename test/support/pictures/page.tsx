/** Every main screen with fixed content, without a server and without devices. */
import '@fontsource/inter/latin-400.css'
import '@fontsource/inter/latin-600.css'
import '@fontsource/inter/latin-700.css'
import { Fragment, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import '../../../src/web/base.css'
import '../../../src/web/style.css'
import { MeetingScreen } from '../../../src/web/meeting/screen.tsx'
import { Home } from '../../../src/web/screens/home.tsx'
import { Message } from '../../../src/web/screens/message.tsx'
import { PreJoin } from '../../../src/web/screens/pre-join.tsx'
import { Waiting } from '../../../src/web/screens/waiting.tsx'
import { sentenceFor } from '../../../src/web/sentences.ts'
import { FakeMeeting } from '../fake-meeting.ts'
import { fakeMoves } from '../fake-moves.ts'
import './pictures.css'

const PEOPLE = ['Amara', 'Ben', 'Chloé', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hiro']
const TALK = [
  ['Amara', 'Good morning! The agenda is in the invitation.'],
  ['Ben', 'I can start with the figures of October.'],
  ['Chloé', 'Please do. `npm run bench` printed new ones.'],
] as const
const TURN = 2 * Math.PI
const nothing = (): Promise<void> => Promise.resolve()

/** Draws somebody before a wall of a colour of their own. */
function paint(canvas: HTMLCanvasElement, hue: number): void {
  Object.assign(canvas, { width: 640, height: 360 })
  const context = canvas.getContext('2d')!
  const fill = (color: string, path: () => void): void => {
    context.fillStyle = color
    context.beginPath()
    path()
    context.fill()
  }
  fill(`hsl(${hue} 22% 74%)`, () => context.rect(0, 0, 640, 360))
  fill(`hsl(${hue} 18% 84%)`, () => context.rect(60, 40, 150, 190))
  fill(`hsl(${(hue + 150) % 360} 35% 38%)`, () => context.ellipse(320, 380, 150, 150, 0, 0, TURN))
  fill(`hsl(${20 + (hue % 15)} 45% ${40 + (hue % 35)}%)`, () => context.ellipse(320, 165, 68, 82, 0, 0, TURN))
  fill(`hsl(${hue % 50} 40% ${12 + (hue % 20)}%)`, () => context.ellipse(320, 124, 74, 56, 0, TURN / 2, TURN))
}

/** A camera that shows the same picture for ever. */
function camera(hue: number): MediaStreamTrack {
  const canvas = document.createElement('canvas')
  paint(canvas, hue)
  // Without new frames, a video that is shown later would stay black.
  setInterval(() => paint(canvas, hue), 200)
  return canvas.captureStream(5).getVideoTracks()[0]!
}

/** A microphone in a silent room. */
function microphone(): MediaStreamTrack {
  return new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]!
}

function meetingOf(count: number): FakeMeeting {
  const meeting = new FakeMeeting()
  Object.assign(meeting.self, { name: 'Ada', canAdmit: true, canModerate: true })
  meeting.devices.camera = camera(190)
  meeting.devices.mic = microphone()
  Object.assign(meeting.statuses, { mic: 'on', camera: 'on' })
  for (const [at, name] of PEOPLE.slice(0, count - 1).entries()) {
    const id = `p${at}`
    meeting.join(id)
    meeting.change(id, { name, micOn: at % 3 !== 1, cameraOn: at % 4 !== 3 })
    if (at % 4 !== 3) meeting.send(id, 'video', camera((at * 47 + 20) % 360))
  }
  return meeting
}

const inMeeting = (meeting: FakeMeeting): ReactNode => (
  <MeetingScreen meeting={meeting.asMeeting} token="" moves={fakeMoves(meeting)} />
)

/** A meeting for measurements: people come on demand, with the moving picture of the browser's own test camera. */
function moving(meeting: FakeMeeting): FakeMeeting {
  return (talking = meeting)
}

let talking: FakeMeeting | undefined

/** A meeting in which the people talk on demand. */
const talkingOf = (count: number): FakeMeeting => (talking = meetingOf(count))
const pass = { meetingId: 'aaaa-bbbb-cccc', token: 'a.b.c' }

const screens: Record<string, () => ReactNode> = {
  start: () => <Home onStart={nothing} onJoin={nothing} />,
  'pre-join': () => <PreJoin pass={pass} onJoin={nothing} />,
  waiting: () => <Waiting waiting before={2} onCancel={() => undefined} />,
  'meeting-1': () => inMeeting(meetingOf(1)),
  'meeting-4': () => inMeeting(meetingOf(4)),
  'meeting-9': () => inMeeting(meetingOf(9)),
  'meeting-25': () => inMeeting(moving(new FakeMeeting())),
  chat: () => inMeeting(talkingOf(4)),
  settings: () => inMeeting(meetingOf(2)),
  removed: () => <Message sentence={sentenceFor('REMOVED_FROM_SESSION')} onHome={() => undefined} />,
  ended: () => <Message sentence={sentenceFor(undefined, 1009)} onHome={() => undefined} />,
}

const root = createRoot(document.getElementById('root')!)

Object.assign(globalThis, {
  /** Lets so many people come, one after the other. */
  come: async (count: number) => {
    const [track] = (await realCamera()).getTracks()
    for (let at = 0; at < count; at++) {
      const id = `p${at}`
      talking!.join(id)
      talking!.change(id, { micOn: true, cameraOn: true })
      talking!.send(id, 'video', track)
      await new Promise((done) => setTimeout(done, 100))
    }
  },
  /** Lets another one speak, four times a second. */
  converse: () => {
    let at = 0
    setInterval(() => talking!.speak(`p${at++ % 24}`), 250)
  },
  talk: () => {
    for (const [from, said] of TALK) talking!.hear('CHAT', from, said)
  },
  show: (name: string) => {
    // Each screen starts anew, without what was open on the last one.
    root.render(<Fragment key={name}>{screens[name]!()}</Fragment>)
  },
})

// A person's own devices: one camera and one microphone, which are there at once.
const { mediaDevices } = navigator
const open = mediaDevices.getUserMedia.bind(mediaDevices)
const realCamera = (): Promise<MediaStream> => open({ video: { width: 320, height: 180, frameRate: 30 } })
mediaDevices.getUserMedia = (wish) =>
  Promise.resolve(new MediaStream([wish?.video ? camera(190) : microphone()]))
mediaDevices.enumerateDevices = () => Promise.resolve([])
