import { useEffect, useReducer, useState } from 'react'
import { DeviceError, Devices, type DeviceProblem } from '../../client/client.ts'
import { isMirrored } from '../camera-flip.ts'
import { problemOf } from '../device-advice.ts'
import { keptDevices } from '../kept-devices.ts'
import { BrandLine, BrandLinks } from '../parts/brand.tsx'
import { DeviceChoice } from '../parts/device-choice.tsx'
import { FlipCamera } from '../parts/flip-camera.tsx'
import { Foreign } from '../parts/foreign.tsx'
import { Icon } from '../parts/icon.tsx'
import { LanguageChoice } from '../parts/language-choice.tsx'
import { LevelMeter } from '../parts/level-meter.tsx'
import { Speaker } from '../parts/speaker.tsx'
import { serverUrl, type Pass } from '../api.ts'
import { keepEffects } from '../effects/keep.ts'
import { processTrack } from '../effects/process.ts'
import { EffectChoice } from '../parts/effect-choice.tsx'
import { useMedia } from '../parts/use-media.ts'
import { Video } from '../parts/video.tsx'
import { WhoIsInside } from '../parts/who-is-inside.tsx'
import { text } from '../texts/texts.ts'

/** What one chose before joining. Tracks belong to whoever gets them. */
export interface Choice {
  name: string
  /** Of one who asks; empty for none. */
  message: string
  mic: MediaStreamTrack | undefined
  camera: MediaStreamTrack | undefined
}

type Own = 'mic' | 'camera'
const NAME_KEY = 'anteroom:name'
/** How long a join waits for a device that is being opened; a question to the person may take longer. */
const OPENING_MS = 3000

async function devicesHere(): Promise<MediaDeviceInfo[]> {
  try {
    return await navigator.mediaDevices.enumerateDevices()
  } catch {
    // A page without encryption cannot even ask.
    return []
  }
}

/** See oneself and choose devices; whatever is missing, joining works. */
export function PreJoin({ pass, onJoin }: { pass: Pass; onJoin: (choice: Choice) => Promise<void> }) {
  const [name, setName] = useState(() => localStorage.getItem(NAME_KEY) ?? '')
  const [problems, setProblems] = useState<Partial<Record<Own, DeviceProblem | undefined>>>({})
  const [choices, setChoices] = useState<MediaDeviceInfo[]>([])
  const [busy, setBusy] = useState(false)
  const [wantsMirror, setMirrored] = useState(true)
  const [showsEffects, setShowsEffects] = useState(false)
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  const [devices, setDevices] = useState<Devices>()
  /** Wants in as soon as the server has sound and picture. */
  const [waits, setWaits] = useState(false)
  const media = useMedia()
  const knocks = pass.participantId !== undefined
  const asks = knocks || pass.entry === 'ask'
  const [message, setMessage] = useState('')
  const preparing = media?.preparing !== undefined
  /** What the server says of its media, which may come after the click, comes first. */
  const mayJoin = media !== undefined && !preparing
  useEffect(() => {
    // Devices of this screen alone; at the join what is open is handed over.
    let keep = (): void => undefined
    const made = new Devices({
      mic: false,
      camera: false,
      processTrack,
      onChange: () => {
        keep()
        redraw()
      },
      onProblem: () => undefined,
    })
    const stopKeeping = keepEffects(made, (onChange) => {
      keep = onChange
      return () => (keep = () => undefined)
    })
    setDevices(made)
    const [camera, mic] = [keptDevices.get('camera'), keptDevices.get('mic')]
    // One that was chosen and is not plugged in now is no reason to have none.
    const openCamera = camera === undefined ? made.enableCamera() : made.switchCamera(camera)
    const openMic = mic === undefined ? made.enableMic() : made.switchMic(mic)
    void attempt('camera', camera === undefined ? openCamera : openCamera.catch(() => made.enableCamera()))
    void attempt('mic', mic === undefined ? openMic : openMic.catch(() => made.enableMic()))
    return () => {
      stopKeeping()
      made.close()
    }
  }, [])

  useEffect(() => {
    if (!waits || !mayJoin || !devices) return
    setWaits(false)
    void join(devices)
  })

  const attempt = async (device: Own, act: Promise<void>): Promise<void> => {
    const problem = await act.then(
      () => undefined,
      (error: unknown): DeviceProblem => (error instanceof DeviceError ? error.problem : 'other'),
    )
    setProblems((before) => ({ ...before, [device]: problem }))
    setChoices(await devicesHere())
  }
  const join = async (own: Devices): Promise<void> => {
    setBusy(true)
    await Promise.race([own.settled(), new Promise((done) => setTimeout(done, OPENING_MS))])
    await onJoin({ name: name.trim(), message: asks ? message.trim() : '', ...own.handOver() }).finally(() =>
      setBusy(false),
    )
  }
  if (!devices) return null
  const tracks = { mic: devices.mic, camera: devices.camera }
  const mirrored = wantsMirror && tracks.camera !== undefined && isMirrored(tracks.camera)
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
            <>
              <Video
                track={tracks.camera}
                mirrored={mirrored}
                label={text(mirrored ? 'preJoin.asMirror' : 'preJoin.asOthers')}
              />
              <button
                type="button"
                className="mirror"
                aria-pressed={!mirrored}
                onClick={() => setMirrored(!wantsMirror)}
                data-testid="mirror"
              >
                {text('preJoin.turnMirror')}
              </button>
              <FlipCamera
                devices={devices}
                track={tracks.camera}
                act={(flip) => void attempt('camera', flip())}
              />
            </>
          ) : (
            <p className="no-camera">
              {problems.camera ? problemOf(problems.camera, 'camera') : text('preJoin.cameraOff')}
            </p>
          )}
          <div className="preview-bar">
            {(['mic', 'camera'] as const).map((device) => (
              <button
                key={device}
                className={`round ${isOn(device) ? '' : 'off'}`}
                aria-pressed={isOn(device)}
                aria-busy={devices.status(device) === 'turningOn'}
                aria-label={text(isOn(device) ? `preJoin.turnOff.${device}` : `preJoin.turnOn.${device}`)}
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
          <BrandLine />
          <h1>{text(knocks ? 'preJoin.askTitle' : 'preJoin.title')}</h1>
          <p className="quiet">
            <Foreign text={pass.meetingId} />
          </p>
          <label htmlFor="name">{text('preJoin.name')}</label>
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
          {(['mic', 'camera'] as const).map((device) => (
            <DeviceChoice
              key={device}
              own={device}
              choices={choices}
              chosen={tracks[device]?.getSettings().deviceId ?? ''}
              problem={problems[device]}
              onChoose={(deviceId) => {
                keptDevices.set(device, deviceId)
                const act = device === 'mic' ? devices.switchMic(deviceId) : devices.switchCamera(deviceId)
                void attempt(device, act)
              }}
            />
          ))}
          <Speaker choices={choices} />
          <details onToggle={(event) => setShowsEffects(event.currentTarget.open)}>
            <summary>{text('effects.title')}</summary>
            {showsEffects && <EffectChoice />}
          </details>
          {preparing && (
            <p className="notice" role="status" data-testid="preparing">
              {media.reason} {waits && text('preJoin.willJoin')}
            </p>
          )}
          <p className="quiet">
            <a href={`${serverUrl}/check`} target="_blank" rel="noreferrer">
              {text('preJoin.check')}
            </a>
          </p>
          <WhoIsInside pass={pass} />
          {asks && (
            <>
              <label htmlFor="message">{text('preJoin.message')}</label>
              <input
                id="message"
                value={message}
                maxLength={200}
                dir="auto"
                readOnly={busy || waits}
                onChange={(event) => setMessage(event.target.value)}
                data-testid="message-to-host"
              />
              <p className="quiet">{text('preJoin.letIn')}</p>
            </>
          )}
          <button
            type="submit"
            className="primary wide"
            disabled={busy || name.trim() === ''}
            data-testid="join"
          >
            {text(busy ? 'join.joining' : waits ? 'cancel' : knocks ? 'join.ask' : 'join')}
          </button>
        </form>
        <LanguageChoice />
        <BrandLinks />
      </section>
    </main>
  )
}
