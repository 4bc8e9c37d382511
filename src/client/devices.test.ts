/**
 * A random walk of many thousand steps over devices, a browser and a server with random delays, and the invariants of
 * each step.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random, seedOf } from '../../test/attack/random.ts'
import { fakeTrack, type FakeTrack } from '../../test/support/fake-track.ts'
import type { StreamKind } from '../protocol/media.ts'
import type { Tracks } from './device-state.ts'
import { Devices, type Line, type OwnKind } from './devices.ts'
import { DeviceError, MeetingError } from './errors.ts'

const STEPS = 20_000
const KINDS: Record<OwnKind, readonly StreamKind[]> = {
  mic: ['audio'],
  camera: ['video'],
  share: ['share', 'shareAudio'],
}

/** Everything that is under way; the walk decides what arrives next. */
class World {
  readonly random: Random
  readonly pending: (() => void)[] = []
  readonly tracks: { device: OwnKind; track: MediaStreamTrack & FakeTrack }[] = []
  /** The streams that the server has on the newest connection. */
  server = new Map<StreamKind, MediaStreamTrack>()
  line: FakeLine | undefined
  failures = 0

  constructor(random: Random) {
    this.random = random
  }

  readonly open = (device: OwnKind): Promise<Tracks<MediaStreamTrack>> =>
    new Promise((resolve, reject) => {
      this.pending.push(() => {
        if (this.random.chance(0.1)) {
          this.failures++
          reject(new DeviceError(device === 'share' ? 'screen' : device, 'busy', undefined))
        } else if (device === 'mic') resolve({ audio: this.track(device, 'audio') })
        else if (device === 'camera') resolve({ video: this.track(device, 'video') })
        else if (this.random.chance(0.3)) resolve({ share: this.track(device, 'video') })
        else resolve({ share: this.track(device, 'video'), shareAudio: this.track(device, 'audio') })
      })
    })

  track(device: OwnKind, kind: 'audio' | 'video'): MediaStreamTrack & FakeTrack {
    const track = fakeTrack(kind)
    this.tracks.push({ device, track })
    return track
  }

  later(): Promise<void> {
    return new Promise((done) => this.pending.push(done))
  }

  /** Lets one pending answer arrive. */
  async arrive(): Promise<void> {
    const [next] = this.pending.splice(this.random.below(this.pending.length), 1)
    next?.()
    await new Promise((done) => setImmediate(done))
  }

  liveOf(device: OwnKind): (MediaStreamTrack & FakeTrack)[] {
    return this.tracks
      .filter((one) => one.device === device && one.track.readyState === 'live')
      .map(({ track }) => track)
  }
}

class FakeLine implements Line {
  readonly #world: World
  readonly #server = new Map<StreamKind, MediaStreamTrack>()
  #closed = false

  close(): void {
    this.#closed = true
  }

  isClosed(): boolean {
    return this.#closed
  }

  constructor(world: World) {
    this.#world = world
    world.server = this.#server
  }

  async carry(kinds: readonly StreamKind[], tracks: Tracks<MediaStreamTrack>): Promise<boolean> {
    const { random } = this.#world
    for (const kind of kinds) {
      // Both the request and the answer take time.
      await this.#world.later()
      if (this.isClosed()) return false
      const track = tracks[kind]
      if (track && random.chance(0.05)) {
        await this.#world.later()
        if (this.isClosed()) return false
        this.#world.failures++
        throw new MeetingError(5000, 'RATE_LIMITED', 'Too many.')
      }
      if (track) this.#server.set(kind, track)
      else this.#server.delete(kind)
      await this.#world.later()
      if (this.isClosed()) return false
    }
    return true
  }
}

test('after any sequence of events the device shows what the server has, and nothing stays open', async () => {
  const random = new Random(seedOf('devices'))
  const world = new World(random)
  const problems: unknown[] = []
  let promises = 0
  const devices = new Devices({
    mic: true,
    camera: true,
    open: world.open,
    onChange: () => undefined,
    onProblem: (error) => problems.push(error),
  })
  const wish: Record<OwnKind, 'on' | 'off' | 'unsure'> = { mic: 'on', camera: 'on', share: 'off' }
  let quiet = 0
  let failures = 0
  for (let step = 0; step < STEPS; step++) {
    const device = random.pick(['mic', 'camera', 'share'] as const)
    await act(device)
    for (let arrivals = random.below(4); arrivals > 0; arrivals--) await world.arrive()
    lawsOfAnyMoment(step)
    if (random.chance(0.05)) await settle(step)
  }
  await settle(STEPS)
  assert.ok(quiet > 100 && world.failures > 100, `${quiet} times quiet, ${world.failures} failures`)

  const pending = devices.enableCamera()
  devices.close()
  while (world.pending.length > 0) await world.arrive()
  await pending
  assert.deepEqual(
    (['mic', 'camera', 'share'] as const).flatMap((one) => world.liveOf(one)),
    [],
    'after the end',
  )
  await devices.enableMic(world.track('mic', 'audio'))
  assert.deepEqual(world.liveOf('mic'), [], 'a track given after the end')

  async function act(device: OwnKind): Promise<void> {
    const action = random.below(100)
    if (action < 40) want(device, 'on', on(device))
    else if (action < 75) want(device, 'off', off(device))
    else if (action < 80 && device !== 'share') want(device, 'on', given(device))
    else if (action < 88 && device !== 'share')
      // A device that cannot be opened leaves the current one on.
      want(device, wish[device] === 'on' ? 'on' : 'unsure', switched(device))
    else if (action < 92) {
      // The browser ends a track.
      const track = random.pick([undefined, ...world.liveOf(device)])
      if (track) {
        track.endByBrowser()
        if (wish[device] === 'on') wish[device] = 'unsure'
      }
    } else if (action < 96) reconnect()
    else if (world.line) {
      world.line.close()
      world.line = undefined
      world.server = new Map()
      devices.detach()
    }
  }

  function on(device: OwnKind): Promise<void> {
    return {
      mic: () => devices.enableMic(),
      camera: () => devices.enableCamera(),
      share: () => devices.startShare(),
    }[device]()
  }
  function off(device: OwnKind): Promise<void> {
    const line = world.line
    const done = {
      mic: () => devices.disableMic(),
      camera: () => devices.disableCamera(),
      share: () => devices.stopShare(),
    }[device]()
    return done.then(() => {
      if (line !== world.line) return
      for (const kind of KINDS[device]) assert.equal(world.server.get(kind), undefined, `${kind} after off`)
    })
  }
  function given(device: 'mic' | 'camera'): Promise<void> {
    return device === 'mic'
      ? devices.enableMic(world.track('mic', 'audio'))
      : devices.enableCamera(world.track('camera', 'video'))
  }
  function switched(device: 'mic' | 'camera'): Promise<void> {
    return device === 'mic' ? devices.switchMic('other') : devices.switchCamera('other')
  }
  function want(device: OwnKind, what: 'on' | 'off' | 'unsure', done: Promise<void>): void {
    wish[device] = what
    promises++
    const before = world.failures
    done
      .catch((error: unknown) => {
        if (!(error instanceof DeviceError || error instanceof MeetingError)) throw error
        assert.ok(world.failures > before, String(error))
      })
      .finally(() => promises--)
  }

  function reconnect(): void {
    if (world.line) world.line.close()
    world.line = new FakeLine(world)
    devices.attach(world.line)
  }

  function lawsOfAnyMoment(step: number): void {
    for (const device of ['mic', 'camera', 'share'] as const) {
      const status = devices.status(device)
      if (wish[device] === 'off') assert.match(status, /^(off|turningOff)$/, `${device} at ${step}`)
      if (status !== 'off' && status !== 'turningOff') continue
      assert.deepEqual(world.liveOf(device), [], `${device} is ${status} at ${step} and open`)
    }
  }

  /** Lets all pending answers arrive; now everything must agree. */
  async function settle(step: number): Promise<void> {
    if (!world.line) reconnect()
    do await world.arrive()
    while (world.pending.length > 0)
    quiet++
    const failed = world.failures > failures
    failures = world.failures
    assert.equal(promises, 0, `promises at ${step}`)
    for (const device of ['mic', 'camera', 'share'] as const) {
      const status = devices.status(device)
      assert.match(status, /^(on|off)$/, `${device} at ${step}`)
      if (wish[device] === 'off') assert.equal(status, 'off')
      if (wish[device] === 'on' && !failed) assert.equal(status, 'on', `${device} at ${step}`)
      const has = KINDS[device].flatMap((kind) => world.server.get(kind) ?? [])
      assert.equal(
        has.length > 0,
        status === 'on',
        `${device} at ${step}: ${status}, and the server has ${has.length}`,
      )
      assert.ok(
        has.every(({ readyState }) => readyState === 'live'),
        `${device} at ${step}: the server has what is over`,
      )
      assert.deepEqual(
        new Set(world.liveOf(device)),
        new Set(has),
        `${device} at ${step}: open, and not sent`,
      )
      wish[device] = status === 'on' ? 'on' : 'off'
    }
    world.tracks.splice(
      0,
      world.tracks.length,
      ...world.tracks.filter(({ track }) => track.readyState === 'live'),
    )
  }
})
