/** Members of one meeting, six by default, one of them on a line that narrows; records what it and the others receive. */
import { setTimeout as delay } from 'node:timers/promises'
import { keepSending } from '../../../src/load/keep-sending.ts'
import { Source } from '../../../src/load/streams.ts'
import { Bottleneck } from './bottleneck.ts'
import { Member } from './member.ts'
import type { Meeting } from './place.ts'

export interface Rates {
  /** The bitrate of the largest of three layers; the smaller ones have a quarter and a tenth of it. */
  videoBitrate: number
  audioBitrate: number
}

/** A sample of the narrow member. */
export interface Moment {
  /** Time since the start of the run. */
  atMs: number
  /** Measured since the previous sample. */
  videoBitrate: number
  dropped: number
  passed: number
  /** The layer of each camera; null if none is sent. */
  layers: Record<string, number | null>
  /** The bitrate that each of the others receives. */
  othersBitrates: number[]
}

const NAMES = ['ann', 'bob', 'cem', 'dan', 'eve'] as const
/** Two participants talk; the others' microphones are off. */
const VOICES: readonly string[] = ['ann', 'bob']
const NARROW = 'narrow'

export class CongestedMeeting {
  readonly narrow: Member
  readonly others: readonly Member[]
  readonly line: Bottleneck
  readonly #meeting: Meeting
  readonly #stopSending: () => void
  #before: { at: number; video: number; dropped: number; passed: number; others: number[] } | undefined
  readonly #startedAt = performance.now()

  private constructor(
    meeting: Meeting,
    members: { narrow: Member; others: readonly Member[]; line: Bottleneck },
    stopSending: () => void,
  ) {
    this.#meeting = meeting
    this.narrow = members.narrow
    this.others = members.others
    this.line = members.line
    this.#stopSending = stopSending
  }

  /** @param names of the members on good lines */
  static async begin(
    meeting: Meeting,
    { videoBitrate, audioBitrate }: Rates,
    names: readonly string[] = NAMES,
  ): Promise<CongestedMeeting> {
    const people: Member[] = []
    const stopSending = keepSending(people)
    let line: Bottleneck | undefined
    try {
      let ssrc = 1
      // The speaker is shown large, as on our page, and the others small.
      const shows = (owner: string) => (owner === names[0] ? 2 : 0)
      for (const name of [...names, NARROW]) {
        const sources = [new Source('video', videoBitrate, ssrc, 3)]
        if (VOICES.includes(name)) sources.push(new Source('audio', audioBitrate, ssrc + 3))
        ssrc += 10
        people.push(
          await Member.enter(meeting, {
            name,
            sources,
            shows,
            ...(name === NARROW && {
              reach: async (port: number) => (line ??= await Bottleneck.open(port)).port,
            }),
          }),
        )
      }
      while (!line) await delay(20)
    } catch (error) {
      // Otherwise the process would send forever and never end.
      stopSending()
      await Promise.all(people.map((member) => member.close()))
      await meeting.close()
      throw error
    }
    return new CongestedMeeting(
      meeting,
      { narrow: people.at(-1)!, others: people.slice(0, -1), line },
      stopSending,
    )
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  /** Changes the bandwidth and resets the gaps. */
  narrowTo(bitsPerSecond: number): void {
    this.line.bitsPerSecond = bitsPerSecond
    this.resetGaps()
  }

  resetGaps(): void {
    const now = performance.now()
    for (const member of [this.narrow, ...this.others]) member.resetGaps(now)
  }

  /**
   * The longest gap of a voice since then, for the narrow member and for the others. Gaps of the others come from this
   * machine.
   */
  gaps(): { narrowMs: number; othersMs: number } {
    const now = performance.now()
    return {
      narrowMs: this.narrow.longestGapMs(now),
      othersMs: Math.max(...this.others.map((member) => member.longestGapMs(now))),
    }
  }

  look(): Moment {
    const now = performance.now()
    const sum = (member: Member): number => member.of('video').reduce((total, { bytes }) => total + bytes, 0)
    const { dropped, passed } = this.line
    const current = { at: now, video: sum(this.narrow), dropped, passed, others: this.others.map(sum) }
    const before = this.#before ?? current
    this.#before = current
    const seconds = Math.max(0.001, (now - before.at) / 1000)
    return {
      atMs: this.elapsedMs,
      videoBitrate: ((current.video - before.video) * 8) / seconds,
      dropped: current.dropped - before.dropped,
      passed: current.passed - before.passed,
      layers: Object.fromEntries(this.narrow.of('video').map(({ owner, layer }) => [owner, layer ?? null])),
      othersBitrates: current.others.map((bytes, at) => ((bytes - before.others[at]!) * 8) / seconds),
    }
  }

  async end(): Promise<void> {
    this.#stopSending()
    await Promise.all([this.narrow, ...this.others].map((member) => member.close()))
    this.line.close()
    await this.#meeting.close()
  }
}
