/** Applies the chosen effects to each track that is opened. Loads them only if one is chosen. */
import { text } from '../texts/texts.ts'
import { effectChoices } from './chosen.ts'

type Processed = (track: MediaStreamTrack) => Promise<MediaStreamTrack>

const noise: Processed = async (track) => {
  const { withoutNoise } = await import('./noise.ts')
  return withoutNoise(track, () => effectChoices.giveUp('noiseBroke'))
}

const background: Processed = async (track) => {
  const { BackgroundEffect } = await import('./background.ts')
  return BackgroundEffect.open(track, effectChoices.get(), () => effectChoices.giveUp('backgroundBroke'))
}

/** Returns a microphone's track without noise, if the person chose that and the browser supports it. */
export async function processMic(track: MediaStreamTrack): Promise<MediaStreamTrack> {
  if (!effectChoices.get().reducesNoise) return track
  try {
    return await noise(track)
  } catch (error) {
    console.error(error)
    effectChoices.giveUp('noiseFailed')
    return track
  }
}

/**
 * Returns a camera's track with the chosen background. Whoever chose one does not want to be seen without it, so a
 * failure counts as a failure of the camera. @throws
 */
export async function processCamera(track: MediaStreamTrack): Promise<MediaStreamTrack> {
  if (effectChoices.get().background === 'none') return track
  try {
    return await background(track)
  } catch (cause) {
    effectChoices.giveUp('cameraFailed')
    throw new Error(text('effects.cameraFailed'), { cause })
  }
}

/** The `process` option of `Devices`. */
export function processTrack(track: MediaStreamTrack, device: 'mic' | 'camera'): Promise<MediaStreamTrack> {
  return device === 'mic' ? processMic(track) : processCamera(track)
}
