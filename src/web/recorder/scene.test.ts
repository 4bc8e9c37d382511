import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Layout } from '../../protocol/outputs.ts'
import { placesOf, sceneOf, type Present } from './scene.ts'

const one = (id: string, extra: Partial<Present> = {}): Present => ({
  id,
  isViewer: false,
  isSharing: false,
  isPinned: false,
  ...extra,
})
const [ann, bob, cem] = [one('ann'), one('bob'), one('cem')]
const layout = (type: Layout['type'], priority: Layout['priority'] = 'SPEAKER', gridSize = 25): Layout => ({
  type,
  priority,
  gridSize,
})

/** `main|side`, each id with `*` for a screen. */
function shown(people: Present[], speaker: string | null, how: Layout): string {
  const { main, side } = sceneOf(people, speaker, how)
  const text = (items: typeof main): string =>
    items.map(({ id, kind }) => (kind === 'share' ? `${id}*` : id)).join(' ')
  return `${text(main)}|${text(side)}`
}

const pinned = { isPinned: true }
const sharing = { isSharing: true }
const rows: [what: string, people: Present[], speaker: string | null, how: Layout, scene: string][] = [
  [
    'a grid shows everybody in the order in which they came',
    [ann, bob, cem],
    'cem',
    layout('GRID'),
    'ann bob cem|',
  ],
  ['in a grid the pinned come first', [ann, bob, one('cem', pinned)], null, layout('GRID'), 'cem ann bob|'],
  ['who only watches is never shown', [ann, one('eve', { isViewer: true })], 'eve', layout('GRID'), 'ann|'],
  [
    'who only watches is not shown when pinned',
    [ann, one('eve', { isViewer: true, ...pinned })],
    null,
    layout('SPOTLIGHT', 'PIN'),
    '|',
  ],
  [
    'a grid has as many tiles as were asked for, one for who speaks',
    [ann, bob, cem],
    'cem',
    layout('GRID', 'SPEAKER', 2),
    'ann cem|',
  ],
  [
    'in a grid a shared screen has the main place, people are beside it',
    [ann, one('bob', sharing)],
    null,
    layout('GRID'),
    'bob*|ann bob',
  ],
  ['beside the others who speaks is large', [ann, bob, cem], 'bob', layout('SIDEBAR'), 'bob|ann cem'],
  ['beside the others somebody is large while nobody speaks', [ann, bob], null, layout('SIDEBAR'), 'ann|bob'],
  [
    'only the pinned are beside each other',
    [ann, one('bob', pinned), one('cem', pinned)],
    'ann',
    layout('SIDEBAR', 'PIN'),
    'bob|cem',
  ],
  [
    'the screen of a pinned one is large',
    [one('ann', sharing), one('bob', { ...pinned, ...sharing })],
    null,
    layout('SIDEBAR', 'PIN'),
    'bob*|bob',
  ],
  ['the spotlight is on who speaks', [ann, bob], 'bob', layout('SPOTLIGHT'), 'bob|'],
  [
    'the spotlight is on a screen that is shared',
    [ann, one('bob', sharing)],
    'ann',
    layout('SPOTLIGHT'),
    'bob*|',
  ],
  [
    'several pinned ones share the spotlight',
    [one('ann', pinned), bob, one('cem', pinned)],
    'bob',
    layout('SPOTLIGHT', 'PIN'),
    'ann cem|',
  ],
  [
    'the screen of one who is not pinned is not shown',
    [one('ann', pinned), one('bob', sharing)],
    null,
    layout('SPOTLIGHT', 'PIN'),
    'ann|',
  ],
  ['nobody is there', [], null, layout('SIDEBAR'), '|'],
]

for (const [what, people, speaker, how, scene] of rows)
  test(what, () => assert.equal(shown(people, speaker, how), scene))

test('every tile is inside the picture, and none lies on another', () => {
  const items = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: String(i), kind: 'camera' as const }))
  for (const [width, height] of [
    [1280, 720],
    [480, 854],
  ] as const) {
    for (let main = 0; main <= 25; main++) {
      for (const side of [0, 1, 5]) {
        const places = placesOf({ main: items(main), side: items(side) }, width, height)
        assert.equal(places.length, main + side)
        places.forEach((a, i) => {
          assert.ok(
            a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height,
            `${main}+${side}`,
          )
          assert.ok(a.width > 20 && a.height > 10)
          for (const b of places.slice(i + 1)) {
            const apart =
              a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
            assert.ok(apart, `${main}+${side} in ${width}×${height}`)
          }
        })
      }
    }
  }
})
