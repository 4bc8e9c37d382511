/** Makes the open camera and microphone match the chosen effects while they are on. */
import type { Devices } from '../../client/client.ts'
import type { Subscribe } from '../meeting/view.ts'
import type { BackgroundEffect } from './background.ts'
import { effectChoices } from './chosen.ts'
import { effectOf, sourceOf } from './derived-track.ts'
import { processCamera, processMic } from './process.ts'

type Own = 'mic' | 'camera'
/** The part of `Devices` that is used. */
type Kept = Pick<Devices, 'mic' | 'camera' | 'status' | 'enableMic' | 'enableCamera' | 'disableCamera'>

/** Returns a function that stops it. */
export function keepEffects(devices: Kept, onDevicesChanged: Subscribe): () => void {
  const busy = new Set<Own>()
  let isOver = false
  const isOn = (own: Own): boolean => !isOver && devices.status(own) === 'on'

  /** Replaces the track, unless the person changed something in the meantime. */
  const replace = async (own: Own, process: (track: MediaStreamTrack) => Promise<MediaStreamTrack>) => {
    const before = devices[own]!
    // Stopping the replaced track must not stop the device.
    const made = await process(sourceOf(before).clone())
    if (isOn(own) && devices[own] === before)
      await (own === 'mic' ? devices.enableMic(made) : devices.enableCamera(made))
    else made.stop()
  }

  const matchMic = async (track: MediaStreamTrack): Promise<void> => {
    if ((effectOf(track) !== undefined) !== effectChoices.get().reducesNoise) await replace('mic', processMic)
  }

  const matchCamera = async (track: MediaStreamTrack): Promise<void> => {
    const chosen = effectChoices.get()
    const effect = effectOf(track) as BackgroundEffect | undefined
    if (chosen.background === 'none' && effect) {
      // Nobody may see the room of a person who chose to hide it.
      if (chosen.problems.background === 'backgroundBroke') await devices.disableCamera()
      else await replace('camera', processCamera)
    } else if (chosen.background !== 'none' && !effect)
      // Others see the same as before, so the camera stays on.
      await replace('camera', processCamera).catch(() => effectChoices.giveUp('backgroundFailed'))
    else if (effect && !effect.shows(chosen)) await effect.show(chosen)
  }

  const look = (own: Own): void => {
    const track = devices[own]
    if (!track || !isOn(own) || busy.has(own)) return
    busy.add(own)
    const before = effectChoices.get()
    void (own === 'mic' ? matchMic(track) : matchCamera(track))
      .catch((error: unknown) => console.error(error))
      .finally(() => {
        busy.delete(own)
        if (devices[own] !== track || effectChoices.get() !== before) look(own)
      })
  }
  const lookAtBoth = (): void => {
    look('mic')
    look('camera')
  }
  lookAtBoth()
  const stops = [onDevicesChanged(lookAtBoth), effectChoices.subscribe(lookAtBoth)]
  return () => {
    isOver = true
    stops.forEach((stop) => stop())
  }
}
