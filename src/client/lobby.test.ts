/** The lobby as seen by a participant who may admit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lobby } from './lobby.ts'

for (const decide of ['allow', 'deny'] as const)
  test(`${decide}: the app is told once that a request is settled, whichever message comes first`, async () => {
    for (const wordToAllFirst of [false, true]) {
      const settled: string[] = []
      const lobby: Lobby = new Lobby(
        () => {
          if (wordToAllFirst) lobby.settle('guest')
          return Promise.resolve()
        },
        (id) => settled.push(id),
      )
      lobby.requests.set('guest', { id: 'guest', name: 'Guest' })
      await lobby[decide]('guest')
      if (!wordToAllFirst) lobby.settle('guest')
      assert.deepEqual(settled, ['guest'])
      assert.equal(lobby.requests.size, 0)
    }
  })
