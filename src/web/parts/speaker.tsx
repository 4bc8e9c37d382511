import { useState } from 'react'
import { canChooseSpeaker, keptDevices, playOnChosenSpeaker } from '../kept-devices.ts'
import { text } from '../texts/texts.ts'

const TONE_HZ = 440
const TONE_SECONDS = 1.2

/** Plays a tone that swells and fades on the chosen speaker. */
export async function playTone(): Promise<void> {
  const context = new AudioContext()
  try {
    const [oscillator, gain] = [context.createOscillator(), context.createGain()]
    const out = context.createMediaStreamDestination()
    const [start, end] = [context.currentTime, context.currentTime + TONE_SECONDS]
    oscillator.frequency.value = TONE_HZ
    gain.gain.setValueAtTime(0, start)
    gain.gain.linearRampToValueAtTime(0.25, start + 0.1)
    gain.gain.setValueAtTime(0.25, end - 0.3)
    gain.gain.linearRampToValueAtTime(0, end)
    oscillator.connect(gain).connect(out)
    const audio = new Audio()
    audio.srcObject = out.stream
    playOnChosenSpeaker(audio)
    oscillator.start(start)
    oscillator.stop(end)
    await audio.play()
    await new Promise((ended) => (oscillator.onended = ended))
    audio.srcObject = null
  } finally {
    await context.close()
  }
}

/** A tone to hear whether the speaker works, and which one plays where the browser lets a page choose. */
export function Speaker({ choices }: { choices: MediaDeviceInfo[] }) {
  const [chosen, setChosen] = useState(() => keptDevices.get('speaker') ?? '')
  const [playing, setPlaying] = useState(false)
  const [problem, setProblem] = useState('')
  const speakers = choices.filter(({ kind, deviceId }) => kind === 'audiooutput' && deviceId !== '')
  const play = async (): Promise<void> => {
    setPlaying(true)
    setProblem('')
    await playTone().catch(() => setProblem(text('speaker.noSound')))
    setPlaying(false)
  }
  return (
    <div className="speaker">
      {speakers.length > 1 && canChooseSpeaker() && (
        <div>
          <label htmlFor="choose-speaker">{text('device.speaker')}</label>
          <select
            id="choose-speaker"
            value={speakers.some(({ deviceId }) => deviceId === chosen) ? chosen : speakers[0]!.deviceId}
            onChange={({ target }) => {
              keptDevices.set('speaker', target.value)
              setChosen(target.value)
              document.querySelectorAll('audio').forEach(playOnChosenSpeaker)
            }}
          >
            {speakers.map(({ deviceId, label }) => (
              <option key={deviceId} value={deviceId} dir="auto">
                {label || text('device.speaker')}
              </option>
            ))}
          </select>
        </div>
      )}
      <button type="button" disabled={playing} onClick={() => void play()} data-testid="test-tone">
        {text(playing ? 'speaker.playing' : 'speaker.test')}
      </button>
      {problem && (
        <p className="problem" role="status">
          {problem}
        </p>
      )}
    </div>
  )
}
