/**
 * Finds the active speaker of a meeting. One router observes all voices, because loudness can be compared only within
 * one router. A voice that no client on that router receives is piped there for this purpose, which costs its packets
 * once.
 */
import type { types as mediasoup } from 'mediasoup'
import type { MediaLog } from '../log.ts'
import type { WorkerRouter } from './worker-router.ts'

/** The loudness in dBov below which a voice counts as silence. */
const SILENCE_THRESHOLD = -60
/** The interval of loudness measurements, in ms, and so the length of a pause that counts as silence. */
const LOUDNESS_INTERVAL_MS = 1000
const SPEAKER_INTERVAL_MS = 300
/** How often to try to observe a voice if its router dies in the meantime. */
const MOST_TRIES = 3

export interface SpeakersOptions {
  log: MediaLog | undefined
  /** Returns one of the meeting's routers, to observe the voices. */
  ear: () => Promise<WorkerRouter>
  /** Called with the producer id of the active speaker, or null. */
  onSpeaker: (producerId: string | null) => void
}

interface Ear {
  router: WorkerRouter
  speakers: mediasoup.ActiveSpeakerObserver
  levels: mediasoup.AudioLevelObserver
}

interface Voice {
  uses: number
  /** The observers of this voice, or those about to be. */
  ear?: Promise<Ear>
  /** Stops the observation; undefined before it starts. */
  silence?: () => void
}

export class Speakers {
  readonly #options: SpeakersOptions
  /** Keyed by producer id on the sender's router. */
  readonly #voices = new Map<string, Voice>()
  /** Maps the id on the observing router to the id on the sender's router. */
  readonly #origins = new Map<string, string>()
  #ear: Promise<Ear> | undefined
  #current: string | null = null
  #closed = false

  constructor(options: SpeakersOptions) {
    this.#options = options
  }

  /** Counts a use of this voice; it is observed while it has any. Returns a function that ends the use. */
  use(producerId: string): () => void {
    const known = this.#voices.get(producerId)
    const voice: Voice = known ?? { uses: 0 }
    voice.uses += 1
    if (!known) {
      this.#voices.set(producerId, voice)
      this.#listen(producerId, voice)
    }
    return () => {
      voice.uses -= 1
      if (voice.uses > 0 || this.#voices.get(producerId) !== voice) return
      this.#voices.delete(producerId)
      voice.silence?.()
      if (this.#current === producerId) this.#speaks(null)
    }
  }

  /** Continues on another router after this one was lost. */
  lost(router: WorkerRouter): void {
    const ear = this.#ear
    ear?.then(
      (open) => {
        if (open.router !== router || this.#ear !== ear) return
        this.#ear = undefined
        this.#origins.clear()
        this.#speaks(null)
        for (const [producerId, voice] of this.#voices) {
          delete voice.ear
          delete voice.silence
          this.#listen(producerId, voice)
        }
      },
      () => undefined,
    )
  }

  close(): void {
    this.#closed = true
    for (const { silence } of this.#voices.values()) silence?.()
    this.#voices.clear()
    this.#ear?.then(
      ({ speakers, levels }) => {
        speakers.close()
        levels.close()
      },
      () => undefined,
    )
  }

  #listen(producerId: string, voice: Voice): void {
    this.#listenTo(producerId, voice).catch((error: unknown) => {
      const { log } = this.#options
      log?.warn({ err: error, producerId }, 'failed to listen to a stream for the active speaker')
    })
  }

  async #listenTo(producerId: string, voice: Voice): Promise<void> {
    for (let tries = 1; ; tries++) {
      if (!this.#isWanted(producerId, voice)) return
      const opening = (this.#ear ??= this.#open())
      if (voice.ear === opening) return
      voice.ear = opening
      try {
        await this.#listenBy(await opening, producerId, voice)
        return
      } catch (error) {
        if (voice.ear !== opening) return
        delete voice.ear
        const isGone = await opening.then(
          ({ router }) => router.died,
          () => true,
        )
        if (isGone && this.#ear === opening) this.#ear = undefined
        // A voice that ended in the meantime is not an error.
        if (this.#isWanted(producerId, voice) && tries === MOST_TRIES) throw error
      }
    }
  }

  async #listenBy(ear: Ear, producerId: string, voice: Voice): Promise<void> {
    const { router, speakers, levels } = ear
    const opening = voice.ear
    const { id, isThere, letGo } = await router.listenTo(producerId)
    if (!this.#isWanted(producerId, voice) || voice.ear !== opening) {
      letGo()
      return
    }
    this.#origins.set(id, producerId)
    voice.silence = () => {
      this.#origins.delete(id)
      letGo()
      // The worker itself removes a closed producer.
      if (!isThere()) return
      for (const observer of [speakers, levels])
        if (!observer.closed) observer.removeProducer({ producerId: id }).catch(() => undefined)
    }
    await Promise.all([speakers.addProducer({ producerId: id }), levels.addProducer({ producerId: id })])
  }

  #isWanted(producerId: string, voice: Voice): boolean {
    return !this.#closed && this.#voices.get(producerId) === voice
  }

  async #open(): Promise<Ear> {
    const router = await this.#options.ear()
    const { speakers, levels } = await router.observe({
      speakerIntervalMs: SPEAKER_INTERVAL_MS,
      silenceThreshold: SILENCE_THRESHOLD,
      loudnessIntervalMs: LOUDNESS_INTERVAL_MS,
    })
    // One observer finds the dominant speaker but never reports silence; the other reports silence.
    speakers.on('dominantspeaker', ({ producer }) => this.#hears(producer.id))
    levels.on('silence', () => this.#speaks(null))
    levels.on('volumes', ([loudest]) => {
      // The first observer does not report the same speaker again after a silence.
      if (this.#current === null && loudest) this.#hears(loudest.producer.id)
    })
    if (this.#closed) {
      speakers.close()
      levels.close()
    }
    return { router, speakers, levels }
  }

  /** @param id the producer's id on the observing router */
  #hears(id: string): void {
    const producerId = this.#origins.get(id)
    if (producerId !== undefined) this.#speaks(producerId)
  }

  #speaks(producerId: string | null): void {
    if (this.#closed || this.#current === producerId) return
    this.#current = producerId
    this.#options.onSpeaker(producerId)
  }
}
