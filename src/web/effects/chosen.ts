/** The effects that the person chose for their own video and sound, remembered in this browser. */
import type { Subscribe, View } from '../meeting/view.ts'

export const pictureNames = ['hills', 'shelf', 'wall'] as const
type PictureName = (typeof pictureNames)[number]
/** `own`: an image of the person's. */
export type Background = 'none' | 'blur' | 'own' | PictureName

/** Why the page switched an effect off: it broke, or did not start. Keys of the texts. */
export type EffectProblem = `${'background' | 'noise'}${'Broke' | 'Failed'}` | 'cameraFailed'

export interface ChosenEffects {
  background: Background
  /** A data URL. */
  ownPicture: string | undefined
  reducesNoise: boolean
}

type Effect = 'background' | 'noise'

export interface EffectState extends ChosenEffects {
  /** Each is kept until the next choice for its effect: one may give up while the page still reacts to the other. */
  problems: Readonly<Partial<Record<Effect, EffectProblem>>>
}

const KEY = 'anteroom:effects'
const NOTHING: ChosenEffects = { background: 'none', ownPicture: undefined, reducesNoise: false }

/** Reads the stored choice; unknown values count as no choice. */
export function parseEffects(kept: string | null): ChosenEffects {
  let read: unknown
  try {
    read = JSON.parse(kept ?? '{}')
  } catch {
    return NOTHING
  }
  if (typeof read !== 'object' || read === null) return NOTHING
  const { background, ownPicture, reducesNoise } = read as Record<string, unknown>
  const own = typeof ownPicture === 'string' && ownPicture.startsWith('data:image/') ? ownPicture : undefined
  const known: Background[] = ['blur', ...pictureNames]
  if (own !== undefined) known.push('own')
  return {
    background: known.find((name) => name === background) ?? 'none',
    ownPicture: own,
    reducesNoise: reducesNoise === true,
  }
}

/** The part of `Storage` that is used. */
type Kept = Pick<Storage, 'getItem' | 'setItem'>

export class EffectChoices implements View<EffectState> {
  readonly #storage: Kept | undefined
  readonly #listeners = new Set<() => void>()
  readonly #problemListeners = new Set<(problem: EffectProblem) => void>()
  #state: EffectState

  constructor(storage: Kept | undefined) {
    this.#storage = storage
    this.#state = { ...parseEffects(storage?.getItem(KEY) ?? null), problems: {} }
  }

  readonly get = (): EffectState => this.#state

  readonly subscribe: Subscribe = (onChange) => {
    this.#listeners.add(onChange)
    return () => this.#listeners.delete(onChange)
  }

  /** Tells of each problem once. Returns a function that ends it. */
  onProblem(listener: (problem: EffectProblem) => void): () => void {
    this.#problemListeners.add(listener)
    return () => this.#problemListeners.delete(listener)
  }

  change(change: Partial<ChosenEffects>): void {
    const problems = { ...this.#state.problems }
    if ('background' in change) delete problems.background
    if ('reducesNoise' in change) delete problems.noise
    this.#set({ ...this.#state, ...change, problems })
  }

  /** Switches an effect off because of a problem. */
  giveUp(problem: EffectProblem): void {
    const effect = problem.startsWith('noise') ? 'noise' : 'background'
    const off = effect === 'noise' ? { reducesNoise: false } : { background: 'none' as const }
    this.#set({ ...this.#state, ...off, problems: { ...this.#state.problems, [effect]: problem } })
    for (const listener of [...this.#problemListeners]) listener(problem)
  }

  #set(state: EffectState): void {
    this.#state = state
    const { background, ownPicture, reducesNoise } = state
    try {
      this.#storage?.setItem(KEY, JSON.stringify({ background, ownPicture, reducesNoise }))
    } catch {
      // If the storage is full, the choice holds for this page only.
    }
    for (const listener of [...this.#listeners]) listener()
  }
}

function browserStorage(): Storage | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}

/** The choices of this browser. */
export const effectChoices = new EffectChoices(browserStorage())
