/**
 * A small meeting with the hooks that every published version of the React SDK has; only `signalingBaseUrl` is ours. Which
 * version it is, and which React, is for whoever bundles it to say.
 */
import { MeetingProvider, useMeeting, useParticipant, usePubSub } from '@videosdk.live/react-sdk'
import { useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'

const given = (name: string): string => new URLSearchParams(location.search).get(name) ?? ''

function Participant({ participantId }: { participantId: string }) {
  const { displayName, isLocal, micOn, webcamOn, micStream, webcamStream } = useParticipant(participantId)
  const audio = useRef<HTMLAudioElement>(null)
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    const shown = (on: boolean, stream?: { track: MediaStreamTrack }): MediaStream | null =>
      on && stream ? new MediaStream([stream.track]) : null
    if (audio.current) audio.current.srcObject = shown(micOn, micStream)
    if (video.current) video.current.srcObject = shown(webcamOn, webcamStream)
  }, [micOn, micStream, webcamOn, webcamStream])
  return (
    <li data-participant={displayName} data-mic={String(micOn)} data-camera={String(webcamOn)}>
      {displayName}
      <video ref={video} autoPlay muted playsInline />
      {!isLocal && <audio ref={audio} autoPlay />}
    </li>
  )
}

function Chat() {
  const [text, setText] = useState('')
  const { publish, messages } = usePubSub('CHAT', {})
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void publish(text, { persist: true })
        setText('')
      }}
    >
      <ol>
        {messages.map(({ id, senderName, message }) => (
          <li key={id}>
            {senderName}: {message}
          </li>
        ))}
      </ol>
      <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
      <button>Send</button>
    </form>
  )
}

function Meeting() {
  const [state, setState] = useState('idle')
  const { join, leave, toggleMic, toggleWebcam, participants } = useMeeting({
    onMeetingJoined: () => setState('joined'),
    onMeetingLeft: () => setState('left'),
  })
  return (
    <main>
      <p role="status">{state}</p>
      <button onClick={() => void join()}>Join</button>
      <button onClick={() => void leave()}>Leave</button>
      <button onClick={() => void toggleMic()}>Microphone</button>
      <button onClick={() => void toggleWebcam()}>Camera</button>
      {state === 'joined' && (
        <>
          <ul>
            {[...participants.keys()].map((id) => (
              <Participant key={id} participantId={id} />
            ))}
          </ul>
          <Chat />
        </>
      )}
    </main>
  )
}

createRoot(document.getElementById('root')!).render(
  <MeetingProvider
    token={given('token')}
    config={{
      meetingId: given('meetingId'),
      name: given('name'),
      micEnabled: true,
      webcamEnabled: true,
      debugMode: false,
      signalingBaseUrl: given('server'),
    }}
  >
    <Meeting />
  </MeetingProvider>,
)
