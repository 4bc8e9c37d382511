/** What the example's page imports as the SDK: a published version, with the player that versions before 0.2 lack. */
import { useParticipant } from '@videosdk.live/react-sdk'
import { useEffect, useRef } from 'react'

export * from '@videosdk.live/react-sdk'

export function VideoPlayer({ participantId }: { participantId: string }) {
  const { webcamOn, webcamStream } = useParticipant(participantId)
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    if (!video.current) return
    // The types say that the stream is always there; it comes a moment after the state.
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
    video.current.srcObject = webcamOn && webcamStream ? new MediaStream([webcamStream.track]) : null
  }, [webcamOn, webcamStream])
  return <video ref={video} autoPlay muted playsInline />
}
