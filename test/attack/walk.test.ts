/** Some steps of `npm run attack:walk`. */
import { test } from 'node:test'
import { Random, seedOf } from './random.ts'
import { walk } from './walk.ts'

/** Only Linux gives a machine all addresses of 127.0.0.0/8. */
const skip = process.platform !== 'linux'

test(
  'a random walk of three people: what each button shows is what the others receive',
  { skip },
  async (t) => {
    const random = new Random(seedOf('walk'))
    await walk({ actions: 30, stretch: 15, random, say: (line) => t.diagnostic(line) })
  },
)
