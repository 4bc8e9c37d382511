/**
 * The long run: `npm run attack:fuzz [inputs]`. Sends this many inputs to each interface, and measures the server's
 * memory before and after.
 */
import { printTable } from '../../bench/table.ts'
import {
  fuzzChat,
  Fuzzed,
  fuzzEnvironment,
  fuzzHttp,
  fuzzSocket,
  type FuzzReport,
  type Memory,
} from './fuzz.ts'
import { seedOf } from './random.ts'

const inputs = Number(process.argv[2] ?? 100_000)
const seed = seedOf('fuzz')
/** The number of inputs after which caches are full; growth from then on is a leak. */
const WARM_UP = Math.min(10_000, inputs)
const MAX_GROWTH = 1.5
/** Generous, because server and fuzzer share two cores; other tests measure delays. */
const MAX_GAP_MS = 5000
const SHOWN_ANSWERS = 30

const missed: string[] = []
const goal = (text: string, reached: boolean): void => {
  if (!reached) missed.push(text)
  console.log(`${reached ? 'reached' : 'MISSED '}  ${text}`)
}
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`

const doors: [name: string, run: (fuzzed: Fuzzed, seed: number, inputs: number) => Promise<FuzzReport>][] = [
  ['HTTP', fuzzHttp],
  ['socket', fuzzSocket],
  ['chat', fuzzChat],
]

for (const [name, run] of doors) {
  // Each interface has its own server, so that its cost is measured separately.
  const fuzzed = await Fuzzed.start()
  await fuzzed.talk()
  await run(fuzzed, seed + 1, WARM_UP)
  const before = await fuzzed.memory()
  const from = performance.now()
  const report = await run(fuzzed, seed, inputs)
  const seconds = (performance.now() - from) / 1000
  const { died, said, slowestMs } = fuzzed
  const after: Memory | undefined = died === undefined ? await fuzzed.memory() : undefined
  await fuzzed.stop()
  console.log(`\n${name}: ${report.inputs} inputs in ${seconds.toFixed(0)} s`)
  show(report)
  goal(`${name}: the server lives${died === undefined ? '' : `: ${died}`}`, died === undefined)
  goal(`${name}: ${report.wrong.length} answers that no document has, or silence`, report.wrong.length === 0)
  if (after) {
    goal(
      `${name}: memory returns: heap ${megabytes(before.heapUsed)} before, ${megabytes(after.heapUsed)} after` +
        ` (resident ${megabytes(before.rss)}, ${megabytes(after.rss)})`,
      after.heapUsed <= before.heapUsed * MAX_GROWTH,
    )
  }
  goal(
    `${name}: the meeting beside it went on: ${said} said and heard, the slowest in ${slowestMs.toFixed(0)} ms`,
    said > 0 && slowestMs <= MAX_GAP_MS,
  )
}
const environment = fuzzEnvironment(seed, inputs)
console.log(`\nsettings: ${environment.inputs} inputs`)
show(environment)
goal(
  `settings: ${environment.wrong.length} that were neither read nor refused in a sentence`,
  environment.wrong.length === 0,
)
process.exitCode = missed.length > 0 ? 1 : 0

function show({ answers, wrong }: FuzzReport): void {
  const rows = [...answers].sort(([, one], [, other]) => other - one).slice(0, SHOWN_ANSWERS)
  printTable(
    ['answer', 'times'],
    rows.map(([answer, times]) => [answer, String(times)]),
  )
  for (const one of wrong.slice(0, 10)) console.log(`  wrong: ${one}`)
}
