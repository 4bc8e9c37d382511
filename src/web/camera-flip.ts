/** The front and the back camera of a phone. */
import { DeviceError, type Devices } from '../client/client.ts'
import { keptDevices } from './kept-devices.ts'

export type Facing = 'user' | 'environment'

export interface Camera {
  deviceId: string
  label: string
  /** Where it looks, if the browser says so. */
  facing: Facing | undefined
}

/** The words of Chrome on Android and of Safari in English; in other languages the browser has to say it otherwise. */
const words: [RegExp, Facing][] = [
  [/\b(back|rear|environment)\b/i, 'environment'],
  [/\b(front|user|facetime|selfie)\b/i, 'user'],
]

function facingOf({ facing, label }: Camera): Facing | undefined {
  return facing ?? words.find(([word]) => word.test(label))?.[1]
}

/**
 * The camera that looks the other way; of several the first, which is the main one. Undefined if none is known to look
 * the other way. Two cameras that say nothing are taken for a front and a back one.
 */
export function otherCamera(cameras: readonly Camera[], currentId: string | undefined): string | undefined {
  const current = cameras.find(({ deviceId }) => deviceId === currentId)
  if (!current) return undefined
  const facing = facingOf(current)
  if (facing !== undefined)
    return cameras.find((camera) => ![facing, undefined].includes(facingOf(camera)))?.deviceId
  if (cameras.length !== 2 || cameras.some((camera) => facingOf(camera) !== undefined)) return undefined
  return cameras.find((camera) => camera !== current)!.deviceId
}

/** Whether a picture of ourselves is shown as a mirror would: not what the back camera sees. */
export function isMirrored(track: Pick<MediaStreamTrack, 'getSettings'>): boolean {
  return track.getSettings().facingMode !== 'environment'
}

export async function camerasHere(): Promise<Camera[]> {
  const here = await navigator.mediaDevices.enumerateDevices().catch(() => [])
  return here
    .filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '')
    .map((device) => {
      const { deviceId, label } = device
      const capable = device as Partial<InputDeviceInfo>
      const facing = capable.getCapabilities?.().facingMode?.[0]
      return { deviceId, label, facing: facing === 'user' || facing === 'environment' ? facing : undefined }
    })
}

/**
 * Changes to this camera. Many phones open one camera at a time, so one that is busy is tried again after ours is
 * closed. @throws {DeviceError}
 */
export async function flipTo(devices: Devices, deviceId: string): Promise<void> {
  try {
    await devices.switchCamera(deviceId)
  } catch (error) {
    if (!(error instanceof DeviceError) || error.problem !== 'busy') throw error
    await devices.disableCamera()
    try {
      await devices.switchCamera(deviceId)
    } catch (again) {
      await devices.enableCamera()
      throw again
    }
  }
  keptDevices.set('camera', deviceId)
  devices.prefer('camera', deviceId)
}
