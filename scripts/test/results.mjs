// The order of test files, and the result of a run. Pure functions.

const SLOWEST = 10

/** A file that took less than this alone needs no place in the order. */
const RECORDED_MS = 3000

/** Files that mostly wait have short peaks, and their tests become slow when many of them meet. */
const LEAST_LOAD = 0.5

/**
 * The share of a core that a run takes, so that those that wait leave room for others. A file that was measured beside
 * others would have taken more of a free core.
 */
export function loadOf(measured, jobs) {
  if (measured === undefined) return LEAST_LOAD
  const [took, used] = measured
  return Math.min(jobs, Math.max(LEAST_LOAD, (1.25 * used) / took))
}

/**
 * Sorts the runs: first those that take more than a core, which would otherwise wait until all others have ended, and
 * then by duration, so that no long one is left at the end. `measured`: seconds and seconds of processor time, by name.
 */
export function inOrder(runs, measured, jobs) {
  const seconds = ({ name }) => measured[name]?.[0] ?? 0
  const isHeavy = ({ name }) => (loadOf(measured[name], jobs) > 1 ? 1 : 0)
  return runs.toSorted(
    (a, b) => isHeavy(b) - isHeavy(a) || seconds(b) - seconds(a) || a.name.localeCompare(b.name),
  )
}

/** What was measured, with the results of this run instead of older ones. */
export function recorded(results, measured) {
  const round = (ms) => Math.round(ms / 100) / 10
  const all = { ...measured }
  for (const { file, failed, tookMs, usedMs } of results) {
    if (failed || usedMs === undefined) continue
    if (tookMs < RECORDED_MS) delete all[file]
    else all[file] = [round(tookMs), round(usedMs)]
  }
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => a.localeCompare(b)))
}

/** The duration and the processor time of each file, and their sums. */
export function table(results) {
  const rows = results.toSorted((a, b) => (b.usedMs ?? 0) - (a.usedMs ?? 0))
  const sum = (of) => results.reduce((total, result) => total + (of(result) ?? 0), 0)
  const row = (used, took, name) =>
    `${(used === undefined ? '?' : seconds(used)).padStart(9)}  ${seconds(took).padStart(9)}  ${name}`
  return [
    '',
    'Processor       Time',
    ...rows.map(({ file, usedMs, tookMs }) => row(usedMs, tookMs, file)),
    row(
      sum(({ usedMs }) => usedMs),
      sum(({ tookMs }) => tookMs),
      `all ${results.length}`,
    ),
  ].join('\n')
}

/** Takes the first run of the queue whose load fits into the free capacity; undefined if none does. */
export function takeFitting(queue, load, free) {
  const at = queue.findIndex((run) => load(run) <= free)
  return at === -1 ? undefined : queue.splice(at, 1)[0]
}

/** The result of one file, from the output of its reporter and the end of its process. */
export function resultOf({ file, lines, output, code, signal, tookMs, usedMs }) {
  const tests = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  const skipped = tests
    .filter(({ skip }) => skip !== undefined)
    .map(({ name, skip }) => ({ file, name, why: skip === true ? '' : skip }))
  const failures = tests.filter(({ passed }) => !passed).map(({ name }) => name)
  // A file that ends early or has no test has failed too.
  const failed = code !== 0 || tests.length === 0
  const passed = tests.length - failures.length - skipped.length
  const counts = [
    `${passed} passed`,
    ...(failures.length > 0 ? [`${failures.length} failed`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
    ...(failed && failures.length === 0 ? [signal ? `ended by ${signal}` : `ended with ${code}`] : []),
  ]
  return {
    file,
    tests: tests.map((test) => ({ ...test, file })),
    failures,
    skipped,
    failed,
    passed,
    output,
    tookMs,
    usedMs,
    line: `${failed ? '✖' : '✔'} ${file}: ${counts.join(', ')}, ${seconds(tookMs)}`,
  }
}

/** The result of a command that is not a test file. */
export function resultOfCommand({ file, output, code, signal, tookMs, usedMs }) {
  const failed = code !== 0
  const ending = !failed ? 'passed' : signal ? `ended by ${signal}` : `ended with ${code}`
  return {
    file,
    tests: [],
    failures: [],
    skipped: [],
    failed,
    passed: 0,
    output,
    tookMs,
    usedMs,
    line: `${failed ? '✖' : '✔'} ${file}: ${ending}, ${seconds(tookMs)}`,
  }
}

/**
 * Returns the text to print at the end, and whether anything failed. `sampled`: files that ran with some versions only.
 */
export function summary(results, { tookMs, evidence, sampled = [] }) {
  const sum = (count) => results.reduce((total, result) => total + count(result), 0)
  const failing = results.filter(({ failed }) => failed)
  const skipped = results.flatMap((result) => result.skipped)
  const unstable = results.filter((result) => result.unstable)
  const ofSome = results.map(({ file }) => file).filter((file) => sampled.includes(file))
  const slowestFiles = results.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, SLOWEST)
  const slowestTests = results
    .flatMap(({ tests }) => tests)
    .filter(({ nesting }) => nesting === 0)
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, SLOWEST)
  const text = [
    '',
    'The slowest ten files',
    ...slowestFiles.map((result) => `  ${seconds(result.tookMs).padStart(6)}  ${result.file}`),
    'The slowest ten tests',
    ...slowestTests.map(({ ms, file, name }) => `  ${seconds(ms).padStart(6)}  ${file}: ${name}`),
    ...(skipped.length > 0
      ? ['Skipped', ...skipped.map(({ file, name, why }) => `  ${file}: ${name}${why && ` (${why})`}`)]
      : []),
    ...(ofSome.length > 0
      ? [
          'With the oldest, one of the middle and the newest version (--every-version runs all)',
          ...ofSome.map((file) => `  ${file}`),
        ]
      : []),
    ...(unstable.length > 0
      ? [
          'Unstable: failed at first, passed when run again alone',
          ...unstable.flatMap((result) => result.unstable.map((name) => `  ${result.file}: ${name}`)),
        ]
      : []),
    ...(failing.length > 0
      ? [
          `Failed (pages, consoles and logs are in ${evidence}/)`,
          ...failing.flatMap(({ file, failures }) =>
            failures.length > 0 ? failures.map((name) => `  ${file}: ${name}`) : [`  ${file}`],
          ),
        ]
      : []),
    '',
    `${results.length} files, ${sum(({ passed }) => passed)} tests passed, ${sum(({ failures }) => failures.length)} failed, ${skipped.length} skipped, in ${seconds(tookMs)}`,
  ].join('\n')
  return { text, failed: failing.length > 0 }
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}
