/** Decides how many compositions this machine carries, and which outputs share one. */
import { isDeepStrictEqual } from 'node:util'
import { compositionOf, type Composition } from '../../protocol/outputs.ts'

/** The number of cores that draw, capture and encode one composition. */
const CORES_OF_ONE = 2

export function compositionsFor(cores: number): number {
  return Math.max(1, Math.floor(cores / CORES_OF_ONE))
}

/** The composition if nothing is requested. */
const DEFAULTS = compositionOf({})

/** The part of a configuration that the browser needs; the rest, such as the key of a livestream, must not reach it. */
export function lookOf(config: Composition): Composition {
  const { layout, theme, mode, quality, orientation, templateUrl } = config
  return { layout, theme, mode, quality, orientation, templateUrl }
}

/** Whether an output that requests `wanted` can use the composition `running`. */
export function canShare(wanted: Composition, running: Composition): boolean {
  if (running.templateUrl === null && running.mode === DEFAULTS.mode && isDeepStrictEqual(wanted, DEFAULTS))
    return true
  return isDeepStrictEqual(wanted, running)
}

export interface Size {
  width: number
  height: number
}

const SIZES: Record<Composition['quality'], Size> = {
  low: { width: 854, height: 480 },
  med: { width: 1280, height: 720 },
  high: { width: 1920, height: 1080 },
  ultra: { width: 2560, height: 1440 },
}

export function sizeOf({ quality, orientation }: Composition): Size {
  const { width, height } = SIZES[quality]
  return orientation === 'portrait' ? { width: height, height: width } : { width, height }
}

/** Bits per second for a video of faces and text at 30 frames per second. */
export function videoBitrateOf(composition: Composition): number {
  const { width, height } = sizeOf(composition)
  return Math.round(((width * height) / (1280 * 720)) * 2_500_000)
}
