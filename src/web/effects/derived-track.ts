/** Tracks that are derived from those of a device. */

interface Origin {
  source: MediaStreamTrack
  /** The effect that was applied. */
  effect: TrackEffect
}

/** An effect that is applied to a track while it is open. */
export interface TrackEffect {
  end(): void
}

const origins = new WeakMap<MediaStreamTrack, Origin>()

/** The device's track from which this one is derived; the track itself if it is not derived. */
export function sourceOf(track: MediaStreamTrack): MediaStreamTrack {
  return origins.get(track)?.source ?? track
}

export function effectOf(track: MediaStreamTrack): TrackEffect | undefined {
  return origins.get(track)?.effect
}

/**
 * Makes a derived track stand for the device's: it has the same settings and label, ends with it, and releases it when
 * it is stopped.
 */
export function deriveTrack(
  made: MediaStreamTrack,
  source: MediaStreamTrack,
  effect: TrackEffect,
): MediaStreamTrack {
  const stopMade = made.stop.bind(made)
  const stop = (): void => {
    source.removeEventListener('ended', end)
    stopMade()
    source.stop()
    effect.end()
  }
  const end = (): void => {
    stop()
    made.dispatchEvent(new Event('ended'))
  }
  source.addEventListener('ended', end)
  Object.defineProperties(made, {
    stop: { value: stop },
    getSettings: { value: () => source.getSettings() },
    label: { get: () => source.label },
  })
  origins.set(made, { source, effect })
  return made
}
