import type { Router, Sfu } from '../../media/sfu.ts'
import { traced } from '../../tracing/tracing.ts'

export interface MeetingRouterOptions {
  sfu: Sfu
  /** A worker died and no other can take its place. */
  onLost: () => Promise<void>
  /** Called with the producer of the active speaker, or null. */
  onSpeaker: (producerId: string | null) => void
  onError: (error: unknown, doing: string) => void
}

/** Tries to find another worker after one's death, and the wait before each. */
const REPLACEMENT_WAITS_MS = [0, 200, 500, 1000, 2000]

/** The router of one meeting, opened when it is first needed. */
export class MeetingRouter {
  readonly #options: MeetingRouterOptions
  #router: Promise<Router> | undefined
  #recovering: Promise<boolean> | undefined
  /** Codecs of the router, by MIME type. */
  #videoCodecs: string[] = []

  constructor(options: MeetingRouterOptions) {
    this.#options = options
  }

  get videoCodecs(): readonly string[] {
    return this.#videoCodecs
  }

  open(): Promise<Router> {
    if (this.#router) return this.#router
    const opening = traced('router', () => this.#options.sfu.openRouter()).then((router) => {
      this.#videoCodecs = videoCodecsOf(router)
      router.on('activeSpeaker', (producerId) => {
        if (this.#router === opening) this.#options.onSpeaker(producerId)
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
    const router = this.#router
    this.#router = undefined
    router?.then(
      (open) => open.close(),
      () => undefined,
    )
  }

  /** Resolves when there is a worker again for those who lost theirs; with false when there will be none. */
  recover(): Promise<boolean> {
    return (this.#recovering ??= this.#recover().finally(() => (this.#recovering = undefined)))
  }

  async #recover(): Promise<boolean> {
    const { onLost, onError } = this.#options
    for (const wait of REPLACEMENT_WAITS_MS) {
      if (wait > 0) await new Promise((done) => setTimeout(done, wait))
      try {
        await (await this.open()).ready()
        return true
      } catch (error) {
        onError(error, 'failed to find another media worker')
      }
    }
    await onLost()
    return false
  }
}

function videoCodecsOf({ rtpCapabilities }: Router): string[] {
  const all = (rtpCapabilities.codecs ?? []).map(({ mimeType }) => mimeType)
  return [...new Set(all)].filter((mimeType) => /^video\/(?!rtx)/i.test(mimeType))
}
