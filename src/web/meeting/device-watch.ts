/** Devices that are unplugged and plugged in during a meeting. */
import type { Meeting } from '../../client/client.ts'
import { keptDevices } from '../kept-devices.ts'
import { text } from '../texts/texts.ts'

export type Listed = Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>

/** Chromium lists the default device a second time under these ids. */
const ALIASES = new Set(['default', 'communications'])

/** The devices that were plugged in. A browser that names none yet has not told us which there were. */
export function pluggedIn(before: readonly Listed[], now: readonly Listed[]): Listed[] {
  return now.filter(
    ({ kind, deviceId }) =>
      deviceId !== '' &&
      !ALIASES.has(deviceId) &&
      !before.some((one) => one.kind === kind && (one.deviceId === deviceId || one.deviceId === '')),
  )
}

/**
 * What to do when the browser ended the track of a device: nothing if the device is still there, because then the person
 * or another program ended it; else another one takes its place, if there is one.
 */
export function afterEnd(
  kind: MediaDeviceKind,
  endedId: string | undefined,
  now: readonly Listed[],
): 'nothing' | 'replace' | 'none' {
  const those = now.filter((one) => one.kind === kind && one.deviceId !== 'communications')
  if (endedId === undefined) return 'nothing'
  if (!ALIASES.has(endedId) && those.some(({ deviceId }) => deviceId === endedId)) return 'nothing'
  return those.length > 0 ? 'replace' : 'none'
}

const kinds = { mic: 'audioinput', camera: 'videoinput' } as const

/** Replaces an unplugged device and tells of new ones. Returns a function that stops it. */
export function watchDevices(meeting: Meeting, tell: (sentence: string) => void): () => void {
  const { devices } = meeting
  const browser = 'navigator' in globalThis ? (navigator.mediaDevices as MediaDevices | undefined) : undefined
  if (!browser) return () => undefined
  let listed: Listed[] | undefined
  const watched = new WeakSet<MediaStreamTrack>()
  const list = async (): Promise<Listed[]> => browser.enumerateDevices().catch(() => [])
  void list().then((first) => (listed ??= first))

  const onEnded = async (own: 'mic' | 'camera', track: MediaStreamTrack): Promise<void> => {
    const next = afterEnd(kinds[own], track.getSettings().deviceId, await list())
    if (next === 'nothing' || meeting.state === 'left') return
    const name = track.label
    try {
      if (next === 'none') throw new Error('no other device is plugged in')
      await (own === 'mic' ? devices.enableMic() : devices.enableCamera())
      tell(text('devices.replaced', { name, other: devices[own]?.label ?? '' }))
    } catch {
      tell(text('devices.gone', { name }))
    }
  }
  const watch = (): void => {
    for (const own of ['mic', 'camera'] as const) {
      const track = devices[own]
      if (!track || watched.has(track)) continue
      watched.add(track)
      // Only the browser's own end is an event; a track that we stop has none.
      track.addEventListener('ended', () => void onEnded(own, track))
    }
  }
  const onChange = async (): Promise<void> => {
    const now = await list()
    const fresh = pluggedIn(listed ?? now, now)
    listed = now
    const one = fresh.find(({ kind }) => kind === 'videoinput') ?? fresh[0]
    if (one) tell(text('devices.new', { name: one.label }))
  }
  const hear = (): void => void onChange()

  devices.prefer('mic', keptDevices.get('mic'))
  devices.prefer('camera', keptDevices.get('camera'))
  watch()
  const stop = meeting.on('devicesChanged', watch)
  browser.addEventListener('devicechange', hear)
  return () => {
    stop()
    browser.removeEventListener('devicechange', hear)
  }
}
