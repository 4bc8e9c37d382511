// Runs test files side by side, each in a process of its own:
// `node scripts/test/run.mjs [--jobs 2] [--kind unit] [--check] [--also postgres] [--no-skips] [--again] [--every-version] [--coverage] [--times] [--record] [file, glob or variant ...]`.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { glob, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Coverage, isCounted } from './coverage.mjs'
import { kindOf, kinds, loadedBy } from './kinds.mjs'
import { ProcessorTime } from './processor-time.mjs'
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
import { variants } from './variants.mjs'

const CHECK = 'npm run check'
const ALL = ['scripts/**/*.test.mjs', 'src/**/*.test.ts', 'test/**/*.test.ts']
const ORDER = join(import.meta.dirname, 'order.json')
const POSTGRES = 'test/support/postgres.ts'
/** Seconds, and seconds of processor time, of a file that was not measured. */
const UNKNOWN = [60, 30]
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
    // Runs the files of a variant as well, see variants.mjs.
    also: { type: 'string', multiple: true, default: [] },
    'no-skips': { type: 'boolean', default: false },
    // Runs failed files once more, alone, and reports those that then pass as unstable.
    again: { type: 'boolean', default: false },
    // Runs every published version of the SDKs instead of the oldest, a middle and the newest one.
    'every-version': { type: 'boolean', default: false },
    // Prints the lines that tests ran (coverage.mjs); fails if a folder is below its minimum in coverage.mjs.
    coverage: { type: 'boolean', default: false },
    // Prints the duration and the processor time of each file.
    times: { type: 'boolean', default: false },
    // Writes them into order.json, by which later runs are scheduled.
    record: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const jobs = Number(values.jobs)
if (!Number.isInteger(jobs) || jobs < 1) throw new Error('--jobs takes a whole number from 1 on')

for (const kind of values.kind) if (!kinds.includes(kind)) throw new Error(`--kind takes ${kinds.join(', ')}`)

for (const name of values.also)
  if (!(name in variants)) throw new Error(`--also takes ${Object.keys(variants).join(', ')}`)

/** What runs, by name: a file, or `npm run check`. */
const runs = new Map()
const add = (file, variant) => {
  const name = variant ? `${variant}: ${file}` : file
  runs.set(name, { name, file, env: variant ? variants[variant].env : {} })
}
const given = positionals.filter((one) => !(one in variants))
for (const pattern of positionals.length > 0 ? given : ALL)
  for await (const file of glob(pattern))
    if (values.kind.length === 0 || values.kind.includes(kindOf(file))) add(file)
for (const variant of Object.keys(variants))
  if (values.also.includes(variant) || positionals.includes(variant))
    for (const file of variants[variant].files) add(file, variant)
if (runs.size === 0) throw new Error(`no test file matches ${positionals.join(', ')}`)
if (values.check) add(CHECK)

const order = JSON.parse(readFileSync(ORDER, 'utf8'))
// A new file may be a long one, so it does not start last.
for (const { name, file } of runs.values())
  if (file !== CHECK && kindOf(file) !== 'unit') order.measured[name] ??= UNKNOWN
const load = ({ name }) => loadOf(order.measured[name], jobs)
const isPicture = ({ file }) => order.pictures.includes(file)
const waiting = inOrder(
  [...runs.values()].filter((run) => !isPicture(run)),
  order.measured,
  jobs,
)
// These check what became of video and sound, and a program short of processor time sends less of them, so they run
// last, without others.
const pictures = [...runs.values()].filter(isPicture)
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
const processorTime = new ProcessorTime()
const postgres = await startPostgres()
await runAll(waiting, load)
await runAll(pictures, () => 1)
if (values.again) await runFailedAgain()
await postgres?.stop()
processorTime.close()
await rm(scratch, { recursive: true, force: true })

const { text, failed } = summary(results, {
  tookMs: performance.now() - startedAt,
  evidence: EVIDENCE,
  sampled: values['every-version'] ? [] : order.sampled,
})
if (values.times) console.log(table(results))
if (values.record) {
  const { measured: before } = JSON.parse(readFileSync(ORDER, 'utf8'))
  const measured = recorded(results, before)
  writeFileSync(ORDER, `${JSON.stringify({ ...order, measured }, null, 2)}\n`)
}
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
    const run = takeFitting(queue, load, jobs - taken)
    if (run === undefined) {
      await Promise.race(running)
      continue
    }
    taken += load(run)
    const done = runOne(run).then(() => {
      taken -= load(run)
      running.delete(done)
    })
    running.add(done)
  }
}

/** Starts one database server for all files that need one, unless there is one already. */
async function startPostgres() {
  const needsOne = ({ file, env }) => env.TEST_STORE === 'postgres' || loadedBy(file).has(POSTGRES)
  if (process.env.TEST_POSTGRES !== undefined || ![...runs.values()].some(needsOne)) return undefined
  const { OwnPostgres, withoutPostgres } = await import('../../test/support/postgres.ts')
  if (withoutPostgres !== false) {
    const skip = JSON.stringify({ name: 'all tests', nesting: 0, passed: true, skip: withoutPostgres, ms: 0 })
    for (const run of waiting.splice(0))
      if (run.env.TEST_STORE !== 'postgres') waiting.push(run)
      else results.push(resultOf({ file: run.name, lines: skip, output: '', code: 0, tookMs: 0 }))
    return undefined
  }
  const server = await OwnPostgres.start(['max_connections=1000'])
  process.env.TEST_POSTGRES = server.admin
  return server
}

async function runOne(one) {
  const result = await (one.file === CHECK ? runCheck() : runFile(one))
  results.push(result)
  if (result.failed) process.stdout.write(`\n${result.output}\n`)
  console.log(result.line)
}

async function runFailedAgain() {
  for (const [at, { file: name, failed, failures }] of results.entries()) {
    if (!failed || name === CHECK || process.exitCode === 130) continue
    const result = await runFile(runs.get(name))
    if (result.failed) process.stdout.write(`\n${result.output}\n`)
    else result.unstable = failures
    console.log(`again: ${result.line}`)
    results[at] = result
  }
}

async function runFile({ name, file, env }) {
  const events = join(scratch, name.replaceAll('/', '+'))
  const counted = coverage && name === file && isCounted(file) ? `${events}.coverage` : undefined
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
      TEST_EVIDENCE: join(EVIDENCE, name.replace(': ', '/')),
      ...env,
      ...(values['every-version'] && { TEST_EVERY_VERSION: 'true' }),
    },
  )
  if (counted) {
    await coverage.add(counted)
    await rm(counted, { recursive: true, force: true })
  }
  const lines = await readFile(events, 'utf8').catch(() => '')
  return resultOf({ file: name, lines, ...ended })
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
  const usedMs = processorTime.follow(child.pid)
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
  return { output, code, signal, tookMs: performance.now() - began, usedMs: usedMs() }
}
