import { useCallback, useEffect, useRef, useState } from 'react'
import { DeviceError, openDevice } from '../../client/client.ts'
import { Icon } from '../parts/icon.tsx'
import { LevelMeter } from '../parts/level-meter.tsx'
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
export function PreJoin({
  meetingId,
  onJoin,
}: {
  meetingId: string
  onJoin: (choice: Choice) => Promise<void>
}) {
  const [name, setName] = useState(() => localStorage.getItem(NAME_KEY) ?? '')
  const [tracks, setTracks] = useState<Record<Own, MediaStreamTrack | undefined>>({
    mic: undefined,
    camera: undefined,
  })
  const [problems, setProblems] = useState<Partial<Record<Own, string>>>({})
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([])
  const [busy, setBusy] = useState(false)
  const handedOver = useRef(false)
  const live = useRef(tracks)
  const opening = useRef(new Set<Promise<void>>())

  const put = useCallback((device: Own, track: MediaStreamTrack | undefined) => {
    live.current = { ...live.current, [device]: track }
    setTracks(live.current)
  }, [])

  const open = useCallback(
    async (device: Own, deviceId?: string) => {
      try {
        const track = await openDevice(device, deviceId)
        if (handedOver.current) {
          track.stop()
          return
        }
        live.current[device]?.stop()
        put(device, track)
        setProblems((before) => ({ ...before, [device]: '' }))
      } catch (error) {
        setProblems((before) => ({
          ...before,
          [device]:
            error instanceof DeviceError ? error.message : `The ${labels[device]} cannot be used now.`,
        }))
      }
      setDevices(await navigator.mediaDevices.enumerateDevices().catch(() => []))
    },
    [put],
  )

  useEffect(() => {
    for (const device of ['camera', 'mic'] as const) {
      const one = open(device).finally(() => opening.current.delete(one))
      opening.current.add(one)
    }
    return () => {
      if (handedOver.current) return
      live.current.mic?.stop()
      live.current.camera?.stop()
    }
  }, [open])

  const toggle = (device: Own): void => {
    if (tracks[device]) {
      tracks[device].stop()
      put(device, undefined)
    } else void open(device)
  }

  const submit = async (): Promise<void> => {
    if (name.trim() === '') return
    localStorage.setItem(NAME_KEY, name.trim())
    setBusy(true)
    await Promise.race([Promise.all(opening.current), new Promise((done) => setTimeout(done, OPENING_MS))])
    handedOver.current = true
    await onJoin({ name: name.trim(), ...live.current }).finally(() => setBusy(false))
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
                className={`round ${tracks[device] ? '' : 'off'}`}
                aria-pressed={tracks[device] !== undefined}
                aria-label={`${tracks[device] ? 'Turn off' : 'Turn on'} ${labels[device]}`}
                data-testid={`prejoin-${device}`}
                onClick={() => toggle(device)}
              >
                <Icon name={tracks[device] ? device : `${device}Off`} />
              </button>
            ))}
            <LevelMeter track={tracks.mic} />
          </div>
        </div>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void submit()
          }}
        >
          <h1>Ready to join?</h1>
          <p className="quiet">{meetingId}</p>
          <label htmlFor="name">Your name</label>
          <input
            id="name"
            value={name}
            maxLength={80}
            required
            autoFocus
            autoComplete="name"
            onChange={(event) => setName(event.target.value)}
            data-testid="name"
          />
          {(['mic', 'camera'] as const).map((device) => {
            const choices = devices.filter(
              ({ kind, deviceId }) =>
                deviceId !== '' && kind === (device === 'mic' ? 'audioinput' : 'videoinput'),
            )
            return (
              <div key={device}>
                {choices.length > 1 && (
                  <>
                    <label htmlFor={`choose-${device}`}>{device === 'mic' ? 'Microphone' : 'Camera'}</label>
                    <select
                      id={`choose-${device}`}
                      value={tracks[device]?.getSettings().deviceId ?? ''}
                      onChange={(event) => void open(device, event.target.value)}
                    >
                      {choices.map(({ deviceId, label }) => (
                        <option key={deviceId} value={deviceId}>
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
          <button
            type="submit"
            className="primary wide"
            disabled={busy || name.trim() === ''}
            data-testid="join"
          >
            {busy ? 'Joining…' : 'Join'}
          </button>
        </form>
      </section>
    </main>
  )
}
