/** The worker that replaces the background of video frames, so that the page stays responsive. */
import { Composer } from './composer.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { Segmenter } from './segmenter.ts'

/** The part of `DedicatedWorkerGlobalScope` that is used, because the type libraries for workers and pages exclude each other. */
interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null
  postMessage(message: FromWorker, transfer?: Transferable[]): void
}

const scope = globalThis as unknown as Scope
const composer = Segmenter.load().then((segmenter) => new Composer(segmenter))

composer.then(
  () => scope.postMessage({ did: 'load' }),
  (error: unknown) => scope.postMessage({ did: 'fail', reason: String(error) }),
)

/** Draws a frame with its new background, and reports the time that it took. */
function draw(by: Composer, picture: CanvasImageSource, width: number, height: number): OffscreenCanvas {
  const start = performance.now()
  const canvas = by.draw(picture, width, height)
  scope.postMessage({ did: 'work', workMs: performance.now() - start })
  return canvas
}

async function change(from: ReadableStream<VideoFrame>, to: WritableStream<VideoFrame>): Promise<void> {
  const by = await composer
  await from
    .pipeThrough(
      new TransformStream<VideoFrame, VideoFrame>({
        transform: (frame, out) => {
          const { displayWidth, displayHeight, timestamp } = frame
          try {
            out.enqueue(new VideoFrame(draw(by, frame, displayWidth, displayHeight), { timestamp }))
          } finally {
            // The camera reuses a few frames, and stalls until they are closed.
            frame.close()
          }
        },
      }),
    )
    .pipeTo(to)
}

async function take(message: ToWorker): Promise<void> {
  if (message.do === 'tick') setInterval(() => scope.postMessage({ did: 'tick' }), message.everyMs)
  else if (message.do === 'stream') await change(message.from, message.to)
  else {
    const by = await composer
    if (message.do === 'backdrop') by.backdrop = message.backdrop
    else {
      const { picture } = message
      const changed = draw(by, picture, picture.width, picture.height).transferToImageBitmap()
      picture.close()
      scope.postMessage({ did: 'picture', picture: changed }, [changed])
    }
  }
}

scope.onmessage = ({ data }) => {
  take(data).catch((error: unknown) => scope.postMessage({ did: 'fail', reason: String(error) }))
}
