/**
 * Compares the streams that a participant sends by its own account with those that the others receive; in the end both
 * must be the same.
 */
import type { Page } from 'playwright-core'
import type { Person } from './browser.ts'
import type { Published } from './published.ts'

export interface Sends {
  mic: boolean
  camera: boolean
  share: boolean
}

/** The streams that a viewer receives from another participant. */
export interface Has extends Sends {
  /** The number of streams by kind. */
  streams: { audio: number; video: number; share: number; shareAudio: number }
  /** Frames and audio energy so far, by kind; they grow while media arrives. */
  flow: { audio: number; video: number; share: number; shareAudio: number }
}

/** A participant with any client. */
export interface Side {
  readonly id: string
  readonly page: Page
  /** The streams that it shows as its own; undefined while a change is under way. */
  says(): Promise<Sends | undefined>
  has(id: string): Promise<Has | undefined>
}

const NO_STREAMS = `{ audio: 0, video: 0, share: 0, shareAudio: 0 }`

/** Our own client, driven by the page's buttons. */
export class OwnSide implements Side {
  readonly id: string
  readonly page: Page

  constructor(id: string, { page }: Person) {
    this.id = id
    this.page = page
  }

  says(): Promise<Sends | undefined> {
    return this.page.evaluate(`(() => {
      const button = (name) => document.querySelector('[data-testid="bar-' + name + '"]')
      const all = ['mic', 'camera', 'share'].map(button)
      if (all.some((one) => !one || one.getAttribute('aria-busy') === 'true')) return undefined
      const [mic, camera, share] = all.map((one) => one.getAttribute('aria-label'))
      return { mic: mic === 'Mute', camera: camera === 'Stop camera', share: share === 'Stop sharing' }
    })()`)
  }

  has(id: string): Promise<Has | undefined> {
    return this.page.evaluate(`(async () => {
      const one = anteroom.meeting.participants.get(${JSON.stringify(id)})
      if (!one) return undefined
      const [streams, flow] = [${NO_STREAMS}, ${NO_STREAMS}]
      for (const stream of one.streams.values()) {
        streams[stream.kind]++
        const reports = await stream.stats().catch(() => new Map())
        for (const report of reports.values())
          if (report.type === 'inbound-rtp') flow[stream.kind] += report.framesDecoded ?? report.totalAudioEnergy
      }
      return { mic: one.micOn, camera: one.cameraOn, share: one.shareOn, streams, flow }
    })()`)
  }
}

/** The published client, observed through the events of its app. */
export class PublishedSide implements Side {
  readonly id: string
  readonly page: Page

  constructor(id: string, { page }: Published) {
    this.id = id
    this.page = page
  }

  says(): Promise<Sends | undefined> {
    return this.page.evaluate(`(() => {
      const own = m.localParticipant
      return { mic: !!own.micOn, camera: !!own.webcamOn, share: !!own.screenShareOn }
    })()`)
  }

  has(id: string): Promise<Has | undefined> {
    return this.page.evaluate(`(async () => {
      const one = m.participants.get(${JSON.stringify(id)})
      if (!one) return undefined
      const [streams, flow] = [${NO_STREAMS}, ${NO_STREAMS}]
      for (const stream of one.streams.values()) {
        streams[stream.kind]++
        flow[stream.kind] += await arrivals.arrived(stream.track)
      }
      return { mic: !!one.micOn, camera: !!one.webcamOn, share: !!one.screenShareOn, streams, flow }
    })()`)
  }
}

/** Returns how the viewer's streams differ from those that the other sends; undefined if they are equal. */
export function difference(says: Sends, has: Has | undefined, earlier: Has | undefined): string | undefined {
  if (!has) return 'it does not know the other'
  for (const kind of ['mic', 'camera', 'share'] as const)
    if (has[kind] !== says[kind])
      return `${kind}: the button says ${says[kind]}, the viewer knows ${has[kind]}`
  const wanted = {
    audio: says.mic ? 1 : 0,
    video: says.camera ? 1 : 0,
    share: says.share ? 1 : 0,
    shareAudio: says.share ? 1 : 0,
  }
  for (const kind of Object.keys(wanted) as (keyof typeof wanted)[]) {
    if (has.streams[kind] !== wanted[kind])
      return `${kind}: ${has.streams[kind]} streams, not ${wanted[kind]}`
  }
  for (const kind of Object.keys(wanted) as (keyof typeof wanted)[]) {
    if (wanted[kind] > 0 && !(earlier && has.flow[kind] > earlier.flow[kind]))
      return `${kind}: nothing arrives (${has.flow[kind]})`
  }
  return undefined
}

/** Waits until every pair agrees and every received stream is explained. Returns how long that took, in ms. */
export async function agree(sides: readonly Side[], patienceMs = 60_000): Promise<number> {
  const from = performance.now()
  const earlier = new Map<string, Has>()
  for (;;) {
    const problems: string[] = []
    const says = await Promise.all(sides.map((side) => side.says()))
    await Promise.all(
      sides.map(async (viewer) => {
        let [audio, video] = [0, 0]
        await Promise.all(
          sides.map(async (other, at) => {
            if (other === viewer) return
            const said = says[at]
            if (!said) {
              problems.push(`${other.id} is on the way`)
              return
            }
            audio += Number(said.mic) + Number(said.share)
            video += Number(said.camera) + Number(said.share)
            const pair = `${viewer.id} of ${other.id}`
            const has = await viewer.has(other.id)
            const problem = difference(said, has, earlier.get(pair))
            if (problem !== undefined) problems.push(`${pair}: ${problem}`)
            // The streams are watched from the moment in which the viewer has the right ones.
            if (has && !(earlier.has(pair) && problem?.includes('nothing arrives'))) earlier.set(pair, has)
          }),
        )
        for (const [kind, wanted] of [
          ['audio', audio],
          ['video', video],
        ] as const) {
          const flowing = await viewer.page.evaluate<number>(`arrivals.flowing('${kind}')`)
          if (flowing !== wanted)
            problems.push(`${viewer.id} receives ${flowing} ${kind} streams, not ${wanted}`)
        }
      }),
    )
    if (problems.length === 0) return performance.now() - from
    if (performance.now() - from > patienceMs) throw new Error(`no agreement: ${problems.join('; ')}`)
    await new Promise((next) => setTimeout(next, 200))
  }
}
