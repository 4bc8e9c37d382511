/** Seals and opens the frames of all streams, in a worker of its own. */
import { Opener, Sealer, type FrameFacts } from './frames.ts'
import type { EncodedFrame, Frames, FromWorker, Keys, ToWorker, Transform } from './messages.ts'

/** Frames in a row that cannot be opened before the stream counts as closed: a change of the key loses a few. */
const MAX_MISSED = 5
/** How often a sender is asked for a frame with which a picture can begin. */
const KEY_FRAME_MS = 1000

interface Transformer extends Frames {
  options: Transform
  /** Asks the sender for a key frame; of received video. */
  sendKeyFrameRequest?: () => Promise<void>
}

/** The part of `DedicatedWorkerGlobalScope` that is used; the library of types for workers excludes that for pages. */
interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null
  onrtctransform: ((event: { transformer: Transformer }) => void) | null
  postMessage(message: FromWorker): void
}
const scope = globalThis as unknown as Scope

let keys: Keys = { seal: undefined, open: [] }

scope.onmessage = ({ data }) => {
  if ('keys' in data) keys = data.keys
  else carry({ ...data.transform, options: data.transform })
}
scope.onrtctransform = ({ transformer }) => {
  carry(transformer)
}

function carry(transformer: Transformer): void {
  const { options, readable, writable } = transformer
  const transform = options.role === 'seal' ? sealing(options) : opening(options, transformer)
  // It ends with its stream.
  readable
    .pipeThrough(new TransformStream<EncodedFrame, EncodedFrame>({ transform }))
    .pipeTo(writable)
    .catch(() => undefined)
}

type Step = (frame: EncodedFrame, out: TransformStreamDefaultController<EncodedFrame>) => Promise<void>

/** What cannot be sealed is not sent. */
function sealing(options: Transform): Step {
  const sealer = new Sealer(options)
  return async (frame, out) => {
    const { seal: key } = keys
    if (!key) return
    pass(frame, await sealer.seal(new Uint8Array(frame.data), factsOf(frame, options), key), out)
  }
}

/** What cannot be opened is not shown, plain media included. */
function opening(options: Transform, transformer: Transformer): Step {
  const opener = new Opener(options)
  let isOpen: boolean | undefined
  let missed = 0
  let askedAt = -Infinity
  const tell = (now: boolean): void => {
    if (isOpen === now) return
    isOpen = now
    scope.postMessage({ streamId: options.streamId, isOpen })
  }
  return async (frame, out) => {
    const opened = await opener.open(new Uint8Array(frame.data), factsOf(frame, options), keys.open)
    if (opened) {
      // A picture begins with a key frame, and one may have been missed.
      if (missed > 0 && frame.type === 'delta') askKeyFrame()
      missed = 0
      tell(true)
    } else if (frame.data.byteLength > 0 && ++missed === MAX_MISSED) tell(false)
    pass(frame, opened, out)
  }
  function askKeyFrame(): void {
    if (performance.now() - askedAt < KEY_FRAME_MS) return
    askedAt = performance.now()
    transformer.sendKeyFrameRequest?.().catch(() => undefined)
  }
}

function factsOf({ type }: EncodedFrame, { codec }: Transform): FrameFacts {
  return { codec, isKeyFrame: type === 'key' }
}

function pass(
  frame: EncodedFrame,
  bytes: Uint8Array<ArrayBuffer> | undefined,
  out: TransformStreamDefaultController<EncodedFrame>,
): void {
  if (!bytes) return
  frame.data = bytes.buffer
  out.enqueue(frame)
}
