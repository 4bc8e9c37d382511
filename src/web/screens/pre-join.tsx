import { useEffect, useReducer, useState } from 'react'
import { Devices } from '../../client/client.ts'
import { Foreign } from '../parts/foreign.tsx'
import { Icon } from '../parts/icon.tsx'
import { LevelMeter } from '../parts/level-meter.tsx'
import type { Pass } from '../api.ts'
import { useMedia } from '../parts/use-media.ts'
import { Video } from '../parts/video.tsx'

/** What one chose before joining. Tracks belong to whoever gets them. */
export interface Choice {
  name: string
  mic: MediaStreamTrack | undefined
  camera: MediaStreamTrack | undefined
}

type Own = 'mic' | 'camera'
const NAME_KEY = 'anteroom:name'
/** How long a join waits for a device that is being opened; a question to the person may take longer. */
const OPENING_MS = 3000
const labels = { mic: 'microphone', camera: 'camera' }

/** See oneself and choose devices; whatever is missing, joining works. */
export function PreJoin({ pass, onJoin }: { pass: Pass; onJoin: (choice: Choice) => Promise<void> }) {
  const [name, setName] = useState(() => localStorage.getItem(NAME_KEY) ?? '')
  const [problems, setProblems] = useState<Partial<Record<Own, string>>>({})
  const [choices, setChoices] = useState<MediaDeviceInfo[]>([])
  const [busy, setBusy] = useState(false)
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  const [devices, setDevices] = useState<Devices>()
  /** Wants in as soon as the server has sound and picture. */
  const [waits, setWaits] = useState(false)
  const media = useMedia()
  const knocks = pass.participantId !== undefined
  const preparing = media?.preparing !== undefined
  /** What the server says of its media, which may come after the click, comes first. */
  const mayJoin = media !== undefined && !preparing
  useEffect(() => {
    // Devices of this screen alone; at the join what is open is handed over.
    const made = new Devices({ mic: false, camera: false, onChange: redraw, onProblem: () => undefined })
    setDevices(made)
    void attempt('camera', made.enableCamera())
    void attempt('mic', made.enableMic())
    return () => made.close()
  }, [])

  useEffect(() => {
    if (!waits || !mayJoin || !devices) return
    setWaits(false)
    void join(devices)
  })

  const attempt = async (device: Own, act: Promise<void>): Promise<void> => {
    const problem = await act.then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : ''),
    )
    setProblems((before) => ({ ...before, [device]: problem }))
    setChoices(await navigator.mediaDevices.enumerateDevices().catch(() => []))
  }
  const join = async (own: Devices): Promise<void> => {
    setBusy(true)
    await Promise.race([own.settled(), new Promise((done) => setTimeout(done, OPENING_MS))])
    await onJoin({ name: name.trim(), ...own.handOver() }).finally(() => setBusy(false))
  }
  if (!devices) return null
  const tracks = { mic: devices.mic, camera: devices.camera }
  const isOn = (device: Own): boolean => /^(on|turningOn)$/.test(devices.status(device))
  const toggle = (device: Own): void => {
    const [on, off] = {
      mic: [() => devices.enableMic(), () => devices.disableMic()],
      camera: [() => devices.enableCamera(), () => devices.disableCamera()],
    }[device] as [() => Promise<void>, () => Promise<void>]
    void attempt(device, (isOn(device) ? off : on)())
  }

  return (
    <main className="centre">
      <section className="card prejoin">
        <div className="preview">
          {tracks.camera ? (
            <Video track={tracks.camera} mirrored label="Your camera" />
          ) : (
            <p className="no-camera">{problems.camera || 'Your camera is off'}</p>
          )}
          <div className="preview-bar">
            {(['mic', 'camera'] as const).map((device) => (
              <button
                key={device}
                className={`round ${isOn(device) ? '' : 'off'}`}
                aria-pressed={isOn(device)}
                aria-busy={devices.status(device) === 'turningOn'}
                aria-label={`${isOn(device) ? 'Turn off' : 'Turn on'} ${labels[device]}`}
                data-testid={`prejoin-${device}`}
                onClick={() => toggle(device)}
              >
                <Icon name={isOn(device) ? device : `${device}Off`} />
              </button>
            ))}
            <LevelMeter track={tracks.mic} />
          </div>
        </div>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (name.trim() === '') return
            localStorage.setItem(NAME_KEY, name.trim())
            setWaits(!waits)
          }}
        >
          <h1>{knocks ? 'Ask to join?' : 'Ready to join?'}</h1>
          <p className="quiet">
            <Foreign text={pass.meetingId} />
          </p>
          <label htmlFor="name">Your name</label>
          <input
            id="name"
            value={name}
            maxLength={80}
            required
            autoFocus
            autoComplete="name"
            dir="auto"
            readOnly={busy || waits}
            onChange={(event) => setName(event.target.value)}
            data-testid="name"
          />
          {(['mic', 'camera'] as const).map((device) => {
            const those = choices.filter(
              ({ kind, deviceId }) =>
                deviceId !== '' && kind === (device === 'mic' ? 'audioinput' : 'videoinput'),
            )
            return (
              <div key={device}>
                {those.length > 1 && (
                  <>
                    <label htmlFor={`choose-${device}`}>{device === 'mic' ? 'Microphone' : 'Camera'}</label>
                    <select
                      id={`choose-${device}`}
                      value={tracks[device]?.getSettings().deviceId ?? ''}
                      onChange={({ target }) =>
                        void attempt(
                          device,
                          device === 'mic'
                            ? devices.switchMic(target.value)
                            : devices.switchCamera(target.value),
                        )
                      }
                    >
                      {those.map(({ deviceId, label }) => (
                        <option key={deviceId} value={deviceId} dir="auto">
                          {label || labels[device]}
                        </option>
                      ))}
                    </select>
                  </>
                )}
                {problems[device] && (
                  <p className="problem" role="status">
                    {problems[device]} You can join without.
                  </p>
                )}
              </div>
            )
          })}
          {preparing && (
            <p className="notice" role="status" data-testid="preparing">
              {media.reason} {waits && 'You will join as soon as it is ready.'}
            </p>
          )}
          {(knocks || pass.entry === 'ask') && <p className="quiet">Somebody inside will let you in.</p>}
          <button
            type="submit"
            className="primary wide"
            disabled={busy || name.trim() === ''}
            data-testid="join"
          >
            {busy ? 'Joining…' : waits ? 'Cancel' : knocks ? 'Ask to join' : 'Join'}
          </button>
        </form>
      </section>
    </main>
  )
}
