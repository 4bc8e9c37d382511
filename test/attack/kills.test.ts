/** A few of the kills of `npm run attack:kills`, without a browser. */
import { test } from 'node:test'
import { attackByKills } from './kills.ts'

test('a server killed under load loses nothing that it acknowledged, and sessions end correctly', (t) =>
  attackByKills({ kills: 3, graceSeconds: 15, say: (line) => t.diagnostic(line) }))
