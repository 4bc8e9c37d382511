/** `npm run attack:walk`: a thousand actions; `npm run attack:walk -- 200` fewer. */
import { Random, seedOf } from './random.ts'
import { walk } from './walk.ts'

if (process.platform !== 'linux') {
  console.log('Skipped: only Linux gives a machine all addresses of 127.0.0.0/8.')
  process.exit()
}

const actions = Number(process.argv[2] ?? 1000)
await walk({ actions, stretch: 20, random: new Random(seedOf('walk')), say: console.log })
