/** A camera whose background is blurred or replaced. */
import hills from './pictures/hills.svg'
import shelf from './pictures/shelf.svg'
import wall from './pictures/wall.svg'
import type { Background, ChosenEffects } from './chosen.ts'
import { deriveTrack, type TrackEffect } from './derived-track.ts'
import type { Backdrop, FromWorker, ToWorker } from './messages.ts'
import { PicturePace } from './pace.ts'

export const pictures = { hills, shelf, wall }

const TICK_MS = 33
/** The size of images without an intrinsic size, such as some SVGs. */
const PICTURE_WIDTH = 1280

/** Insertable streams of video frames, which Chromium supports on pages. */
interface FrameStreams {
  MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack }) => {
    readable: ReadableStream<VideoFrame>
  }
  MediaStreamTrackGenerator?: new (init: { kind: 'video' }) => MediaStreamTrack & {
    writable: WritableStream<VideoFrame>
  }
}

/** Whether this browser supports the effect. */
export function canChangeBackground(): boolean {
  return (
    typeof OffscreenCanvas === 'function' &&
    typeof WebAssembly === 'object' &&
    ((globalThis as FrameStreams).MediaStreamTrackGenerator !== undefined ||
      'captureStream' in HTMLCanvasElement.prototype)
  )
}

async function backdropOf(background: Background, { ownPicture }: ChosenEffects): Promise<Backdrop> {
  if (background === 'blur' || background === 'none') return 'blur'
  const image = new Image(PICTURE_WIDTH)
  image.src = background === 'own' ? ownPicture! : pictures[background]
  await image.decode()
  return createImageBitmap(image)
}

export class BackgroundEffect implements TrackEffect {
  readonly #worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  readonly #pace = new PicturePace()
  #picture: ((picture: ImageBitmap) => void) | undefined
  #tick: (() => void) | undefined
  #failed: (reason: Error) => void = () => undefined
  #loaded: () => void = () => undefined
  /** Rejects when the effect breaks. */
  readonly ready: Promise<void>
  #shown: Pick<ChosenEffects, 'background' | 'ownPicture'> | undefined

  /** @param onSlow called once if this device is too slow, or if the effect breaks later */
  constructor(onSlow: () => void) {
    let isOver = false
    const giveUp = (): void => {
      if (!isOver) onSlow()
      isOver = true
    }
    this.ready = new Promise((done, failed) => {
      this.#loaded = done
      this.#failed = (reason) => {
        failed(reason)
        giveUp()
      }
    })
    this.ready.catch(() => undefined)
    this.#worker.onerror = ({ message }) => this.#failed(new Error(message))
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.did === 'load') this.#loaded()
      else if (data.did === 'fail') this.#failed(new Error(data.reason))
      else if (data.did === 'picture') this.#picture?.(data.picture)
      else if (data.did === 'tick') this.#tick?.()
      else if (this.#pace.add(data.workMs, performance.now())) giveUp()
    }
  }

  /** Opens a camera's track with this background. @throws if the effect or the image does not load */
  static async open(
    source: MediaStreamTrack,
    chosen: ChosenEffects,
    onSlow: () => void,
  ): Promise<MediaStreamTrack> {
    let isOpen = false
    const effect = new BackgroundEffect(() => {
      if (isOpen) onSlow()
    })
    try {
      await Promise.all([effect.ready, effect.show(chosen)])
      const made = deriveTrack(effect.#changed(source), source, effect)
      isOpen = true
      return made
    } catch (error) {
      effect.end()
      throw error
    }
  }

  /** Whether it shows this background. */
  shows({ background, ownPicture }: ChosenEffects): boolean {
    return this.#shown?.background === background && this.#shown.ownPicture === ownPicture
  }

  async show(chosen: ChosenEffects): Promise<void> {
    const { background, ownPicture } = chosen
    this.#shown = { background, ownPicture }
    const backdrop = await backdropOf(background, chosen)
    if (this.shows(chosen)) this.#post({ do: 'backdrop', backdrop }, backdrop === 'blur' ? [] : [backdrop])
  }

  end(): void {
    this.#worker.terminate()
  }

  #changed(source: MediaStreamTrack): MediaStreamTrack {
    const { MediaStreamTrackProcessor: Processor, MediaStreamTrackGenerator: Generator } =
      globalThis as FrameStreams
    if (!Processor || !Generator) return this.#redrawn(source)
    const [{ readable: from }, made] = [new Processor({ track: source }), new Generator({ kind: 'video' })]
    const to = made.writable
    this.#post({ do: 'stream', from, to }, [from, to])
    return made
  }

  /** For browsers without insertable streams: redraws a canvas and captures it. */
  #redrawn(source: MediaStreamTrack): MediaStreamTrack {
    const video = document.createElement('video')
    Object.assign(video, { muted: true, playsInline: true, srcObject: new MediaStream([source]) })
    void video.play().catch(() => undefined)
    const canvas = document.createElement('canvas')
    const { width = 640, height = 360 } = source.getSettings()
    Object.assign(canvas, { width, height })
    const out = canvas.getContext('2d')!
    let isBusy = false
    this.#picture = (picture) => {
      isBusy = false
      if (canvas.width !== picture.width) canvas.width = picture.width
      if (canvas.height !== picture.height) canvas.height = picture.height
      out.drawImage(picture, 0, 0)
      picture.close()
    }
    this.#tick = () => {
      if (isBusy || video.readyState < video.HAVE_CURRENT_DATA) return
      isBusy = true
      createImageBitmap(video).then(
        (picture) => this.#post({ do: 'picture', picture }, [picture]),
        () => (isBusy = false),
      )
    }
    this.#post({ do: 'tick', everyMs: TICK_MS })
    return canvas.captureStream().getVideoTracks()[0]!
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer)
  }
}
