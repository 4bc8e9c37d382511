/** Which speech model a folder holds, by the names of its files and by what its ONNX files say of themselves. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A part of the configuration that sherpa-onnx takes; see `OfflineModelConfig` and `OnlineModelConfig` of its types. */
export interface SpeechModel {
  /** As people call it. */
  layout: string
  /** Takes sound as it comes; the others take a whole utterance. */
  streaming: boolean
  /** It can be told the language of what is said. */
  multilingual: boolean
  modelConfig: Record<string, unknown>
}

/** What is asked of a folder; `describe` gives the metadata of a file, as far as it is text. */
interface Contents {
  names: readonly string[]
  describe: (name: string) => Promise<string>
}

const LAYOUTS =
  'tokens.txt with encoder, decoder and joiner (transducer), encoder and decoder (Whisper), preprocess, encode, uncached_decode and cached_decode (Moonshine), or one model.onnx (SenseVoice, NeMo CTC, Zipformer CTC, Paraformer)'

/** The model, or what is wrong with the folder in one sentence that names the setting. */
export async function readModelFolder(folder: string): Promise<SpeechModel | string> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    return `TRANSCRIPTION_MODEL_FOLDER cannot be read (${(error as NodeJS.ErrnoException).code}): set it to a folder that holds a speech model.`
  }
  const model = await recogniseLayout({ names, describe: (name) => metadataOf(join(folder, name)) })
  if (!model)
    return `TRANSCRIPTION_MODEL_FOLDER holds no speech model that is recognised: it needs the files of one of sherpa-onnx, which are ${LAYOUTS}.`
  return { ...model, modelConfig: inFolder(model.modelConfig, folder) as Record<string, unknown> }
}

/** Files are named without their folder. */
export async function recogniseLayout({ names, describe }: Contents): Promise<SpeechModel | undefined> {
  const find = (part: RegExp): string | undefined => chosen(names.filter((name) => part.test(name)))
  const tokens = find(/(^|-)tokens\.txt$/)
  if (tokens === undefined) return undefined
  const [encoder, decoder, joiner] = [
    find(/(^|-)encoder\b.*\.onnx$/),
    find(/(^|-)decoder\b.*\.onnx$/),
    find(/(^|-)joiner\b.*\.onnx$/),
  ]
  if (encoder !== undefined && decoder !== undefined) {
    const about = await describe(encoder)
    if (joiner !== undefined) return transducer({ encoder, decoder, joiner }, tokens, about)
    if (about.includes('whisper') || tokens.endsWith('-tokens.txt'))
      return {
        layout: 'Whisper',
        streaming: false,
        multilingual: !/\.en\b/.test(encoder),
        modelConfig: { whisper: { encoder, decoder, task: 'transcribe' }, tokens },
      }
  }
  return moonshine(find, tokens) ?? (await single(find(/(^|-)model\b.*\.onnx$/), tokens, describe))
}

function transducer(parts: Record<string, string>, tokens: string, about: string): SpeechModel {
  // Only encoders that take sound in pieces say how long those are.
  const streaming = /decode_chunk_len|window_size.*chunk_shift/s.test(about)
  const nemo = /EncDec(RNNT|Hybrid)/.test(about)
  return {
    layout: streaming ? 'streaming transducer' : 'transducer',
    streaming,
    multilingual: false,
    modelConfig: { transducer: parts, tokens, ...(nemo && { modelType: 'nemo_transducer' }) },
  }
}

function moonshine(find: (part: RegExp) => string | undefined, tokens: string): SpeechModel | undefined {
  const [preprocessor, encoder, uncachedDecoder, cachedDecoder] = [
    find(/^preprocess\b.*\.onnx$/),
    find(/^encode\b.*\.onnx$/),
    find(/^uncached_decode\b.*\.onnx$/),
    find(/^cached_decode\b.*\.onnx$/),
  ]
  const merged = { encoder: find(/^encoder_model.*\.ort$/), mergedDecoder: find(/^decoder_model.*\.ort$/) }
  const files = preprocessor && encoder && uncachedDecoder && cachedDecoder
  if (!files && !(merged.encoder && merged.mergedDecoder)) return undefined
  return {
    layout: 'Moonshine',
    streaming: false,
    multilingual: false,
    modelConfig: {
      moonshine: files ? { preprocessor, encoder, uncachedDecoder, cachedDecoder } : merged,
      tokens,
    },
  }
}

/** By what its metadata says of a model that is one file. */
const SINGLES: readonly [says: RegExp, layout: string, key: string][] = [
  [/sense_voice/, 'SenseVoice', 'senseVoice'],
  [/EncDec\w*CTC/, 'NeMo CTC', 'nemoCtc'],
  [/zipformer\w*_ctc/, 'Zipformer CTC', 'zipformerCtc'],
  [/paraformer/, 'Paraformer', 'paraformer'],
]

async function single(
  model: string | undefined,
  tokens: string,
  describe: Contents['describe'],
): Promise<SpeechModel | undefined> {
  if (model === undefined) return undefined
  const about = await describe(model)
  const found = SINGLES.find(([says]) => says.test(about))
  if (!found) return undefined
  const [, layout, key] = found
  return { layout, streaming: false, multilingual: false, modelConfig: { [key]: { model }, tokens } }
}

/** Of several that differ in how exact their numbers are, the one for a processor: a quarter of the memory, twice as fast. */
function chosen(names: readonly string[]): string | undefined {
  return names.find((name) => /\bint8\b|quantized/.test(name)) ?? [...names].sort()[0]
}

/** Metadata are at the end of an ONNX file, after the weights. */
const METADATA_BYTES = 262_144

async function metadataOf(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const length = Math.min(size, METADATA_BYTES)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.toString('latin1')
  } finally {
    await file.close()
  }
}

const isFile = (text: string): boolean => /\.(onnx|ort|txt)$/.test(text)

function inFolder(value: unknown, folder: string): unknown {
  if (typeof value === 'string') return isFile(value) ? join(folder, value) : value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inFolder(one, folder)]))
}
