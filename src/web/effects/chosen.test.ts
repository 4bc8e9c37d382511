import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EffectChoices, parseEffects } from './chosen.ts'

const own = 'data:image/jpeg;base64,AA=='

test('what is kept and not understood counts as not chosen', () => {
  const nothing = { background: 'none', ownPicture: undefined, reducesNoise: false }
  for (const kept of [null, '', '{', 'null', '3', '{"background":"beach"}', '{"reducesNoise":"yes"}'])
    assert.deepEqual(parseEffects(kept), nothing, String(kept))
  assert.deepEqual(parseEffects('{"background":"own"}'), nothing, 'an own picture that is not there')
  assert.deepEqual(parseEffects('{"background":"own","ownPicture":"https://a.example/b.png"}'), nothing)
  assert.deepEqual(parseEffects(JSON.stringify({ background: 'own', ownPicture: own, reducesNoise: true })), {
    background: 'own',
    ownPicture: own,
    reducesNoise: true,
  })
})

test('choices are remembered; a problem switches its effect off until the next choice', () => {
  const kept = new Map<string, string>()
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  }
  const choices = new EffectChoices(storage)
  let told = 0
  choices.subscribe(() => told++)
  choices.change({ background: 'blur', reducesNoise: true })
  choices.giveUp('backgroundBroke')
  assert.equal(told, 2)
  assert.deepEqual(choices.get(), {
    background: 'none',
    ownPicture: undefined,
    reducesNoise: true,
    problems: { background: 'backgroundBroke' },
  })
  assert.deepEqual(new EffectChoices(storage).get(), { ...choices.get(), problems: {} })
  choices.change({ background: 'hills' })
  assert.deepEqual(choices.get().problems, {})
  choices.giveUp('noiseFailed')
  assert.deepEqual([choices.get().background, choices.get().reducesNoise], ['hills', false])
})

test('a problem of one effect hides none of the other, which decides whether the room may be seen', () => {
  const choices = new EffectChoices(undefined)
  const told: string[] = []
  choices.onProblem((problem) => told.push(problem))
  choices.change({ background: 'blur', reducesNoise: true })
  choices.giveUp('backgroundBroke')
  choices.giveUp('noiseBroke')
  assert.deepEqual(told, ['backgroundBroke', 'noiseBroke'])
  assert.deepEqual(choices.get().problems, { background: 'backgroundBroke', noise: 'noiseBroke' })
  choices.change({ reducesNoise: true })
  assert.deepEqual(choices.get().problems, { background: 'backgroundBroke' })
})

test('a browser that keeps nothing still has choices', () => {
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new Error('full')
    },
  }
  for (const choices of [new EffectChoices(undefined), new EffectChoices(full)]) {
    choices.change({ background: 'wall' })
    assert.equal(choices.get().background, 'wall')
  }
})
