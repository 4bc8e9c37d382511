import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  concernsWish,
  ended,
  kept,
  lineDown,
  lineUp,
  newDevice,
  nextStep,
  opened,
  openFailed,
  refused,
  sent,
  statusOf,
  wantFrom,
  wantOff,
  wantOn,
  wantTracks,
  type DeviceState,
  type Source,
} from './device-state.ts'

/** Takes the steps in order as `Devices` does. A track is a number: how many were opened before it. */
class Run {
  state: DeviceState<number> = newDevice()
  #tracks = 0
  readonly #sources: Record<string, Source> = { b: { deviceId: 'b' }, c: { deviceId: 'c' } }

  do(action: string): string {
    this.state = this.#change(action)
    const step = nextStep(this.state)
    if (step) this.state = { ...this.state, doing: step }
    return [this.#doing(), statusOf(this.state), [...kept(this.state)].join('+') || 'nothing'].join(', ')
  }

  #change(action: string): DeviceState<number> {
    const { state } = this
    const [verb, what = ''] = action.split(' ')
    switch (verb) {
      case 'on':
        return wantOn(state)
      case 'from':
        return wantFrom(state, this.#sources[what]!)
      case 'given':
        return wantTracks(state, { audio: ++this.#tracks })
      case 'off':
        return wantOff(state)
      case 'line':
        return what === 'up' ? lineUp(state) : lineDown(state)
      case 'opened':
        return opened(
          state,
          what === 'screen'
            ? { share: ++this.#tracks, shareAudio: ++this.#tracks }
            : { audio: ++this.#tracks },
        )
      case 'fails':
        assert.equal(String(concernsWish(state)), what, 'whose failure it is')
        return state.doing?.do === 'open' ? openFailed(state) : refused(state)
      case 'sent':
        return sent(state)
      case 'ended':
        return ended(state, Number(what))
      default:
        throw new Error(action)
    }
  }

  #doing(): string {
    const { doing } = this.state
    if (!doing) return 'idle'
    if (doing.do === 'open') return `open ${doing.source === 'any' ? 'any' : doing.source.deviceId}`
    return `send ${Object.values(doing.tracks ?? {}).join('+') || 'nothing'}`
  }
}

/** Each row: what happens; then the current step, the device's status, and the tracks that stay open. */
const cases: Record<string, [action: string, expected: string][]> = {
  'on and off, each waited for': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['opened', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['off', 'send nothing, turningOff, nothing'],
    ['sent', 'idle, off, nothing'],
  ],
  'off while it opens: what opens is let go of': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['off', 'open any, off, nothing'],
    ['opened', 'idle, off, nothing'],
  ],
  'off and on while it opens: opened once': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['off', 'open any, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['opened', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
  ],
  'off while it is being sent: it ends at once here, and then there': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['opened', 'send 1, turningOn, 1'],
    ['off', 'send 1, turningOff, nothing'],
    ['sent', 'send nothing, turningOff, nothing'],
    ['sent', 'idle, off, nothing'],
  ],
  'off and on while it is being sent: what was off was off for everybody': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['opened', 'send 1, turningOn, 1'],
    ['off', 'send 1, turningOff, nothing'],
    ['on', 'send 1, turningOn, nothing'],
    ['sent', 'send nothing, turningOn, nothing'],
    ['sent', 'open any, turningOn, nothing'],
    ['opened', 'send 2, turningOn, 2'],
    ['sent', 'idle, on, 2'],
  ],
  'on while it is being closed': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['off', 'send nothing, turningOff, nothing'],
    ['on', 'send nothing, turningOn, nothing'],
    ['off', 'send nothing, turningOff, nothing'],
    ['on', 'send nothing, turningOn, nothing'],
    ['sent', 'open any, turningOn, nothing'],
  ],
  'on when it is on already changes nothing': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['on', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['on', 'idle, on, 1'],
  ],
  'another device: the one before goes on until it is there': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['from b', 'open b, on, 1'],
    ['opened', 'send 2, on, 2+1'],
    ['sent', 'idle, on, 2'],
  ],
  'another device than the one that is being opened': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['from b', 'open any, turningOn, nothing'],
    ['from c', 'open any, turningOn, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['opened', 'open c, turningOn, nothing'],
    ['opened', 'send 2, turningOn, 2'],
  ],
  'another device that cannot be had: the one before stays': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['from b', 'open b, on, 1'],
    ['fails true', 'idle, on, 1'],
  ],
  'off while another device opens': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['from b', 'open b, on, 1'],
    ['off', 'open b, turningOff, nothing'],
    ['opened', 'send nothing, turningOff, nothing'],
    ['sent', 'idle, off, nothing'],
  ],
  'a track of the app while another device opens': [
    ['line up', 'idle, off, nothing'],
    ['from b', 'open b, turningOn, nothing'],
    ['given', 'open b, turningOn, 1'],
    ['opened', 'send 1, turningOn, 1'],
  ],
  'a track of the app while one is being sent': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['given', 'send 1, turningOn, 2+1'],
    ['sent', 'send 2, on, 2+1'],
    ['sent', 'idle, on, 2'],
  ],
  'it cannot be had': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['fails true', 'idle, off, nothing'],
  ],
  'it cannot be had, but is no longer wanted, or is wanted from elsewhere': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['off', 'open any, off, nothing'],
    ['fails false', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['from b', 'open any, turningOn, nothing'],
    ['fails false', 'open b, turningOn, nothing'],
  ],
  'the server refuses it: it is off, here and there': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['opened', 'send 1, turningOn, 1'],
    ['fails true', 'send nothing, turningOff, nothing'],
    ['sent', 'idle, off, nothing'],
  ],
  'the server refuses what was let go of meanwhile: the newer wish is tried': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['off', 'send 1, turningOff, nothing'],
    ['on', 'send 1, turningOn, nothing'],
    ['fails false', 'send nothing, turningOn, nothing'],
    ['sent', 'open any, turningOn, nothing'],
  ],
  'the line is lost: what is on stays open and is sent on the next': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['line down', 'idle, on, 1'],
    ['line up', 'send 1, turningOn, 1'],
    ['line up', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
  ],
  'off while the line is lost': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['line down', 'idle, on, 1'],
    ['off', 'idle, off, nothing'],
    ['line up', 'idle, off, nothing'],
  ],
  'the line is lost while it is being closed': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['off', 'send nothing, turningOff, nothing'],
    ['line down', 'idle, off, nothing'],
    ['line up', 'idle, off, nothing'],
  ],
  'on before there is a line; it goes on while the line is lost': [
    ['on', 'open any, turningOn, nothing'],
    ['line up', 'open any, turningOn, nothing'],
    ['line down', 'open any, turningOn, nothing'],
    ['opened', 'idle, on, 1'],
    ['line up', 'send 1, turningOn, 1'],
  ],
  'the browser ends it': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['ended 1', 'send nothing, turningOff, nothing'],
    ['sent', 'idle, off, nothing'],
  ],
  'the browser ends it while it is being sent': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['ended 1', 'send 1, turningOff, nothing'],
    ['sent', 'send nothing, turningOff, nothing'],
  ],
  'the browser ends it while another is opened in its place': [
    ['line up', 'idle, off, nothing'],
    ['given', 'send 1, turningOn, 1'],
    ['sent', 'idle, on, 1'],
    ['from b', 'open b, on, 1'],
    ['ended 1', 'open b, turningOn, nothing'],
    ['opened', 'send nothing, turningOn, 2'],
    ['sent', 'send 2, turningOn, 2'],
    ['sent', 'idle, on, 2'],
  ],
  'a screen goes on without its sound, and ends with its picture': [
    ['line up', 'idle, off, nothing'],
    ['on', 'open any, turningOn, nothing'],
    ['opened screen', 'send 1+2, turningOn, 1+2'],
    ['ended 2', 'send 1+2, turningOn, 1+2'],
    ['sent', 'send 1, on, 1+2'],
    ['sent', 'idle, on, 1'],
    ['ended 1', 'send nothing, turningOff, nothing'],
  ],
}

for (const [name, steps] of Object.entries(cases)) {
  test(`a device: ${name}`, () => {
    const run = new Run()
    for (const [at, [action, expected]] of steps.entries())
      assert.equal(
        run.do(action),
        expected,
        `after ${steps
          .slice(0, at + 1)
          .map(([one]) => one)
          .join(', ')}`,
      )
  })
}
