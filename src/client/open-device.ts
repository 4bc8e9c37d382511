/** Opens our devices in the browser. */
import type { Tracks } from './device-state.ts'
import { DeviceError, deviceProblem } from './errors.ts'

export type OwnKind = 'mic' | 'camera' | 'share'
export type OpenTracks = Tracks<MediaStreamTrack>
/** Makes the track that is shown and sent from that of a device. */
export type ProcessTrack = (track: MediaStreamTrack, device: 'mic' | 'camera') => Promise<MediaStreamTrack>

/** A page without encryption has no `mediaDevices`, whatever the types say. */
function isInsecure(): boolean {
  return (navigator.mediaDevices as MediaDevices | undefined) === undefined
}

/**
 * Opens a device in the browser: this one, else the preferred one if it is plugged in, else any.
 * @throws {DeviceError}
 */
export async function openDevice(
  device: 'mic' | 'camera',
  deviceId?: string,
  preferredId?: string,
): Promise<MediaStreamTrack> {
  if (isInsecure()) throw new DeviceError(device, 'insecure', undefined)
  const wish =
    deviceId === undefined ? preferredId !== undefined && { ideal: preferredId } : { exact: deviceId }
  const chosen = wish ? { deviceId: wish } : {}
  try {
    const stream = await navigator.mediaDevices.getUserMedia(
      device === 'mic'
        ? { audio: { ...chosen, echoCancellation: true, noiseSuppression: true, autoGainControl: true } }
        : { video: { ...chosen, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } },
    )
    return stream.getTracks()[0]!
  } catch (cause) {
    throw new DeviceError(device, deviceProblem(cause instanceof Error ? cause.name : ''), cause)
  }
}

/** Opens a device as a person has it, or lets them choose what to share. @throws {DeviceError} */
export async function askBrowser(
  device: OwnKind,
  deviceId?: string,
  preferredId?: string,
): Promise<OpenTracks> {
  if (device === 'mic') return { audio: await openDevice('mic', deviceId, preferredId) }
  if (device === 'camera') return { video: await openDevice('camera', deviceId, preferredId) }
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 30 }, audio: true })
    const [share, shareAudio] = [stream.getVideoTracks()[0]!, stream.getAudioTracks()[0]]
    return { share, ...(shareAudio && { shareAudio }) }
  } catch (cause) {
    throw new DeviceError('screen', deviceProblem(cause instanceof Error ? cause.name : ''), cause)
  }
}

/** Processes what was opened. Screens stay as they are. @throws what `processTrack` throws */
export async function processed(tracks: OpenTracks, processTrack: ProcessTrack): Promise<OpenTracks> {
  const { audio, video } = tracks
  const source = audio ?? video
  if (!source) return tracks
  try {
    const made = await processTrack(source, audio ? 'mic' : 'camera')
    return audio ? { audio: made } : { video: made }
  } catch (error) {
    source.stop()
    throw error
  }
}
