/** The screen of a meeting of 25, without a server. */
import { createRoot } from 'react-dom/client'
import { MeetingScreen } from '../../../src/web/meeting/screen.tsx'
import { FakeMeeting } from '../fake-meeting.ts'
import { fakeMoves } from '../fake-moves.ts'
import { drawn } from './counted-jsx.ts'

const meeting = new FakeMeeting().join(...Array.from({ length: 24 }, (_, at) => `p${at}`))
createRoot(document.getElementById('root')!).render(
  <MeetingScreen meeting={meeting.asMeeting} token="" moves={fakeMoves(meeting)} />,
)

/** Returns what is drawn during an action, until the browser has painted. */
async function drawnBy(act: (meeting: FakeMeeting) => void): Promise<Record<string, number>> {
  drawn.clear()
  act(meeting)
  await new Promise((done) => setTimeout(done))
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  return Object.fromEntries(drawn)
}

Object.assign(globalThis, { drawnBy })
