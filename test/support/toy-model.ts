/**
 * A model for sherpa-onnx that distinguishes a low tone from a high one: real ONNX in a real layout (Zipformer with
 * CTC), with one matrix. It proves that audio reaches a model and text comes back, without the hundreds of megabytes of
 * a model that knows words.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const FLOAT = 1
const INT64 = 7
/** sherpa-onnx turns 10 ms of sound into the loudness of 80 bands, from low to high. */
const BANDS = 80
const LOW = [5, 25] as const
const HIGH = [50, 75] as const
const TOKENS = ['<blk>', '▁low', '▁high']

type Field = [number: number, value: string | number | Uint8Array | Field[]]

function encode(fields: Field[]): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter()
  for (const [number, value] of fields) {
    if (typeof value === 'number') writer.tag(number, WireType.Varint).int64(value)
    else {
      writer.tag(number, WireType.LengthDelimited)
      if (typeof value === 'string') writer.string(value)
      else writer.bytes(value instanceof Uint8Array ? value : encode(value))
    }
  }
  return writer.finish()
}

const node = (type: string, inputs: string[], output: string): Field => [
  1,
  [...inputs.map((input): Field => [1, input]), [2, output], [4, type]],
]
const value = (number: number, name: string, type: number, shape: (number | string)[]): Field => [
  number,
  [
    [1, name],
    [
      2,
      [
        [
          1,
          [
            [1, type],
            [2, shape.map((one): Field => [1, [typeof one === 'number' ? [1, one] : [2, one]]])],
          ],
        ],
      ],
    ],
  ],
]
const constant = (name: string, shape: number[], numbers: Float32Array): Field => [
  5,
  [
    ...shape.map((length): Field => [1, length]),
    [2, FLOAT],
    [8, name],
    [9, new Uint8Array(numbers.buffer as ArrayBuffer)],
  ],
]

/**
 * The more the bands of a tone exceed those of the other, the likelier that tone; silence is likelier than both if no
 * band is loud.
 */
function weights(): Float32Array {
  const matrix = new Float32Array(BANDS * TOKENS.length)
  for (const [token, sign] of [
    [1, 1],
    [2, -1],
  ] as const)
    for (const [[from, to], direction] of [
      [LOW, sign],
      [HIGH, -sign],
    ] as const)
      for (let band = from; band < to; band += 1)
        matrix[band * TOKENS.length + token] = direction / (to - from)
  return matrix
}

export async function writeToyModel(folder: string): Promise<void> {
  const graph: Field[] = [
    node('MatMul', ['x', 'weights'], 'weighted'),
    node('Add', ['weighted', 'bias'], 'likely'),
    node('LogSoftmax', ['likely'], 'log_probs'),
    node('Identity', ['x_lens'], 'log_probs_len'),
    [2, 'toy'],
    constant('weights', [BANDS, TOKENS.length], weights()),
    constant('bias', [TOKENS.length], Float32Array.from([2, 0, 0])),
    value(11, 'x', FLOAT, ['N', 'T', BANDS]),
    value(11, 'x_lens', INT64, ['N']),
    value(12, 'log_probs', FLOAT, ['N', 'T', TOKENS.length]),
    value(12, 'log_probs_len', INT64, ['N']),
  ]
  const metadata = (key: string, text: string): Field => [
    14,
    [
      [1, key],
      [2, text],
    ],
  ]
  const model: Field[] = [[1, 8], [7, graph], [8, [[2, 13]]], metadata('model_type', 'zipformer2_ctc')]
  await writeFile(join(folder, 'model.onnx'), encode(model))
  await writeFile(join(folder, 'tokens.txt'), TOKENS.map((token, index) => `${token} ${index}\n`).join(''))
}
