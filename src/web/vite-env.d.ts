/// <reference types="vite/client" />

/** TensorFlow Lite, which comes without types. */
declare module '@twilio/video-processors/dist/build/tflite-simd-1-0-0.js' {
  export default function createRuntime(options: { wasmBinary: ArrayBuffer }): Promise<unknown>
}
