/** A track without a device. */
export class FakeTrack extends EventTarget {
  readonly id = crypto.randomUUID()
  readonly kind: 'audio' | 'video'
  enabled = true
  muted = false
  label = ''
  readyState: 'live' | 'ended' = 'live'

  constructor(kind: 'audio' | 'video') {
    super()
    this.kind = kind
  }

  getSettings(): MediaTrackSettings {
    return this.kind === 'video' ? { width: 640, height: 360 } : {}
  }

  stop(): void {
    this.readyState = 'ended'
  }

  /** Ends the track as the browser does when a device is unplugged or sharing is stopped in its own controls. */
  endByBrowser(): void {
    if (this.readyState === 'ended') return
    this.stop()
    this.dispatchEvent(new Event('ended'))
  }
}

/** Typed as the class that it replaces. */
export function fakeTrack(kind: 'audio' | 'video'): MediaStreamTrack & FakeTrack {
  return new FakeTrack(kind) as FakeTrack & MediaStreamTrack
}
