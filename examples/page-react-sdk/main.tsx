/**
 * A small meeting on `@videosdk.live/react-sdk`, as its documentation shows it; only `signalingBaseUrl` is ours.
 * Open it with ?server=localhost:9443&meetingId=…&token=…&name=…; `&rtmp=…&key=…` is where a livestream goes.
 */
import {
  MeetingProvider,
  useMeeting,
  useParticipant,
  usePubSub,
  useTranscription,
  useWhiteboard,
  VideoPlayer,
} from '@videosdk.live/react-sdk'
import { useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'

const query = new URLSearchParams(location.search)
const given = (name: string): string => query.get(name) ?? ''

function Participant({ participantId }: { participantId: string }) {
  const { displayName, isLocal, micOn, webcamOn, micStream } = useParticipant(participantId)
  const audio = useRef<HTMLAudioElement>(null)
  useEffect(() => {
    if (!audio.current) return
    // The types say that the stream is always there; it comes a moment after the state.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    audio.current.srcObject = micOn && micStream ? new MediaStream([micStream.track]) : null
  }, [micOn, micStream])
  return (
    <li data-participant={displayName} data-mic={String(micOn)} data-camera={String(webcamOn)}>
      {displayName}
      {webcamOn && <VideoPlayer participantId={participantId} type="video" />}
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

/** The outputs of the meeting; starting and stopping them needs `allow_mod`. */
function Outputs() {
  const meeting = useMeeting()
  const { isRecording, isHls, hlsUrls, isLiveStreaming } = meeting
  const [captions, setCaptions] = useState('')
  const [isTranscribing, setTranscribing] = useState(false)
  const transcription = useTranscription({
    onTranscriptionStateChanged: ({ status }) => setTranscribing(status === 'TRANSCRIPTION_STARTED'),
    onTranscriptionText: ({ participantName, text }) => setCaptions(`${participantName}: ${text}`),
  })
  const whiteboard = useWhiteboard()
  const livestream = [{ url: given('rtmp'), streamKey: given('key') }]
  return (
    <section aria-label="Outputs">
      <button
        aria-pressed={isRecording}
        onClick={() => void (isRecording ? meeting.stopRecording() : meeting.startRecording())}
      >
        Recording
      </button>
      <button aria-pressed={isHls} onClick={() => void (isHls ? meeting.stopHls() : meeting.startHls())}>
        HLS
      </button>
      <button
        aria-pressed={isLiveStreaming}
        onClick={() =>
          void (isLiveStreaming ? meeting.stopLivestream() : meeting.startLivestream(livestream))
        }
      >
        Livestream
      </button>
      <button
        aria-pressed={isTranscribing}
        onClick={() =>
          void (isTranscribing ? transcription.stopTranscription() : transcription.startTranscription({}))
        }
      >
        Captions
      </button>
      <button
        aria-pressed={Boolean(whiteboard.whiteboardUrl)}
        onClick={() =>
          void (whiteboard.whiteboardUrl ? whiteboard.stopWhiteboard() : whiteboard.startWhiteboard())
        }
      >
        Whiteboard
      </button>
      {hlsUrls.playbackHlsUrl && <a href={hlsUrls.playbackHlsUrl}>Watch</a>}
      <output>{captions}</output>
    </section>
  )
}

function Meeting() {
  const [state, setState] = useState('idle')
  const { join, leave, toggleMic, toggleWebcam, participants } = useMeeting({
    onMeetingJoined: () => setState('joined'),
    onMeetingLeft: () => setState('left'),
    onError: ({ code, message }) => setState(`error ${code}: ${message}`),
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
      {/* Mounted before the join, right after which it is told what is on. */}
      <div hidden={state !== 'joined'}>
        <Outputs />
      </div>
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
