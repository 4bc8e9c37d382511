// Runs test files side by side, each in a process of its own:
// `node scripts/test/run.mjs [--jobs 2] [--kind unit] [--check] [--no-skips] [--again] [--every-version] [--coverage] [file or glob ...]`.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { glob, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Coverage, UNCOUNTED } from './coverage.mjs'
import { kindOf, kinds } from './kinds.mjs'
import { inOrder, resultOf, resultOfCommand, summary, takeFitting } from './results.mjs'

const CHECK = 'npm run check'
const ALL = ['scripts/**/*.test.mjs', 'src/**/*.test.ts', 'test/**/*.test.ts']
/** Longer means stuck: even a machine that is five times slower needs less for every file. */
const FILE_TIMEOUT_MS = 20 * 60_000
const reporter = pathToFileURL(join(import.meta.dirname, 'reporter.mjs')).href
/** The folder for what pages and servers of a failed test showed. */
const EVIDENCE = 'test-failures'
/** Node's compile cache, shared by all test processes because they load the same sources. */
const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/compiled')

const { values, positionals } = parseArgs({
  options: {
    // Number of processor cores to use.
    jobs: { type: 'string', default: String(availableParallelism()) },
    // Runs only files of these kinds, see kinds.mjs.
    kind: { type: 'string', multiple: true, default: [] },
    // Runs `npm run check` beside the tests.
    check: { type: 'boolean', default: false },
    'no-skips': { type: 'boolean', default: false },
    // Runs failed files once more, alone, and reports those that then pass as unstable.
    again: { type: 'boolean', default: false },
    // Runs every published version of the SDKs instead of the oldest, a middle and the newest one.
    'every-version': { type: 'boolean', default: false },
    // Prints the lines that unit and wire tests ran; fails if a folder is below its minimum in coverage.mjs.
    coverage: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const jobs = Number(values.jobs)
if (!Number.isInteger(jobs) || jobs < 1) throw new Error('--jobs takes a whole number from 1 on')

for (const kind of values.kind) if (!kinds.includes(kind)) throw new Error(`--kind takes ${kinds.join(', ')}`)

const files = new Set()
for (const pattern of positionals.length > 0 ? positionals : ALL)
  for await (const file of glob(pattern))
    if (values.kind.length === 0 || values.kind.includes(kindOf(file))) files.add(file)
if (files.size === 0) throw new Error(`no test file matches ${positionals.join(', ')}`)

const order = JSON.parse(readFileSync(join(import.meta.dirname, 'order.json'), 'utf8'))
if (values.check) files.add(CHECK)
// Shares of a core. Two busy files leave room for one that mostly waits.
const loadOf = (file) => (order.busy.includes(file) ? 0.75 : 0.5)
const waiting = inOrder(
  [...files].filter((file) => !order.pictures.includes(file)),
  order.longestFirst,
)
// These check video sizes, and a browser short of processor time sends no large video, so they run last, without
// others.
const pictures = order.pictures.filter((file) => files.has(file))
const scratch = await mkdtemp(join(tmpdir(), 'anteroom-tests-'))
const children = new Set()
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    waiting.length = pictures.length = 0
    for (const child of children) child.kill(signal)
    process.exitCode = 130
  })

await rm(EVIDENCE, { recursive: true, force: true })
await mkdir(EVIDENCE, { recursive: true })
const coverage = values.coverage ? new Coverage(join(import.meta.dirname, '../..')) : undefined
const startedAt = performance.now()
const results = []
await runAll(waiting, loadOf)
await runAll(pictures, () => 1)
if (values.again) await runFailedAgain()
await rm(scratch, { recursive: true, force: true })

const { text, failed } = summary(results, {
  tookMs: performance.now() - startedAt,
  evidence: EVIDENCE,
  sampled: values['every-version'] ? [] : order.sampled,
})
console.log(text)
const skips = results.flatMap(({ skipped }) => skipped)
if (values['no-skips'] && skips.length > 0)
  console.log('Tests were skipped, which --no-skips does not allow.')
const covered = coverage?.summary()
if (covered) console.log(covered.text)
if (failed || covered?.failed || (values['no-skips'] && skips.length > 0)) process.exitCode ||= 1

/** Runs the queue, with as many files at once as the cores allow. */
async function runAll(queue, load) {
  const running = new Set()
  let taken = 0
  while (queue.length > 0 || running.size > 0) {
    const file = takeFitting(queue, load, jobs - taken)
    if (file === undefined) {
      await Promise.race(running)
      continue
    }
    taken += load(file)
    const done = runOne(file).then(() => {
      taken -= load(file)
      running.delete(done)
    })
    running.add(done)
  }
}

async function runOne(file) {
  const result = await (file === CHECK ? runCheck() : runFile(file))
  results.push(result)
  if (result.failed) process.stdout.write(`\n${result.output}\n`)
  console.log(result.line)
}

async function runFailedAgain() {
  for (const [at, { file, failed, failures }] of results.entries()) {
    if (!failed || file === CHECK || process.exitCode === 130) continue
    const result = await runFile(file)
    if (result.failed) process.stdout.write(`\n${result.output}\n`)
    else result.unstable = failures
    console.log(`again: ${result.line}`)
    results[at] = result
  }
}

async function runFile(file) {
  const events = join(scratch, file.replaceAll('/', '+'))
  const isCounted = ['unit', 'wire'].includes(kindOf(file)) && !UNCOUNTED.includes(file)
  const counted = coverage && isCounted ? `${events}.coverage` : undefined
  const ended = await run(
    process.execPath,
    [
      '--test-force-exit',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${reporter}`,
      `--test-reporter-destination=${events}`,
      file,
    ],
    {
      // V8 counts no function exactly if its code comes from the compile cache.
      ...(counted
        ? { NODE_V8_COVERAGE: counted, NODE_DISABLE_COMPILE_CACHE: '1' }
        : { NODE_COMPILE_CACHE: COMPILED }),
      TEST_EVIDENCE: join(EVIDENCE, file),
      ...(values['every-version'] && { TEST_EVERY_VERSION: 'true' }),
    },
  )
  if (counted) {
    await coverage.add(counted)
    await rm(counted, { recursive: true, force: true })
  }
  const lines = await readFile(events, 'utf8').catch(() => '')
  return resultOf({ file, lines, ...ended })
}

async function runCheck() {
  return resultOfCommand({ file: CHECK, ...(await run('npm', ['run', '--silent', 'check'])) })
}

async function run(command, parameters, env = {}) {
  const began = performance.now()
  const child = spawn(command, parameters, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const timer = setTimeout(() => child.kill('SIGKILL'), FILE_TIMEOUT_MS)
  const [code, signal] = await new Promise((resolve) =>
    child.on('close', (...ended) => {
      resolve(ended)
    }),
  )
  clearTimeout(timer)
  children.delete(child)
  return { output, code, signal, tookMs: performance.now() - began }
}
