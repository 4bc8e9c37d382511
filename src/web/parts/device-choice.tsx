import type { DeviceProblem } from '../../client/client.ts'
import { adviceFor, browserOf } from '../device-advice.ts'
import { text } from '../texts/texts.ts'

export interface Problem {
  kind: DeviceProblem
  sentence: string
}

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
  problem: Problem | undefined
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
            {isInside ? problem.sentence : text('device.without', { problem: problem.sentence })}
          </p>
          <p className="quiet">{adviceFor(problem.kind, device, browserOf(navigator.userAgent))}</p>
        </div>
      )}
    </div>
  )
}
