/** The program ends on the first signal, at any time, and leaves no process behind. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './support/ports.ts'

const root = join(import.meta.dirname, '..')
const cli = join(root, 'src/cli.ts')
/** For a busy machine; an idle one takes some milliseconds. */
const BOUND_MS = 90_000
const WORKERS = 2
let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anteroom-stopping-'))
})
after(() => rm(folder, { recursive: true, force: true }))

type Signal = 'SIGINT' | 'SIGTERM'

/** The program in its own process group, as a shell starts it. */
class Program {
  readonly child: ChildProcess
  output = ''
  readonly closed: Promise<[code: number | null, signal: NodeJS.Signals | null]>

  constructor(args: string[], env: NodeJS.ProcessEnv, throughNpm = false) {
    const [file, before] = throughNpm ? ['npm', []] : [process.execPath, [cli]]
    this.child = spawn(file, [...before, ...args], {
      cwd: throughNpm ? root : folder,
      env: { ...process.env, LOG_LEVEL: 'error', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (chunk) => (this.output += String(chunk)))
    this.closed = once(this.child, 'close') as Program['closed']
  }

  /** `npm`: the arguments for npm, if the program is started through it. */
  static async serve(env: NodeJS.ProcessEnv = {}, npm?: string[]): Promise<Program> {
    const port = await freePorts(2 + WORKERS)
    const settings = {
      DATA_DIR: await mkdtemp(join(folder, 'data-')),
      PORT: String(port),
      HTTPS_PORT: String(port + 1),
      MEDIA_PORT: String(port + 2),
      MEDIA_WORKERS: String(WORKERS),
      ...env,
    }
    return new Program(npm ?? ['serve'], settings, npm !== undefined)
  }

  get isReady(): boolean {
    return this.output.includes('"msg":"ready"')
  }

  get children(): number[] {
    return childrenOf(this.child.pid!)
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    const giveUpAt = Date.now() + BOUND_MS
    while (!holds()) {
      assert.ok(Date.now() < giveUpAt, `not ${what}: ${this.output}`)
      assert.equal(this.child.exitCode, null, `it ended before it was ${what}: ${this.output}`)
      await delay(2)
    }
  }

  /** Sends the signal and waits until the program has ended because of it, with all its child processes. */
  async endsOn(signal: Signal, toGroup: boolean, moment: string): Promise<void> {
    const before = this.children
    process.kill(toGroup ? -this.child.pid! : this.child.pid!, signal)
    const late = new AbortController()
    const ended = await Promise.race([
      this.closed,
      delay(BOUND_MS, undefined, { signal: late.signal }).then(() => undefined),
    ])
    late.abort()
    if (!ended) process.kill(-this.child.pid!, 'SIGKILL')
    assert.ok(ended, `${signal} ${moment}: it did not end: ${this.output}`)
    const [code, by] = ended
    // Stopped in order; or by the system, in the moment before the program itself runs.
    const isRight =
      code === 0
        ? this.output.endsWith('"msg":"stopped"}\n')
        : by === signal || code === 128 + (signal === 'SIGINT' ? 2 : 15)
    assert.ok(isRight, `${signal} ${moment}: code ${code}, signal ${by}: ${this.output}`)
    assert.doesNotMatch(this.output, /"level":50|Error/, `${signal} ${moment}`)
    for (const pid of before) await gone(pid, `${signal} ${moment}`)
  }
}

/** Including children of children. */
function childrenOf(parent: number): number[] {
  const children = pidsOfChildren(parent).trim().split(/\s+/).filter(Boolean).map(Number)
  return [...children, ...children.flatMap(childrenOf)]
}

function pidsOfChildren(parent: number): string {
  try {
    // Read directly because it is called all the time; pgrep would use as much processor time as the program.
    return readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
  } catch {
    // Not Linux, or the process has ended.
  }
  try {
    return execFileSync('pgrep', ['-P', String(parent)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** Waits until a process has disappeared; after its end it may be visible for a moment. */
async function gone(pid: number, moment: string): Promise<void> {
  const giveUpAt = Date.now() + BOUND_MS
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    assert.ok(Date.now() < giveUpAt, `${moment}: process ${pid} is left`)
    await delay(10)
  }
}

const signals: readonly Signal[] = ['SIGTERM', 'SIGINT']

test('serve ends on the first signal at any moment of its start, and no media worker is left', async (t) => {
  const first = await Program.serve()
  const startedAt = Date.now()
  await first.until('ready', () => first.isReady)
  const startMs = Date.now() - startedAt
  await first.endsOn('SIGTERM', false, 'when it is ready')
  assert.equal(await first.closed.then(([code]) => code), 0)

  // Some after the whole start, because its duration varies.
  const moments = Array.from({ length: 20 }, (_, at) => Math.round((startMs * 1.2 * at) / 20))
  t.diagnostic(`a start takes ${startMs} ms; told to stop after ${moments.join(', ')} ms`)
  const next = moments.entries()
  const tryMoments = async (): Promise<void> => {
    for (const [at, ms] of next) {
      const program = await Program.serve()
      await delay(ms)
      // Every other time to the group, as a terminal does.
      await program.endsOn(signals[at % 2]!, at % 4 >= 2, `after ${ms} of ${startMs} ms`)
    }
  }
  await Promise.all([tryMoments(), tryMoments()])
})

test('serve ends on a signal at any moment from the start of a media worker until it is ready', async () => {
  for (const [at, ms] of [0, 15, 40, 80].entries()) {
    const program = await Program.serve()
    await program.until('starting a worker', () => program.children.length > 0)
    await delay(ms)
    await program.endsOn(signals[at % 2]!, at >= 2, `${ms} ms after a worker was started`)
  }
})

test('serve ends on a signal while it waits for a silent media worker, and ends the worker too', async () => {
  const mute = join(folder, 'mute')
  await writeFile(mute, '#!/bin/sh\ntrap "" INT TERM\nexec sleep 600\n')
  await chmod(mute, 0o755)
  for (const signal of signals) {
    const program = await Program.serve({ MEDIASOUP_WORKER_BIN: mute })
    await program.until('starting a worker', () => program.children.length === WORKERS)
    await program.endsOn(signal, signal === 'SIGINT', 'while a worker says nothing')
  }
})

test('a server that npm started ends on a signal that only npm receives', async () => {
  const starts = [
    // Without building the page first.
    ['start', '--silent', '--ignore-scripts'],
    ['run', '--silent', 'anteroom', '--', 'serve'],
  ]
  for (const npm of starts) {
    for (const signal of signals) {
      const program = await Program.serve({}, npm)
      await program.until('ready', () => program.isReady)
      await program.endsOn(signal, false, `to npm ${npm[0]}`)
    }
  }
})

test('a second signal ends an orderly stop immediately; the copy that npm sends does not', async () => {
  const program = await Program.serve()
  await program.until('ready', () => program.isReady)
  process.kill(-program.child.pid!, 'SIGINT')
  await program.endsOn('SIGINT', false, 'twice')
})

test('a command that is not a server ends on the first signal, with the code of the signal', async () => {
  const mute = join(folder, 'mute-for-doctor')
  await writeFile(mute, '#!/bin/sh\nexec sleep 600\n')
  await chmod(mute, 0o755)
  for (const signal of signals) {
    const doctor = new Program(['doctor'], {
      MEDIASOUP_WORKER_BIN: mute,
      DATA_DIR: join(folder, 'none'),
      PORT: '0',
      HTTPS_PORT: '0',
    })
    await doctor.until('trying a worker', () => doctor.children.length > 0)
    await doctor.endsOn(signal, false, 'while doctor tries a worker')
    assert.equal((await doctor.closed)[0], signal === 'SIGINT' ? 130 : 143)
  }
})
