/**
 * Who is heard best of all who speak in a meeting. One router listens to all of them: loudness can be compared only where it
 * is measured together. A voice that no client receives there is brought for this alone, which costs its packets once.
 */
import type { types as mediasoup } from 'mediasoup'
import type { MediaLog } from '../log.ts'
import type { WorkerRouter } from './worker-router.ts'

/** Loudness below which nobody speaks, in dBov. */
const SILENCE_THRESHOLD = -60
/** How often loudness is judged, in milliseconds; so long does a pause last before it is silence. */
const LOUDNESS_INTERVAL_MS = 1000
const SPEAKER_INTERVAL_MS = 300
/** To listen to one voice, where the router that does so dies under it. */
const MOST_TRIES = 3

export interface SpeakersOptions {
  log: MediaLog | undefined
  /** One of the meeting's routers. */
  ear: () => Promise<WorkerRouter>
  /** The producer of whoever speaks, or null. */
  onSpeaker: (producerId: string | null) => void
}

interface Ear {
  router: WorkerRouter
  speakers: mediasoup.ActiveSpeakerObserver
  levels: mediasoup.AudioLevelObserver
}

interface Voice {
  uses: number
  /** By which it is listened to, or about to be. */
  ear?: Promise<Ear>
  /** Undefined until it is listened to. */
  silence?: () => void
}

export class Speakers {
  readonly #options: SpeakersOptions
  /** By the id of the producer where it is sent. */
  readonly #voices = new Map<string, Voice>()
  /** By the id that the listening router knows: the id where it is sent. */
  readonly #origins = new Map<string, string>()
  #ear: Promise<Ear> | undefined
  #current: string | null = null
  #closed = false

  constructor(options: SpeakersOptions) {
    this.#options = options
  }

  /** The meeting has this voice for as long as one of those who say so does. Answers how to take it back. */
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

  /** This router is gone: another listens from now on. */
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
        // One that ended meanwhile is nobody's failure.
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
      // The worker itself removes one that is gone.
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
    // One observer is good at telling who dominates and never says "nobody"; the other knows silence.
    speakers.on('dominantspeaker', ({ producer }) => this.#hears(producer.id))
    levels.on('silence', () => this.#speaks(null))
    levels.on('volumes', ([loudest]) => {
      // After a silence the same speaker is no news to the first observer.
      if (this.#current === null && loudest) this.#hears(loudest.producer.id)
    })
    if (this.#closed) {
      speakers.close()
      levels.close()
    }
    return { router, speakers, levels }
  }

  /** @param id as the observers know it */
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
