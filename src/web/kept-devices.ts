/** Which devices the person chose last, in this browser. */
export type Chosen = 'mic' | 'camera' | 'speaker'

const KEY = 'anteroom:devices'

function read(): Partial<Record<Chosen, string>> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    return typeof kept === 'object' && kept !== null ? kept : {}
  } catch {
    return {}
  }
}

export const keptDevices = {
  get: (device: Chosen): string | undefined => {
    const kept = read()[device]
    return typeof kept === 'string' && kept !== '' ? kept : undefined
  },
  set: (device: Chosen, deviceId: string): void =>
    localStorage.setItem(KEY, JSON.stringify({ ...read(), [device]: deviceId })),
}

/** Plays on the speaker that was chosen, where the browser lets a page choose; an unplugged one is no obstacle. */
export function playOnChosenSpeaker(audio: HTMLAudioElement): void {
  const speaker = keptDevices.get('speaker')
  if (speaker === undefined || !canChooseSpeaker()) return
  audio.setSinkId(speaker).catch(() => undefined)
}

export const canChooseSpeaker = (): boolean => 'setSinkId' in HTMLMediaElement.prototype
