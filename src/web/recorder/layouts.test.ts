import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLayout } from './layouts.ts'

const now = { type: 'GRID', priority: 'SPEAKER', gridSize: 25 } as const

test('a host changes all of the layout, or a part', () => {
  assert.deepEqual(readLayout('{"layout":{"type":"SIDEBAR","priority":"PIN","gridSize":4}}', now), {
    type: 'SIDEBAR',
    priority: 'PIN',
    gridSize: 4,
  })
  assert.deepEqual(readLayout('{"layout":{"type":"SPOTLIGHT"}}', now), { ...now, type: 'SPOTLIGHT' })
  // Apps send it as text too.
  assert.deepEqual(readLayout('{"layout":{"gridSize":"9"}}', now), { ...now, gridSize: 9 })
})

test('what is no layout changes nothing', () => {
  for (const text of ['', 'hello', 'null', '[]', '{}', '{"layout":null}', '{"layout":"GRID"}'])
    assert.equal(readLayout(text, now), undefined, text)
  assert.deepEqual(readLayout('{"layout":{"type":"CIRCLE","gridSize":0}}', now), now)
  assert.deepEqual(readLayout('{"layout":{"gridSize":1000}}', now), now)
})
