import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { escaped, headOf, Opener, Sealer, unescaped, type Codec, type FrameFacts } from './frames.ts'
import { groupKey, problemOfKey, type MeetingKey } from './keys.ts'

const ann = { participantId: 'ann', kind: 'video' }
const bytes = (...values: number[]) => Uint8Array.from(values)
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const vp8 = { codec: 'vp8', isKeyFrame: true } as const
const h264Frame = bytes(
  0,
  0,
  0,
  1,
  0x67,
  66,
  0,
  31,
  0,
  0,
  0,
  1,
  0x68,
  206,
  0,
  0,
  1,
  0x65,
  136,
  132,
  0,
  0,
  3,
  1,
  7,
  0,
  0,
  1,
  0x65,
  9,
  9,
)

let [key, other]: MeetingKey[] = []
before(async () => {
  const group = await groupKey(random(32), 'a-meeting')
  ;[key, other] = [await group.framesOf(random(32)), await group.framesOf(random(32))]
})

for (const [name, frame, facts, head] of [
  ['Opus', bytes(120, 1, 2, 3), { codec: 'opus', isKeyFrame: false }, 1],
  ['a key frame of VP8', random(300), vp8, 10],
  ['another frame of VP8', random(300), { codec: 'vp8', isKeyFrame: false }, 3],
  ['H264 with its parameter sets', h264Frame, { codec: 'h264', isKeyFrame: true }, 20],
  ['an empty frame of Opus', bytes(120), { codec: 'opus', isKeyFrame: false }, 1],
] as [string, Uint8Array<ArrayBuffer>, FrameFacts, number][])
  test(`${name} keeps its head and nothing else`, async () => {
    assert.equal(headOf(frame, facts), head)
    const sealed = await new Sealer(ann).seal(frame, facts, key!)
    assert.deepEqual(sealed!.subarray(0, head), frame.subarray(0, head))
    if (frame.length > head + 3)
      assert.equal(Buffer.from(sealed!).indexOf(frame.subarray(head)), -1, 'the rest is nowhere in the clear')
    assert.deepEqual(await new Opener(ann).open(sealed!, facts, [key!]), frame)
  })

for (const [codec, frame] of [
  ['opus', bytes()],
  ['vp8', bytes(1, 2)],
  ['h264', bytes(0, 0, 1, 0x67, 1, 2, 3)],
] as [Codec, Uint8Array<ArrayBuffer>][])
  test(`a frame that is not as ${codec} says is neither sealed nor opened`, async () => {
    const facts = { codec, isKeyFrame: false }
    assert.equal(await new Sealer(ann).seal(frame, facts, key!), undefined)
    assert.equal(await new Opener(ann).open(frame, facts, [key!]), undefined)
  })

test('sealed H264 contains no start code after its head, and ends with no zero', async () => {
  const sealer = new Sealer(ann)
  const frame = bytes(...h264Frame, ...new Uint8Array(5000))
  for (let i = 0; i < 50; i++) {
    const sealed = await sealer.seal(frame, { codec: 'h264', isKeyFrame: true }, key!)
    const rest = Buffer.from(sealed!.subarray(17))
    for (const code of [0, 1, 2]) assert.equal(rest.indexOf(bytes(0, 0, code)), -1)
    assert.notEqual(sealed!.at(-1), 0)
  }
})

for (const [plain, before, expected] of [
  [[0, 0, 0, 0, 0, 0], [], [0, 0, 3, 0, 0, 3, 0, 0]],
  [[0, 0, 3], [], [0, 0, 3, 3]],
  [
    [1, 2],
    [9, 0, 0],
    [3, 1, 2],
  ],
  [
    [0, 2],
    [9, 0],
    [0, 3, 2],
  ],
  [[0, 0, 4], [], [0, 0, 4]],
] as [number[], number[], number[]][])
  test(`escapes ${plain.join(' ')} after ${before.join(' ') || 'nothing'}`, () => {
    assert.deepEqual(escaped(bytes(...plain), bytes(...before)), bytes(...expected))
    assert.deepEqual(unescaped(bytes(...expected), bytes(...before)), bytes(...plain))
  })

test('a frame opens once, under its key, as its owner’s, and unchanged', async () => {
  const frame = random(500)
  const sealed = (await new Sealer(ann).seal(frame, vp8, key!))!
  const opens = (bytesOf = sealed, keys = [key!], owner = ann, facts: FrameFacts = vp8) =>
    new Opener(owner).open(bytesOf, facts, keys)
  assert.deepEqual(await opens(), frame)
  assert.deepEqual(await opens(sealed, [other!, key!]), frame)
  assert.equal(await opens(sealed, [other!]), undefined, 'another key')
  assert.equal(await opens(sealed, []), undefined, 'no key')
  assert.equal(
    await opens(sealed, [key!], { participantId: 'ben', kind: 'video' }),
    undefined,
    'passed off as another’s',
  )
  assert.equal(
    await opens(sealed, [key!], { participantId: 'ann', kind: 'share' }),
    undefined,
    'as another stream',
  )
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice()
    changed[at]! ^= 1
    assert.equal(await opens(changed), undefined, `with byte ${at} changed`)
  }
  assert.equal(await opens(sealed.subarray(0, 12)), undefined, 'cut off')
  assert.equal(await opens(frame), undefined, 'plain')
  const opener = new Opener(ann)
  assert.deepEqual(await opener.open(sealed, vp8, [key!]), frame)
  assert.equal(await opener.open(sealed, vp8, [key!]), undefined, 'repeated')
})

test('frames may come in another order, but not from long ago', async () => {
  const sealer = new Sealer(ann)
  const facts = { codec: 'opus', isKeyFrame: false } as const
  const sealed = await Promise.all(
    Array.from({ length: 1100 }, (_, i) => sealer.seal(bytes(1, i % 256), facts, key!)),
  )
  const opener = new Opener(ann)
  const opens = async (at: number) => (await opener.open(sealed[at]!, facts, [key!])) !== undefined
  assert.deepEqual(
    [await opens(3), await opens(1), await opens(2), await opens(2)],
    [true, true, true, false],
  )
  assert.equal(await opens(1099), true)
  assert.equal(await opens(10), false)
  assert.equal(await opens(1000), true)
})

test('no two frames have the same nonce', async () => {
  const nonces = new Set<string>()
  for (const sealer of [new Sealer(ann), new Sealer(ann)])
    for (let i = 0; i < 100; i++) {
      const sealed = await sealer.seal(random(20), vp8, key!)
      nonces.add(Buffer.from(sealed!.subarray(-14, -2)).toString('hex'))
    }
  assert.equal(nonces.size, 200)
})

test('the same passphrase gives the same keys in one meeting, and others in the next', async () => {
  const groups = await Promise.all([
    groupKey('correct horse', 'a-meeting'),
    groupKey('correct horse', 'a-meeting'),
    groupKey('correct horse', 'b-meeting'),
  ])
  const [one, same, next] = groups
  assert.match(one.phrase, /^\d{4} \d{4} \d{4}$/)
  assert.equal(one.phrase, same.phrase)
  assert.notEqual(one.phrase, next.phrase)
  const [ofOne, ofSame, ofNext] = await Promise.all(groups.map((group) => group.prove('ann')))
  assert.deepEqual(ofOne, ofSame)
  assert.notDeepEqual(ofOne, ofNext)
  const secret = random(32)
  const keys = await Promise.all(groups.map((group) => group.framesOf(secret)))
  const sealed = await new Sealer(ann).seal(random(50), vp8, keys[0]!)
  assert.ok(await new Opener(ann).open(sealed!, vp8, [keys[1]!]))
  assert.equal(await new Opener(ann).open(sealed!, vp8, [{ ...keys[2]!, id: keys[0]!.id }]), undefined)
  assert.equal(keys[0]!.frames.extractable, false)
})

test('short keys are refused', () => {
  assert.match(problemOfKey('short')!, /8 characters/)
  assert.match(problemOfKey(random(15))!, /16 bytes/)
  assert.equal(problemOfKey('long enough'), undefined)
  assert.equal(problemOfKey(random(16)), undefined)
})
