import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  inOrder,
  loadOf,
  recorded,
  resultOf,
  resultOfCommand,
  summary,
  table,
  takeFitting,
} from './results.mjs'

const line = (name, more = {}) => JSON.stringify({ name, nesting: 0, passed: true, ms: 1, ...more })
const ended = { code: 0, signal: null, output: '', tookMs: 1500 }

test('runs the heaviest files first, then the longest ones, and the others by name', () => {
  const runs = ['b', 'long', 'a', 'longer', 'heavy'].map((name) => ({ name }))
  const measured = { long: [9, 1], longer: [10, 1], heavy: [8, 12], gone: [99, 1] }
  assert.deepEqual(
    inOrder(runs, measured, 2).map(({ name }) => name),
    ['heavy', 'longer', 'long', 'a', 'b'],
  )
})

test('a file takes the share of a core that it was measured to take, and not less than a half', () => {
  assert.equal(loadOf(undefined, 2), 0.5)
  assert.equal(loadOf([100, 60], 2), 0.75)
  assert.equal(loadOf([100, 1], 2), 0.5)
  assert.equal(loadOf([100, 300], 2), 2)
})

test('records what passed and took a while, and prints all of it', () => {
  const results = [
    { file: 'slow', failed: false, tookMs: 10_040, usedMs: 4321 },
    { file: 'fast', failed: false, tookMs: 900, usedMs: 800 },
    { file: 'failed', failed: true, tookMs: 99_000, usedMs: 90_000 },
    { file: 'unknown', failed: false, tookMs: 9000 },
  ]
  assert.deepEqual(recorded(results, { fast: [5, 1], failed: [7, 1], unknown: [8, 1] }), {
    failed: [7, 1],
    slow: [10, 4.3],
    unknown: [8, 1],
  })
  const text = table(results)
  assert.match(text, /\n +4\.3 s +10 s {2}slow\n/)
  assert.match(text, /\n +\? +9\.0 s {2}unknown\n/)
  assert.match(text, /\n +95 s +119 s {2}all 4$/)
})

test('starts the first file for which there is room', () => {
  const queue = ['busy', 'idle', 'other']
  const load = (file) => (file === 'busy' ? 1 : 0.5)
  assert.equal(takeFitting(queue, load, 0.5), 'idle')
  assert.equal(takeFitting(queue, load, 0), undefined)
  assert.equal(takeFitting(queue, load, 2), 'busy')
  assert.deepEqual(queue, ['other'])
  assert.equal(takeFitting([], load, 2), undefined)
})

const files = [
  ['all passed', [line('a'), line('b')], ended, '✔ f: 2 passed, 1.5 s', false],
  [
    'one failed',
    [line('a'), line('b', { passed: false })],
    { ...ended, code: 1 },
    '✖ f: 1 passed, 1 failed, 1.5 s',
    true,
  ],
  [
    'one skipped',
    [line('a'), line('b', { skip: 'no nginx' })],
    ended,
    '✔ f: 1 passed, 1 skipped, 1.5 s',
    false,
  ],
  ['no test at all', [], ended, '✖ f: 0 passed, ended with 0, 1.5 s', true],
  ['the process ended early', [line('a')], { ...ended, code: 7 }, '✖ f: 1 passed, ended with 7, 1.5 s', true],
  [
    'the process was killed',
    [line('a')],
    { ...ended, code: null, signal: 'SIGKILL' },
    '✖ f: 1 passed, ended by SIGKILL, 1.5 s',
    true,
  ],
]
for (const [title, lines, end, said, failed] of files)
  test(`a file: ${title}`, () => {
    const result = resultOf({ file: 'f', lines: lines.join('\n'), ...end })
    assert.equal(result.line, said)
    assert.equal(result.failed, failed)
    assert.equal(summary([result], { tookMs: 1, evidence: 'e' }).failed, failed)
  })

test('judges a command that is not a test file by its exit code', () => {
  for (const [end, said, failed] of [
    [ended, '✔ c: passed, 1.5 s', false],
    [{ ...ended, code: 2 }, '✖ c: ended with 2, 1.5 s', true],
    [{ ...ended, code: null, signal: 'SIGINT' }, '✖ c: ended by SIGINT, 1.5 s', true],
  ]) {
    const result = resultOfCommand({ file: 'c', ...end })
    assert.equal(result.line, said)
    const { text, failed: whole } = summary([result], { tookMs: 1, evidence: 'e' })
    assert.equal(whole, failed)
    assert.equal(/Failed[^\n]*\n {2}c\n/.test(text), failed)
  }
})

test('the summary names failures, skipped tests with their reason, and the ten slowest', () => {
  const slow = Array.from({ length: 12 }, (_, at) => line(`slow ${at}`, { ms: 1000 * at }))
  const { text } = summary(
    [
      resultOf({
        file: 'f',
        lines: [...slow, line('broken', { passed: false })].join('\n'),
        ...ended,
        code: 1,
      }),
      resultOf({ file: 'g', lines: line('proxy', { skip: 'nginx is not installed' }), ...ended }),
    ],
    { tookMs: 61_000, evidence: 'the-folder' },
  )
  assert.match(text, /Failed \(pages, consoles and logs are in the-folder\/\)\n {2}f: broken/)
  assert.match(text, /g: proxy \(nginx is not installed\)/)
  assert.match(text, / 11 s {2}f: slow 11\n/)
  assert.doesNotMatch(text, /slow 1\n/)
  assert.match(text, /2 files, 12 tests passed, 1 failed, 1 skipped, in 61 s$/)
})

test('names tests that passed only on the second run', () => {
  const result = resultOf({ file: 'f', lines: line('a'), ...ended })
  const { text, failed } = summary([{ ...result, unstable: ['a'] }], { tookMs: 1, evidence: 'e' })
  assert.match(text, /Unstable: .*\n {2}f: a/)
  assert.equal(failed, false)
})

test('names files that ran with some versions only, and how to run them with all', () => {
  const results = [resultOf({ file: 'f', lines: line('a'), ...ended })]
  const some = summary(results, { tookMs: 1, evidence: 'e', sampled: ['f', 'not run'] }).text
  assert.match(some, /the newest version \(--every-version runs all\)\n {2}f\n\n1 files/)
  assert.doesNotMatch(summary(results, { tookMs: 1, evidence: 'e' }).text, /version/)
})
