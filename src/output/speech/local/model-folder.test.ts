import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readModelFolder, recogniseLayout } from './model-folder.ts'

const TRANSDUCER = ['decoder.onnx', 'encoder.onnx', 'joiner.onnx', 'tokens.txt']

for (const [name, names, about, layout, modelConfig] of [
  [
    'a streaming Zipformer',
    [
      'encoder-99-chunk-16.onnx',
      'encoder-99-chunk-16.int8.onnx',
      'decoder-99.onnx',
      'joiner-99.onnx',
      'tokens.txt',
    ],
    'model_type zipformer2 decode_chunk_len 32',
    'streaming transducer',
    {
      transducer: {
        encoder: 'encoder-99-chunk-16.int8.onnx',
        decoder: 'decoder-99.onnx',
        joiner: 'joiner-99.onnx',
      },
      tokens: 'tokens.txt',
    },
  ],
  [
    'a Zipformer that takes whole utterances',
    TRANSDUCER,
    'comment non-streaming zipformer2',
    'transducer',
    {
      transducer: { encoder: 'encoder.onnx', decoder: 'decoder.onnx', joiner: 'joiner.onnx' },
      tokens: 'tokens.txt',
    },
  ],
  [
    'a Parakeet',
    TRANSDUCER,
    'model_type EncDecRNNTBPEModel',
    'transducer',
    {
      transducer: { encoder: 'encoder.onnx', decoder: 'decoder.onnx', joiner: 'joiner.onnx' },
      tokens: 'tokens.txt',
      modelType: 'nemo_transducer',
    },
  ],
  [
    'a Whisper',
    ['tiny-encoder.int8.onnx', 'tiny-decoder.int8.onnx', 'tiny-tokens.txt', 'README.md'],
    '',
    'Whisper',
    {
      whisper: { encoder: 'tiny-encoder.int8.onnx', decoder: 'tiny-decoder.int8.onnx', task: 'transcribe' },
      tokens: 'tiny-tokens.txt',
    },
  ],
  [
    'a Moonshine',
    [
      'preprocess.onnx',
      'encode.int8.onnx',
      'uncached_decode.int8.onnx',
      'cached_decode.int8.onnx',
      'tokens.txt',
    ],
    '',
    'Moonshine',
    {
      moonshine: {
        preprocessor: 'preprocess.onnx',
        encoder: 'encode.int8.onnx',
        uncachedDecoder: 'uncached_decode.int8.onnx',
        cachedDecoder: 'cached_decode.int8.onnx',
      },
      tokens: 'tokens.txt',
    },
  ],
  [
    'a Moonshine of 2026',
    ['encoder_model.ort', 'decoder_model_merged.ort', 'tokens.txt'],
    '',
    'Moonshine',
    {
      moonshine: { encoder: 'encoder_model.ort', mergedDecoder: 'decoder_model_merged.ort' },
      tokens: 'tokens.txt',
    },
  ],
  [
    'a SenseVoice',
    ['model.onnx', 'model.int8.onnx', 'tokens.txt'],
    'model_type sense_voice_ctc',
    'SenseVoice',
    { senseVoice: { model: 'model.int8.onnx' }, tokens: 'tokens.txt' },
  ],
  ['no tokens', ['encoder.onnx', 'decoder.onnx', 'joiner.onnx'], '', undefined, undefined],
  ['a model of another kind', ['model.onnx', 'tokens.txt'], 'model_type vits', undefined, undefined],
  ['half of a Moonshine', ['preprocess.onnx', 'encode.onnx', 'tokens.txt'], '', undefined, undefined],
] as const)
  test(`a folder with ${name}`, async () => {
    const model = await recogniseLayout({ names, describe: () => Promise.resolve(about) })
    assert.equal(model?.layout, layout)
    assert.deepEqual(model?.modelConfig, modelConfig)
    assert.equal(model?.streaming ?? false, layout === 'streaming transducer')
    assert.equal(model?.multilingual ?? false, layout === 'Whisper')
  })

test('an English Whisper model gets no language', async () => {
  const names = ['base.en-encoder.onnx', 'base.en-decoder.onnx', 'base.en-tokens.txt']
  const model = await recogniseLayout({ names, describe: () => Promise.resolve('') })
  assert.equal(model?.multilingual, false)
})

test('a missing folder, or one without a model, is refused in one sentence that names the setting', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-model-'))
  context.after(() => rm(folder, { recursive: true }))
  const problem = async (path: string): Promise<string> => {
    const model = await readModelFolder(path)
    return typeof model === 'string' ? model : model.layout
  }
  assert.match(
    await problem(join(folder, 'away')),
    /^TRANSCRIPTION_MODEL_FOLDER cannot be read \(ENOENT\): [^.]*\.$/,
  )
  await writeFile(join(folder, 'notes.txt'), '')
  assert.match(await problem(folder), /^TRANSCRIPTION_MODEL_FOLDER holds no speech model/)
})
