/**
 * The long run: `npm run attack:tokens [cases]`. First checks the decisions, then their time: a refusal may cost the
 * server at most five times as much as accepting an ordinary token, and the time must not reveal whether a key exists.
 */
import { Refusal } from '../../src/protocol/errors.ts'
import { printTable } from '../../bench/table.ts'
import { attackTokens, verifierOf } from './token-attack.ts'
import { keys, NOW_MS, tokenCases, type TokenCase } from './token-corpus.ts'
import { mintToken, type Verifier } from '../../src/token/token.ts'
import { Random, seedOf } from './random.ts'
import { OTHER, twoProjects } from './two-projects.ts'

const count = Number(process.argv[2] ?? 120_000)
/** Per family, and per outcome in it. */
const TIMED_PER_GROUP = 24
const TIMED_CASES = 60_000
const BATCHES = 7
const BATCH_MS = 0.4
const LIMIT = 5
const SAME_SAMPLES = 40_000
const SAME_REQUESTS = 6000

const seed = seedOf('tokens')
const missed: string[] = []
const goal = (text: string, reached: boolean): void => {
  if (!reached) missed.push(text)
  console.log(`${reached ? 'reached' : 'MISSED '}  ${text}`)
}

const startedAt = performance.now()
const report = await attackTokens(seed, count)
const { cases, accepted, refused, wrongAccepts, wrongRefusals, differences, crashes, families } = report
console.log(
  `${cases} cases in ${families.size} families, ${Math.round((performance.now() - startedAt) / 1000)} s: ` +
    `${accepted} to be accepted, ${refused} to be refused`,
)
for (const [what, found] of Object.entries({ wrongAccepts, wrongRefusals, differences, crashes })) {
  for (const one of found.slice(0, 10)) console.log(`  ${what}: ${one}`)
  goal(`${what}: ${found.length}`, found.length === 0)
}

console.log()
const groups = new Map<string, TokenCase[]>()
for (const one of tokenCases(seed, TIMED_CASES)) {
  const group = `${one.family}: ${outcome(verifierOf(one.setting), one.token)}`
  const all = groups.get(group) ?? []
  if (all.length < TIMED_PER_GROUP) groups.set(group, [...all, one])
}
// A refusal is compared with accepting a token of the same length; the ordinary token is shown as well.
const good = (bytes: number): string => {
  const bare = mintToken({ ...keys[0]!, now: NOW_MS })
  const pad = Math.max(0, Math.floor(((bytes - bare.length) * 3) / 4) - 12)
  return pad === 0 ? bare : mintToken({ ...keys[0]!, now: NOW_MS, roomId: 'r'.repeat(pad) })
}
const accepts = new Map<number, number>()
const acceptOf = (bytes: number): number => {
  const step = Math.min(8, Math.ceil(bytes / 1024))
  if (!accepts.has(step)) accepts.set(step, microseconds(verifierOf(0), good(step === 1 ? 0 : step * 1000)))
  return accepts.get(step)!
}
const ordinary = acceptOf(0)
const timed = [...groups].map(([group, all]) => {
  const each = all.map(({ token, setting }) => {
    const us = microseconds(verifierOf(setting), token)
    const bytes = typeof token === 'string' ? Buffer.byteLength(token) : 0
    return { us, bytes, times: us / acceptOf(bytes) }
  })
  each.sort((one, other) => other.times - one.times)
  return { group, slowest: each[0]! }
})
timed.sort((one, other) => other.slowest.times - one.slowest.times)
const refusals = timed.filter(({ group }) => !group.endsWith('accepted'))
const largest = acceptOf(8192)
console.log(
  `with nothing remembered, an ordinary token is let in within ${ordinary.toFixed(2)} µs, one of 8 KiB within ${largest.toFixed(2)} µs`,
)
printTable(
  ['slowest refusals', 'bytes', 'µs', '× accept of this length', '× ordinary accept'],
  refusals
    .slice(0, 12)
    .map(({ group, slowest: { us, bytes, times } }) => [
      group,
      String(bytes),
      us.toFixed(2),
      times.toFixed(2),
      (us / ordinary).toFixed(2),
    ]),
)
const worst = refusals[0]!.slowest.times
goal(`the slowest refusal at ${LIMIT} × an accept or less: ${worst.toFixed(2)} ×`, worst <= LIMIT)

console.log()
await sameKeys()
await sameMeetings()
process.exitCode = missed.length > 0 ? 1 : 0

function outcome(verifier: Verifier, token: unknown): string {
  try {
    verifier.verify(token)
    return 'accepted'
  } catch (thrown) {
    return thrown instanceof Refusal ? (thrown.reason ?? thrown.code) : 'crash'
  }
}

/** The best of several batches, because other load on the machine can only add time. */
function microseconds(verifier: Verifier, token: unknown): number {
  const run = (times: number): number => {
    const from = performance.now()
    for (let time = 0; time < times; time++) outcome(verifier, token)
    return performance.now() - from
  }
  run(30)
  const times = Math.max(5, Math.ceil((BATCH_MS * 20) / Math.max(run(20), 0.001)))
  let best = Infinity
  for (let batch = 0; batch < BATCHES; batch++) best = Math.min(best, run(times))
  return (best * 1000) / times
}

/** An unknown key and a wrong signature, in random order; the difference must be smaller than their spread. */
async function sameKeys(): Promise<void> {
  const verifier = verifierOf(0)
  const { secret } = keys[1]!
  const unknown = mintToken({ apiKey: 'key-9', secret, now: NOW_MS })
  const wrong = mintToken({ apiKey: 'key-1', secret, now: NOW_MS })
  const repeated = (token: string) => (): void => {
    for (let time = 0; time < 8; time++) outcome(verifier, token)
  }
  await assertSame('unknown key', repeated(unknown), 'wrong signature', repeated(wrong), SAME_SAMPLES)
}

/** Requests a meeting that does not exist, and one of another project, over HTTP. */
async function sameMeetings(): Promise<void> {
  const server = await twoProjects()
  try {
    const theirs = await server.createMeeting()
    const token = server.token(['allow_join'], OTHER)
    const ask = (id: string) => async (): Promise<void> => {
      await server.rest('GET', `/v2/rooms/${id}`, undefined, token)
    }
    const nowhere = theirs.replaceAll(/[a-z]/g, 'z')
    await assertSame('unknown meeting', ask(nowhere), "another project's", ask(theirs), SAME_REQUESTS)
  } finally {
    await server.stop()
  }
}

async function assertSame(
  one: string,
  workOne: () => unknown,
  other: string,
  workOther: () => unknown,
  samples: number,
): Promise<void> {
  const random = new Random(seed)
  const kinds = [
    { name: one, work: workOne, times: [] as number[] },
    { name: other, work: workOther, times: [] as number[] },
  ]
  for (let sample = 0; sample < samples; sample++) {
    const kind = random.pick(kinds)
    const from = performance.now()
    await kind.work()
    kind.times.push((performance.now() - from) * 1000)
  }
  const rows = kinds.map(({ name, times }) => {
    times.sort((a, b) => a - b)
    const at = (share: number): number => times[Math.floor(times.length * share)]!
    return { name, p10: at(0.1), p50: at(0.5), p90: at(0.9) }
  })
  printTable(
    ['refused for', 'p10 µs', 'p50 µs', 'p90 µs'],
    rows.map(({ name, p10, p50, p90 }) => [name, p10.toFixed(2), p50.toFixed(2), p90.toFixed(2)]),
  )
  const [a, b] = [rows[0]!.p50, rows[1]!.p50]
  const apart = Math.abs(a - b) / Math.max(a, b)
  goal(`${one} and ${other} within 10 % of each other: ${(apart * 100).toFixed(1)} %`, apart <= 0.1)
}
