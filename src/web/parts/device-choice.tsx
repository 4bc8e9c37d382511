import type { DeviceProblem } from '../../client/client.ts'
import { adviceFor, browserOf } from '../device-advice.ts'

export interface Problem {
  kind: DeviceProblem
  sentence: string
}

const texts = {
  mic: { label: 'Microphone', device: 'microphone', kind: 'audioinput' },
  camera: { label: 'Camera', device: 'camera', kind: 'videoinput' },
} as const

/** Which microphone or camera, where there are several, and what is wrong with it. */
export function DeviceChoice({
  own,
  choices,
  chosen,
  problem,
  onChoose,
}: {
  own: 'mic' | 'camera'
  choices: MediaDeviceInfo[]
  chosen: string
  problem: Problem | undefined
  onChoose: (deviceId: string) => void
}) {
  const { label, device, kind } = texts[own]
  const those = choices.filter((one) => one.deviceId !== '' && one.kind === kind)
  return (
    <div>
      {those.length > 1 && (
        <>
          <label htmlFor={`choose-${own}`}>{label}</label>
          <select id={`choose-${own}`} value={chosen} onChange={({ target }) => onChoose(target.value)}>
            {those.map(({ deviceId, label: name }) => (
              <option key={deviceId} value={deviceId} dir="auto">
                {name || device}
              </option>
            ))}
          </select>
        </>
      )}
      {problem && (
        <div role="status">
          <p className="problem">{problem.sentence} You can join without.</p>
          <p className="quiet">{adviceFor(problem.kind, device, browserOf(navigator.userAgent))}</p>
        </div>
      )}
    </div>
  )
}
