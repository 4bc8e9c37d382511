/** Separates people from their background with a TensorFlow Lite model. Runs in the worker. */
import createRuntime from '@twilio/video-processors/dist/build/tflite-simd-1-0-0.js'
import wasmUrl from '@twilio/video-processors/dist/build/tflite-simd-1-0-0.wasm?url'
import modelUrl from '@twilio/video-processors/dist/build/selfie_segmentation_landscape.tflite?url'

/** The weight of a new mask against the last one: a smaller weight flickers less but lags behind. */
const FRESH = 0.7

/** The functions that the module exports. */
interface Runtime {
  HEAPU8: Uint8Array
  HEAPF32: Float32Array
  _getModelBufferMemoryOffset(): number
  _loadModel(bytes: number): number
  _getInputMemoryOffset(): number
  _getInputWidth(): number
  _getInputHeight(): number
  _getOutputMemoryOffset(): number
  _runInference(): number
}

async function bytesOf(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  return answer.arrayBuffer()
}

export class Segmenter {
  readonly #runtime: Runtime
  readonly width: number
  readonly height: number
  readonly #mask: ImageData

  private constructor(runtime: Runtime) {
    this.#runtime = runtime
    this.width = runtime._getInputWidth()
    this.height = runtime._getInputHeight()
    this.#mask = new ImageData(this.width, this.height)
  }

  static async load(): Promise<Segmenter> {
    const [wasmBinary, model] = await Promise.all([bytesOf(wasmUrl), bytesOf(modelUrl)])
    const runtime = (await createRuntime({ wasmBinary })) as Runtime
    runtime.HEAPU8.set(new Uint8Array(model), runtime._getModelBufferMemoryOffset())
    if (runtime._loadModel(model.byteLength) !== 0) throw new Error('the model does not load')
    return new Segmenter(runtime)
  }

  /** Returns a picture whose opacity says where a person is. @param pixels a picture of the model's size, as RGBA */
  mask(pixels: Uint8ClampedArray): ImageData {
    const { HEAPF32: memory } = this.#runtime
    const input = this.#runtime._getInputMemoryOffset() / 4
    const output = this.#runtime._getOutputMemoryOffset() / 4
    const count = this.width * this.height
    for (let at = 0; at < count; at++) {
      memory[input + at * 3] = pixels[at * 4]! / 255
      memory[input + at * 3 + 1] = pixels[at * 4 + 1]! / 255
      memory[input + at * 3 + 2] = pixels[at * 4 + 2]! / 255
    }
    this.#runtime._runInference()
    const { data } = this.#mask
    for (let at = 0; at < count; at++) {
      const before = data[at * 4 + 3]!
      data[at * 4 + 3] = before + (edge(memory[output + at]!) * 255 - before) * FRESH
    }
    return this.#mask
  }
}

/** Sharpens the edges of the model's mask, and makes uncertain pixels transparent. */
function edge(confidence: number): number {
  const within = Math.min(1, Math.max(0, (confidence - 0.35) / 0.4))
  return within * within * (3 - 2 * within)
}
