import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatPictures, fileOf, mayBePicture, sizeText } from './chat-files.ts'

const file = { id: 'aaaaaaaaBBBBBBBB', name: 'a.png', bytes: 12 }

test('only an id, a name and a size make a file: nothing that others sent becomes an address', () => {
  for (const bad of [
    undefined,
    null,
    'file',
    {},
    { ...file, id: '../../m/x' },
    { ...file, id: 'https://elsewhere.example' },
    { ...file, id: 'short' },
    { ...file, name: '' },
    { ...file, name: 'x'.repeat(201) },
    { ...file, name: '\ud83d' },
    { ...file, name: 5 },
    { ...file, bytes: -1 },
    { ...file, bytes: '12' },
  ])
    assert.equal(fileOf({ payload: { file: bad } }), undefined, JSON.stringify(bad))
  assert.equal(fileOf({ payload: undefined }), undefined)
  assert.deepEqual(fileOf({ payload: { file: { ...file, url: 'https://elsewhere.example' } } }), file)
})

test('a picture is fetched once, and is one by its bytes, not by its name', async () => {
  let fetches = 0
  const of = (type: string) =>
    new ChatPictures({
      fetch: () => {
        fetches++
        return type === 'gone'
          ? Promise.reject(new Error('gone'))
          : Promise.resolve(new Blob(['x'], { type }))
      },
    })
  const pictures = of('image/png')
  const [one, two] = await Promise.all([pictures.addressOf(file), pictures.addressOf(file)])
  assert.match(one!, /^blob:/)
  assert.deepEqual([one === two, fetches], [true, 1])
  pictures.close()
  for (const type of ['image/svg+xml', 'text/html', 'application/octet-stream'])
    assert.equal(await of(type).addressOf(file), undefined, type)
  const gone = of('gone')
  fetches = 0
  assert.equal(await gone.addressOf(file), undefined)
  await gone.addressOf(file)
  assert.equal(fetches, 2, 'what could not be fetched is tried again')
  assert.deepEqual(
    ['a.PNG', 'a.svg', 'a.png.exe'].map((name) => mayBePicture({ name })),
    [true, false, false],
  )
})

test('sizes are said in the language that is shown', () => {
  assert.equal(sizeText(1234, 'en'), '1.2 kB')
  assert.equal(sizeText(1_250_000, 'de'), '1,3 MB')
})
