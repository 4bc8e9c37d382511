import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCutOffFrom } from './cut-off.ts'
import { lessBusy, smoothed, type Candidate } from './placement.ts'

const node = (nodeId: string, processorPercent: number, others: Partial<Candidate> = {}): Candidate => ({
  nodeId,
  state: 'serving',
  isLive: true,
  processorPercent,
  ...others,
})
const first = (): number => 0

test('a node takes what reaches it until it is busy, and then the less busy of two others does', () => {
  const rows: [what: string, here: number, others: Candidate[], chosen: string | undefined][] = [
    ['not busy', 59, [node('b', 1)], undefined],
    ['alone', 90, [], undefined],
    ['busy', 60, [node('b', 59)], 'b'],
    ['all as busy', 90, [node('b', 90)], undefined],
    ['two are drawn, not the third', 90, [node('b', 50), node('c', 40), node('d', 1)], 'c'],
    ['the other drains', 90, [node('b', 1, { state: 'draining' })], undefined],
    ['the other is away', 90, [node('b', 1, { isLive: false })], undefined],
  ]
  for (const [what, here, others, chosen] of rows)
    assert.equal(lessBusy(here, others, first)?.nodeId, chosen, what)
})

test('one is busy after several busy seconds', () => {
  let percent = 0
  for (let second = 0; second < 5; second++) percent = smoothed(percent, 100)
  assert.equal(lessBusy(percent, [node('b', 0)], first), undefined)
  for (let second = 0; second < 10; second++) percent = smoothed(percent, 100)
  assert.equal(lessBusy(percent, [node('b', 0)], first)?.nodeId, 'b')
})

test('many busy nodes spread their meetings', () => {
  const others = Array.from({ length: 20 }, (_, at) => node(`n${at}`, at))
  let seed = 0
  const chosen = new Set<string>()
  for (let times = 0; times < 200; times++)
    chosen.add(lessBusy(95, others, () => (seed = (seed * 7 + 0.137) % 1))!.nodeId)
  assert.ok(chosen.size > 5, [...chosen].join())
})

test('a node knows by what others say whether it is cut off', () => {
  const rows: [answers: unknown[], suspend: boolean, stay: boolean][] = [
    [[true, undefined], true, true],
    [[false, undefined], false, false],
    [[undefined, undefined], true, false],
  ]
  for (const [answers, suspend, stay] of rows) {
    assert.equal(isCutOffFrom(answers, 'suspend'), suspend)
    assert.equal(isCutOffFrom(answers, 'stay'), stay)
  }
})
