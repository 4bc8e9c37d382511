/**
 * The meeting page in a React app, with buttons and a log of the app's own. Open it with
 * ?server=https://localhost:9443&meetingId=…&token=…; in an app, the token comes from the app's own server.
 */
import { AnteroomMeeting, type AnteroomMeetingHandle } from 'anteroom/react'
import { useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'

const query = new URLSearchParams(location.search)
const given = (name: string): string => query.get(name) ?? ''

function App() {
  const meeting = useRef<AnteroomMeetingHandle>(null)
  const [lines, setLines] = useState<string[]>([])
  const note = (line: string): void => setLines((before) => [...before, line])
  return (
    <main>
      <button onClick={() => meeting.current?.setMic(false)}>Mute me</button>
      <button onClick={() => meeting.current?.leave()}>Leave</button>
      <AnteroomMeeting
        ref={meeting}
        server={given('server')}
        meetingId={given('meetingId')}
        token={given('token')}
        style={{ height: 600 }}
        onJoined={({ participantId }) => note(`joined as ${participantId}`)}
        onParticipantJoined={() => note('somebody joined')}
        onParticipantLeft={() => note('somebody left')}
        onLeft={({ reason }) => note(`left: ${reason}`)}
        onUnavailable={() => note('the server cannot be reached')}
      />
      <ol>
        {lines.map((line, at) => (
          <li key={at}>{line}</li>
        ))}
      </ol>
    </main>
  )
}

createRoot(document.getElementById('root')!).render(<App />)
