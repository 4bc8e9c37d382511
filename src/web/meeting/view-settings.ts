/**
 * A person's own view of the meeting: the layout, the place of their own video, and whom they pinned for themselves.
 */
import type { Subscribe, View } from './view.ts'

export const layouts = ['grid', 'speaker', 'sidebar'] as const
/** `grid`: equal tiles; `speaker`: the speaker in front, the others in a strip; `sidebar`: the others in a column. */
export type Layout = (typeof layouts)[number]
export const selfViews = ['tile', 'floating', 'hidden'] as const
/** Where our own video is shown. */
export type SelfView = (typeof selfViews)[number]
export const corners = ['top-left', 'top-right', 'bottom-left', 'bottom-right'] as const
export type Corner = (typeof corners)[number]

/** Languages that common recognisers know, BCP 47. */
export const spokenLanguages: readonly string[] = [
  'ar',
  'cs',
  'da',
  'de',
  'el',
  'en',
  'es',
  'fi',
  'fr',
  'he',
  'hi',
  'hu',
  'id',
  'it',
  'ja',
  'ko',
  'nl',
  'no',
  'pl',
  'pt',
  'ro',
  'ru',
  'sv',
  'tr',
  'uk',
  'vi',
  'zh',
]
export const captionSizes = ['small', 'normal', 'large', 'largest'] as const
export type CaptionSize = (typeof captionSizes)[number]

export interface ViewState {
  layout: Layout
  selfView: SelfView
  /** The corner of our floating video. */
  corner: Corner
  /** Participants whom we pinned for ourselves, in this order. */
  pinned: readonly string[]
  /** The shared screen that we chose, by stream id, if there are several. */
  share: string | undefined
  captionSize: CaptionSize
  /** The language in which captions are started, BCP 47; empty to have it recognised. */
  spoken: string
  /** Whether we are told that we talk while we are muted. */
  mutedHint: boolean
}

/** The settings that are kept for the next meeting. */
type Remembered = Pick<ViewState, 'layout' | 'selfView' | 'corner' | 'captionSize' | 'spoken' | 'mutedHint'>

const KEY = 'anteroom:view'
const initial: ViewState = {
  layout: 'grid',
  selfView: 'tile',
  corner: 'bottom-right',
  pinned: [],
  share: undefined,
  captionSize: 'normal',
  spoken: '',
  mutedHint: true,
}

export class ViewSettings implements View<ViewState> {
  readonly #storage: Pick<Storage, 'getItem' | 'setItem'> | undefined
  readonly #listeners = new Set<() => void>()
  #state: ViewState

  constructor(storage?: Pick<Storage, 'getItem' | 'setItem'>) {
    this.#storage = storage
    this.#state = { ...initial, ...remembered(storage) }
  }

  readonly get = (): ViewState => this.#state

  readonly subscribe: Subscribe = (onChange) => {
    this.#listeners.add(onChange)
    return () => this.#listeners.delete(onChange)
  }

  change(changed: Partial<ViewState>): void {
    this.#state = { ...this.#state, ...changed }
    const { layout, selfView, corner, captionSize, spoken, mutedHint } = this.#state
    const kept = { layout, selfView, corner, captionSize, spoken, mutedHint } satisfies Remembered
    try {
      this.#storage?.setItem(KEY, JSON.stringify(kept))
    } catch {
      // A browser that denies storage forgets them.
    }
    for (const listener of [...this.#listeners]) listener()
  }

  nextLayout(): void {
    this.change({ layout: layouts[(layouts.indexOf(this.#state.layout) + 1) % layouts.length]! })
  }

  isPinned(id: string): boolean {
    return this.#state.pinned.includes(id)
  }

  togglePin(id: string): void {
    const { pinned } = this.#state
    this.change({ pinned: this.isPinned(id) ? pinned.filter((other) => other !== id) : [...pinned, id] })
  }
}

function remembered(storage: Pick<Storage, 'getItem'> | undefined): Partial<Remembered> {
  try {
    const stored = JSON.parse(storage?.getItem(KEY) ?? '{}') as Record<string, unknown>
    const layout = layouts.find((value) => value === stored.layout)
    const selfView = selfViews.find((value) => value === stored.selfView)
    const corner = corners.find((value) => value === stored.corner)
    const captionSize = captionSizes.find((value) => value === stored.captionSize)
    const { spoken, mutedHint } = stored
    return {
      ...(layout && { layout }),
      ...(selfView && { selfView }),
      ...(corner && { corner }),
      ...(captionSize && { captionSize }),
      ...(typeof spoken === 'string' && spokenLanguages.includes(spoken) && { spoken }),
      ...(typeof mutedHint === 'boolean' && { mutedHint }),
    }
  } catch {
    return {}
  }
}

/** The corner of an area of this size that is nearest to a point in it. */
export function nearestCorner(x: number, y: number, width: number, height: number): Corner {
  return `${y < height / 2 ? 'top' : 'bottom'}-${x < width / 2 ? 'left' : 'right'}`
}

/** The corner to which an arrow key moves; the same one at the edge. */
export function cornerBeside(corner: Corner, key: string): Corner {
  const [row, side] = corner.split('-') as ['top' | 'bottom', 'left' | 'right']
  const rows: Record<string, typeof row> = { ArrowUp: 'top', ArrowDown: 'bottom' }
  const sides: Record<string, typeof side> = { ArrowLeft: 'left', ArrowRight: 'right' }
  return `${rows[key] ?? row}-${sides[key] ?? side}`
}
