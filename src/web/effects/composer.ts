/** Draws a person over another background. Runs in the worker. */
import type { Backdrop } from './messages.ts'
import type { Segmenter } from './segmenter.ts'

/** The blur is drawn at this size and stretched, which is cheap and needs no canvas filters. */
const BLUR_WIDTH = 28

type Context = OffscreenCanvasRenderingContext2D

function contextOf(width: number, height: number, willReadFrequently = false): Context {
  return new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently })!
}

export class Composer {
  readonly #segmenter: Segmenter
  readonly #small: Context
  readonly #mask: Context
  readonly #blur = contextOf(1, 1)
  readonly #softer = contextOf(1, 1)
  readonly #out = contextOf(1, 1)
  #backdrop: Backdrop = 'blur'

  constructor(segmenter: Segmenter) {
    this.#segmenter = segmenter
    const { width, height } = segmenter
    this.#small = contextOf(width, height, true)
    this.#mask = contextOf(width, height)
  }

  set backdrop(backdrop: Backdrop) {
    if (this.#backdrop !== 'blur') this.#backdrop.close()
    this.#backdrop = backdrop
  }

  /** Returns the canvas with the new frame, the same canvas each time. */
  draw(picture: CanvasImageSource, width: number, height: number): OffscreenCanvas {
    const { width: maskWidth, height: maskHeight } = this.#segmenter
    this.#small.drawImage(picture, 0, 0, maskWidth, maskHeight)
    const mask = this.#segmenter.mask(this.#small.getImageData(0, 0, maskWidth, maskHeight).data)
    this.#mask.putImageData(mask, 0, 0)

    const out = this.#out
    resize(out, width, height)
    out.globalCompositeOperation = 'copy'
    out.imageSmoothingQuality = 'high'
    out.drawImage(this.#mask.canvas, 0, 0, width, height)
    out.globalCompositeOperation = 'source-in'
    out.drawImage(picture, 0, 0, width, height)
    out.globalCompositeOperation = 'destination-over'
    if (this.#backdrop === 'blur') this.#drawBlur(out, picture, width, height)
    else drawCovering(out, this.#backdrop, width, height)
    return out.canvas
  }

  #drawBlur(out: Context, picture: CanvasImageSource, width: number, height: number): void {
    const blurHeight = Math.max(1, Math.round((BLUR_WIDTH * height) / width))
    resize(this.#blur, BLUR_WIDTH, blurHeight)
    resize(this.#softer, BLUR_WIDTH * 4, blurHeight * 4)
    // Stretches in steps, because one large step leaves visible artefacts.
    this.#blur.imageSmoothingQuality = 'high'
    this.#blur.drawImage(picture, 0, 0, BLUR_WIDTH, blurHeight)
    this.#softer.imageSmoothingQuality = 'high'
    this.#softer.drawImage(this.#blur.canvas, 0, 0, BLUR_WIDTH * 4, blurHeight * 4)
    out.drawImage(this.#softer.canvas, 0, 0, width, height)
  }
}

function resize({ canvas }: Context, width: number, height: number): void {
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}

/** Covers the frame with the image, cropped to fit. */
function drawCovering(out: Context, picture: ImageBitmap, width: number, height: number): void {
  const scale = Math.max(width / picture.width, height / picture.height)
  const [shownWidth, shownHeight] = [picture.width * scale, picture.height * scale]
  out.drawImage(picture, (width - shownWidth) / 2, (height - shownHeight) / 2, shownWidth, shownHeight)
}
