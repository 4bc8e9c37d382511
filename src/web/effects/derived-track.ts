/** Tracks that we make from those of a device. */

interface Origin {
  source: MediaStreamTrack
  /** What was done to it. */
  effect: TrackEffect
}

/** Something that is done to a track as long as it is open. */
export interface TrackEffect {
  end(): void
}

const origins = new WeakMap<MediaStreamTrack, Origin>()

/** The track of the device from which this one is made; itself if it comes from the device. */
export function sourceOf(track: MediaStreamTrack): MediaStreamTrack {
  return origins.get(track)?.source ?? track
}

export function effectOf(track: MediaStreamTrack): TrackEffect | undefined {
  return origins.get(track)?.effect
}

/**
 * Makes a track stand for the device's: it has that one's settings and name, ends with it, and releases it when it is
 * stopped.
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
