import { useEffect, useRef } from 'react'
import { playOnChosenSpeaker } from '../kept-devices.ts'

/** Shows a video track. Its sound is played elsewhere. */
export function Video({
  track,
  mirrored = false,
  contain = false,
  label,
}: {
  track: MediaStreamTrack
  mirrored?: boolean
  contain?: boolean
  label: string
}) {
  const element = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    const video = element.current!
    video.srcObject = new MediaStream([track])
    void video.play().catch(() => undefined)
    return () => {
      video.srcObject = null
    }
  }, [track])
  return (
    <video
      ref={element}
      className={`${mirrored ? 'mirrored' : ''} ${contain ? 'contain' : ''}`}
      aria-label={label}
      autoPlay
      playsInline
      muted
    />
  )
}

/** Plays an audio track. `onBlocked`: the browser requires a click first. */
export function Sound({ track, onBlocked }: { track: MediaStreamTrack; onBlocked: () => void }) {
  const element = useRef<HTMLAudioElement>(null)
  useEffect(() => {
    const audio = element.current!
    audio.srcObject = new MediaStream([track])
    playOnChosenSpeaker(audio)
    audio.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') onBlocked()
    })
    return () => {
      audio.srcObject = null
    }
  }, [track, onBlocked])
  return <audio ref={element} autoPlay />
}
