import { useEffect, useMemo, useState } from 'react'
import { DeviceError, type DeviceProblem } from '../../../client/client.ts'
import { isMirrored } from '../../camera-flip.ts'
import { keptDevices } from '../../kept-devices.ts'
import { DeviceChoice } from '../../parts/device-choice.tsx'
import { EffectChoice } from '../../parts/effect-choice.tsx'
import { LevelMeter } from '../../parts/level-meter.tsx'
import { Speaker } from '../../parts/speaker.tsx'
import { Video } from '../../parts/video.tsx'
import { text } from '../../texts/texts.ts'
import { isWanted } from '../bar-model.ts'
import { useModel } from '../model.ts'
import { useView } from '../use-view.ts'
import { onEvents, viewOf } from '../view.ts'

type Own = 'mic' | 'camera'

/** Camera, microphone and speaker. A device that is off is only remembered: choosing must not switch it on. */
export function DeviceSettings() {
  const { meeting, settings } = useModel()
  const { devices } = meeting
  const { mutedHint } = useView(settings)
  const tracks = useView(
    useMemo(
      () =>
        viewOf(
          () => ({ mic: devices.mic, camera: devices.camera }),
          onEvents(meeting, 'devicesChanged', 'stateChanged'),
        ),
      [meeting, devices],
    ),
  )
  const choices = useDevicesHere(tracks)
  const [problems, setProblems] = useState<Partial<Record<Own, DeviceProblem | undefined>>>({})
  const [kept, setKept] = useState(() => ({ mic: keptDevices.get('mic'), camera: keptDevices.get('camera') }))

  const choose = async (own: Own, deviceId: string): Promise<void> => {
    keptDevices.set(own, deviceId)
    setKept((before) => ({ ...before, [own]: deviceId }))
    devices.prefer(own, deviceId)
    let problem: DeviceProblem | undefined
    if (isWanted(devices.status(own)))
      try {
        await (own === 'mic' ? devices.switchMic(deviceId) : devices.switchCamera(deviceId))
      } catch (error) {
        problem = error instanceof DeviceError ? error.problem : 'other'
      }
    setProblems((before) => ({ ...before, [own]: problem }))
  }
  return (
    <>
      <div className="preview">
        {tracks.camera ? (
          <Video
            track={tracks.camera}
            mirrored={isMirrored(tracks.camera)}
            label={text('preJoin.asMirror')}
          />
        ) : (
          <p className="no-camera">{text('preJoin.cameraOff')}</p>
        )}
      </div>
      {(['camera', 'mic'] as const).map((own) => (
        <DeviceChoice
          key={own}
          own={own}
          choices={choices}
          chosen={tracks[own]?.getSettings().deviceId ?? kept[own] ?? ''}
          problem={problems[own]}
          isInside
          onChoose={(deviceId) => void choose(own, deviceId)}
        />
      ))}
      <LevelMeter track={tracks.mic} />
      <label className="radio">
        <input
          type="checkbox"
          checked={mutedHint}
          onChange={({ target }) => settings.change({ mutedHint: target.checked })}
          data-testid="muted-hint"
        />
        {text('settings.mutedHint')}
      </label>
      <p className="quiet">{text('settings.mutedHint.how')}</p>
      <Speaker choices={choices} />
      <EffectChoice />
    </>
  )
}

/** The devices that the browser lists, read again when one comes or goes, or when a permission may have named them. */
function useDevicesHere(permission: unknown): MediaDeviceInfo[] {
  const [choices, setChoices] = useState<MediaDeviceInfo[]>([])
  useEffect(() => {
    const browser = navigator.mediaDevices as MediaDevices | undefined
    const read = (): void => void browser?.enumerateDevices().then(setChoices, () => undefined)
    read()
    browser?.addEventListener('devicechange', read)
    return () => browser?.removeEventListener('devicechange', read)
  }, [permission])
  return choices
}
