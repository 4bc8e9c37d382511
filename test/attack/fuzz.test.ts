/**
 * Random inputs on every interface: the server survives, and every answer is documented. The long run: npm run
 * attack:fuzz
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fuzzChat, Fuzzed, fuzzEnvironment, fuzzHttp, fuzzSocket, type FuzzReport } from './fuzz.ts'
import { seedOf } from './random.ts'

const seed = seedOf('fuzz')

let fuzzed: Fuzzed
before(async () => {
  fuzzed = await Fuzzed.start()
  await fuzzed.talk()
})
after(() => fuzzed.stop())

function assertHeld({ inputs, wrong, answers }: FuzzReport, least: number): void {
  assert.deepEqual(wrong.slice(0, 10), [])
  assert.equal(fuzzed.died, undefined)
  assert.ok(inputs >= least, `${inputs} inputs`)
  assert.ok(answers.size > 1)
  // No input was hidden behind a limit.
  const limited = [...answers].filter(([answer]) => answer.includes('RATE_LIMITED'))
  assert.ok(limited.reduce((sum, [, times]) => sum + times, 0) < inputs / 50, String(limited))
}

test('HTTP: random addresses, queries, headers, bodies and files', async () => {
  assertHeld(await fuzzHttp(fuzzed, seed, 4000), 4000)
})

test('sockets: random messages, in the lobby and inside', async () => {
  assertHeld(await fuzzSocket(fuzzed, seed, 4000), 4000)
})

test('chat: random frames and bytes', async () => {
  assertHeld(await fuzzChat(fuzzed, seed, 4000), 4000)
})

test('random settings give a configuration, or one sentence that names the variable and contains no secret', () => {
  assertHeld(fuzzEnvironment(seed, 4000), 4000)
})

test('the meeting beside it continued', () => {
  assert.ok(fuzzed.said > 5, `${fuzzed.said} were heard`)
})
