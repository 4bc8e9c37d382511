import type { DeviceProblem } from '../../client/client.ts'
import { adviceFor, browserOf, problemOf } from '../device-advice.ts'
import { text } from '../texts/texts.ts'

const texts = {
  mic: { device: 'microphone', kind: 'audioinput' },
  camera: { device: 'camera', kind: 'videoinput' },
} as const

/** Which microphone or camera, and what is wrong with it. Before the join a single one is not worth a choice. */
export function DeviceChoice({
  own,
  choices,
  chosen,
  problem,
  isInside = false,
  onChoose,
}: {
  own: 'mic' | 'camera'
  choices: MediaDeviceInfo[]
  chosen: string
  problem: DeviceProblem | undefined
  isInside?: boolean
  onChoose: (deviceId: string) => void
}) {
  const { device, kind } = texts[own]
  const those = choices.filter((one) => one.deviceId !== '' && one.kind === kind)
  return (
    <div>
      {those.length > (isInside ? 0 : 1) && (
        <>
          <label htmlFor={`choose-${own}`}>{text(`device.${own}`)}</label>
          <select id={`choose-${own}`} value={chosen} onChange={({ target }) => onChoose(target.value)}>
            {those.map(({ deviceId, label: name }) => (
              <option key={deviceId} value={deviceId} dir="auto">
                {name || text(`device.${own}`)}
              </option>
            ))}
          </select>
        </>
      )}
      {problem && (
        <div role="status">
          <p className="problem">
            {isInside
              ? problemOf(problem, device)
              : text('device.without', { problem: problemOf(problem, device) })}
          </p>
          <p className="quiet">{adviceFor(problem, device, browserOf(navigator.userAgent))}</p>
        </div>
      )}
    </div>
  )
}
