import type { Router, Sfu } from '../../media/sfu.ts'
import { traced } from '../../tracing/tracing.ts'

export interface MeetingRouterOptions {
  sfu: Sfu
  /** The worker died, and what was on it is gone. */
  onDied: () => void
  /** Another router took the place of the one that died. */
  onReplaced: () => void
  /** The worker died and no other can take its place. */
  onLost: () => Promise<void>
  /** The producer of whoever speaks, or null. */
  onSpeaker: (producerId: string | null) => void
  onError: (error: unknown, doing: string) => void
}

/** Tries at another router after a worker's death, and the wait before each. */
const REPLACEMENT_WAITS_MS = [0, 200, 500, 1000, 2000]

/** The router of one meeting: opened when it is first needed, and replaced when its worker dies. */
export class MeetingRouter {
  readonly #options: MeetingRouterOptions
  #router: Promise<Router> | undefined
  /** Rises with each router, so that what was begun on an older one is not counted to a newer. */
  #generation = 0
  /** What the router offers, by MIME type. */
  #videoCodecs: string[] = []

  constructor(options: MeetingRouterOptions) {
    this.#options = options
  }

  get videoCodecs(): readonly string[] {
    return this.#videoCodecs
  }

  open(): Promise<Router> {
    if (this.#router) return this.#router
    const generation = ++this.#generation
    const opening = traced('router', () => this.#options.sfu.openRouter()).then((router) => {
      this.#videoCodecs = videoCodecsOf(router)
      router.on('died', () => {
        if (this.#generation === generation) this.#replace()
      })
      router.on('activeSpeaker', (producerId) => {
        if (this.#generation === generation) this.#options.onSpeaker(producerId)
      })
      return router
    })
    this.#router = opening
    opening.catch(() => {
      if (this.#router === opening) this.#router = undefined
    })
    return opening
  }

  /** Idempotent; a later `open` opens another. */
  close(): void {
    this.#generation += 1
    const router = this.#router
    this.#router = undefined
    router?.then(
      (open) => open.close(),
      () => undefined,
    )
  }

  #replace(): void {
    const { onDied, onError } = this.#options
    this.#generation += 1
    this.#router = undefined
    onDied()
    this.#reopen().catch((error: unknown) => onError(error, 'replacing a dead media worker'))
  }

  async #reopen(): Promise<void> {
    const { onReplaced, onLost, onError } = this.#options
    for (const wait of REPLACEMENT_WAITS_MS) {
      if (wait > 0) await new Promise((done) => setTimeout(done, wait))
      try {
        await this.open()
      } catch (error) {
        onError(error, 'opening another router')
        continue
      }
      onReplaced()
      return
    }
    await onLost()
  }
}

function videoCodecsOf({ rtpCapabilities }: Router): string[] {
  const all = (rtpCapabilities.codecs ?? []).map(({ mimeType }) => mimeType)
  return [...new Set(all)].filter((mimeType) => /^video\/(?!rtx)/i.test(mimeType))
}
