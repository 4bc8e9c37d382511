import { useEffect, useState } from 'react'
import type { Devices } from '../../client/client.ts'
import { camerasHere, flipTo, otherCamera } from '../camera-flip.ts'
import { text } from '../texts/texts.ts'
import { Icon } from './icon.tsx'

/** Changes between the front and the back camera; shown where there are both, and a finger to press it. */
export function FlipCamera({
  devices,
  track,
  act,
}: {
  devices: Devices
  track: MediaStreamTrack
  act: (flip: () => Promise<void>) => void
}) {
  const [other, setOther] = useState<string>()
  useEffect(() => {
    let isOver = false
    const { deviceId } = track.getSettings()
    void camerasHere().then((cameras) => {
      if (!isOver) setOther(otherCamera(cameras, deviceId))
    })
    return () => {
      isOver = true
    }
  }, [track])
  if (other === undefined || !matchMedia('(pointer: coarse)').matches) return null
  return (
    <button
      type="button"
      className="flip"
      aria-label={text('camera.flip')}
      title={text('camera.flip')}
      onClick={() => act(() => flipTo(devices, other))}
      data-testid="flip-camera"
    >
      <Icon name="flip" />
    </button>
  )
}
