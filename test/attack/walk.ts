/**
 * A random walk through a meeting: two people on our page and one with the published client press buttons, leave,
 * return and mute each other in random order, on a line with delay, loss and interruptions. Whenever they pause, each
 * participant's buttons agree with the streams that every other one receives, and no device is open while its button
 * says off.
 */
import assert from 'node:assert/strict'
import { agree } from '../support/agreement.ts'
import type { Person } from '../support/browser.ts'
import { openTracks } from '../support/slow-devices.ts'
import { AGREE_MS, ThreeClients } from '../support/three-clients.ts'
import type { Random } from './random.ts'

export interface WalkOptions {
  actions: number
  /** The number of actions between two pauses. */
  stretch: number
  random: Random
  say: (line: string) => void
}

const DEVICE_MS = [0, 100, 600] as const
const DELAYS_MS = [0, 50, 100, 200] as const
const BUTTONS = ['mic', 'camera', 'share'] as const
const KEYS = { mic: 'm', camera: 'v' } as const

interface Action {
  what: string
  act: () => Promise<unknown>
}

export async function walk({ actions, stretch, random, say }: WalkOptions): Promise<void> {
  const three = await ThreeClients.start(DEVICE_MS[2])
  const done: string[] = []
  const counts = new Map<string, number>()
  let longestMs = 0
  try {
    for (let count = 1; count <= actions; count++) {
      const { what, act } = choose(three, random)
      done.push(what)
      const kind = what.replace(/^(ann|bob|cat): /, '').replace(/ .*/, '')
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      await act()
      await wait(random.below(300))
      if (count % stretch !== 0 && count !== actions) continue
      three.line.quality.silent = false
      three.line.quality.loss = 0
      longestMs = Math.max(longestMs, await agree(three.sides, AGREE_MS))
      for (const one of [three.ann, three.bob]) await nothingElseOpen(one, three)
      say(`${count} of ${actions}: all agree`)
      done.length = 0
    }
    for (const { errors, name } of [three.ann, three.bob])
      assert.deepEqual(errors, [], `errors of ${name}'s page`)
  } catch (error) {
    throw new Error(`seed ${random.seed}; since they last agreed: ${done.join(', ')}`, { cause: error })
  } finally {
    await three.close()
  }
  const all = [...counts].sort(([, one], [, other]) => other - one).map(([kind, count]) => `${kind} ${count}`)
  say(`${actions} actions (${all.join(', ')}); agreement took at most ${(longestMs / 1000).toFixed(1)} s`)
}

function choose(three: ThreeClients, random: Random): Action {
  const one = random.pick([three.ann, three.bob])
  const roll = random.next()
  if (roll < 0.55) return pressed(one, random)
  if (roll < 0.7) return published(three, random)
  if (roll < 0.8) return moderated(one, one === three.ann ? ['bob', 'cat'] : ['ann', 'cat'], random)
  if (roll < 0.96) return lineChanged(three, random)
  return returned(three, one, random)
}

/** Presses a button once or twice, from inside the page, so that nothing slows it down. */
function pressed({ page, name }: Person, random: Random): Action {
  const button = random.pick(BUTTONS)
  const apart = random.chance(0.5) ? undefined : random.below(240)
  const deviceMs = random.pick(DEVICE_MS)
  const press =
    button !== 'share' && random.chance(0.3)
      ? `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${KEYS[button]}', bubbles: true }))`
      : `document.querySelector('[data-testid="bar-${button}"]')?.click()`
  return {
    what: `${name}: ${button}${apart === undefined ? '' : ` twice, ${apart} ms apart`}`,
    act: () =>
      page.evaluate(`{
        globalThis.deviceDelayMs = ${deviceMs}
        ${press}
        ${apart === undefined ? '' : `setTimeout(() => { ${press} }, ${apart})`}
      }`),
  }
}

/**
 * One action at a time, because the published client itself loses requests made in parallel, and refuses all while it
 * reconnects.
 */
function published({ cat }: ThreeClients, random: Random): Action {
  const [state, on, off] = random.pick([
    ['micOn', 'unmuteMic', 'muteMic'],
    ['webcamOn', 'enableWebcam', 'disableWebcam'],
  ] as const)
  return {
    what: `cat: ${state}`,
    act: () =>
      cat.run(`
        const own = m.localParticipant
        const before = !!own.${state}
        let refused = false
        const asked = (async () => before ? m.${off}() : m.${on}())().catch(() => (refused = true))
        await Promise.race([asked, new Promise((done) => setTimeout(done, 10_000))])
        for (let tries = 0; !refused && tries < 100 && !!own.${state} === before; tries++)
          await new Promise((done) => setTimeout(done, 50))
      `),
  }
}

function moderated({ page, name }: Person, others: readonly string[], random: Random): Action {
  const other = random.pick(others)
  const device = random.pick(['Mic', 'Camera'])
  return {
    what: `${name}: switches-off ${device} of ${other}`,
    act: () =>
      page.evaluate(
        `void anteroom.meeting?.moderation.disable${device}(${JSON.stringify(other)}).catch(() => undefined)`,
      ),
  }
}

function lineChanged({ line }: ThreeClients, random: Random): Action {
  const roll = random.next()
  if (roll < 0.5) {
    const delayMs = random.pick(DELAYS_MS)
    return {
      what: `delay ${delayMs} ms`,
      act: async () => {
        line.quality.delayMs = delayMs
      },
    }
  }
  if (roll < 0.8) {
    const loss = random.pick([0, 0.02, 0.05])
    return {
      what: `loss ${loss}`,
      act: async () => {
        line.quality.loss = loss
      },
    }
  }
  if (roll < 0.95) {
    const ms = 300 + random.below(1500)
    return {
      what: `silence ${ms} ms`,
      act: async () => {
        line.quality.silent = true
        setTimeout(() => (line.quality.silent = false), ms)
      },
    }
  }
  return { what: 'cut of every connection', act: async () => line.changeAddress() }
}

function returned(three: ThreeClients, one: Person, random: Random): Action {
  const roll = random.next()
  const mend = (): void => {
    three.line.quality.silent = false
  }
  if (roll < 0.3)
    return {
      what: 'cat: reloads',
      act: () => {
        mend()
        return three.enterCat()
      },
    }
  const byButton = roll < 0.65
  return {
    what: `${one.name}: ${byButton ? 'leaves' : 'reloads'}`,
    act: async () => {
      mend()
      if (byButton) await three.leave(one)
      await three.return(one)
    },
  }
}

/** Only the devices whose buttons say so are open. */
async function nothingElseOpen(one: Person, three: ThreeClients): Promise<void> {
  const says = await three.sides.find(({ page }) => page === one.page)!.says()
  assert.ok(says, `${one.name} has come to rest`)
  const expected = [
    ...(says.mic ? ['audio'] : []),
    ...(says.share ? ['audio', 'video'] : []),
    ...(says.camera ? ['video'] : []),
  ]
  assert.deepEqual(await openTracks(one.page), expected.sort(), `what ${one.name} has open`)
}

function wait(ms: number): Promise<void> {
  return new Promise((next) => setTimeout(next, ms))
}
