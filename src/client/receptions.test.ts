import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Receptions } from './receptions.ts'

/** Each row: events of a consumer, and the effects. `v1` is Ann's first video consumer, `b1` is Bob's. */
const cases: Record<string, [event: string, effects: string][]> = {
  'opened, and closed': [
    ['offered v1', ''],
    ['opened v1', 'show v1'],
    ['closed v1', 'hide v1, close v1'],
    ['closed v1', ''],
  ],
  'closed while it is being opened: it never comes to be seen': [
    ['offered v1', ''],
    ['closed v1', ''],
    ['opened v1', 'close v1'],
  ],
  'closed and offered anew while it is being opened: only the new one stays': [
    ['offered v1', ''],
    ['closed v1', ''],
    ['offered v2', ''],
    ['opened v1', 'close v1'],
    ['opened v2', 'show v2'],
  ],
  'paused while it is being opened': [
    ['offered v1', ''],
    ['paused v1', ''],
    ['opened v1', 'pause v1, show v1'],
    ['resumed v1', 'resume v1 (shown)'],
  ],
  'paused and resumed while it is being opened': [
    ['offered v1', ''],
    ['paused v1', ''],
    ['resumed v1', ''],
    ['opened v1', 'show v1'],
    ['resumed v1', ''],
  ],
  'it cannot be opened': [
    ['offered v1', ''],
    ['failed v1', ''],
    ['offered v2', ''],
    ['opened v2', 'show v2'],
  ],
  'two of one kind: the newer is the one, whichever was opened first': [
    ['offered v1', ''],
    ['offered v2', ''],
    ['opened v2', 'show v2'],
    ['opened v1', ''],
    ['closed v1', 'close v1'],
  ],
  'two of one kind: the older is the one again when it outlives the newer': [
    ['offered v1', ''],
    ['opened v1', 'show v1'],
    ['offered v2', ''],
    ['opened v2', 'hide v1, show v2'],
    ['paused v1', 'pause v1'],
    ['closed v2', 'hide v2, show v1, close v2'],
    ['closed v1', 'hide v1, close v1'],
  ],
  'two participants do not touch each other': [
    ['offered v1', ''],
    ['offered b1', ''],
    ['opened v1', 'show v1'],
    ['opened b1', 'show b1'],
    ['forgotten ann', 'hide v1, close v1'],
    ['closed b1', 'hide b1, close b1'],
  ],
  'its participant leaves while it is being opened': [
    ['offered v1', ''],
    ['forgotten ann', ''],
    ['opened v1', 'close v1'],
  ],
  'all of it ends': [
    ['offered v1', ''],
    ['offered v2', ''],
    ['offered b1', ''],
    ['opened v1', 'show v1'],
    ['opened b1', 'show b1'],
    ['ended all', 'hide v1, close v1, hide b1, close b1'],
    ['opened v2', 'close v2'],
  ],
}

for (const [name, steps] of Object.entries(cases)) {
  test(`a stream: ${name}`, () => {
    const receptions = new Receptions<string>()
    const act = (verb: string, id: string) => {
      switch (verb) {
        case 'offered':
          return receptions.offered({
            id,
            participantId: id.startsWith('b') ? 'bob' : 'ann',
            kind: 'video',
            paused: false,
          })
        case 'opened':
          return receptions.opened(id, id)
        case 'failed':
          return receptions.failed(id)
        case 'closed':
          return receptions.closed(id)
        case 'paused':
        case 'resumed':
          return receptions.paused(id, verb === 'paused')
        case 'forgotten':
          return receptions.forgotten(id)
        default:
          return receptions.ended()
      }
    }
    for (const [event, expected] of steps) {
      const [verb, id] = event.split(' ') as [string, string]
      const effects = act(verb, id).map(
        (effect) => `${effect.do} ${effect.stream}${'shown' in effect && effect.shown ? ' (shown)' : ''}`,
      )
      assert.equal(effects.join(', '), expected, event)
    }
  })
}
