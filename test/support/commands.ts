/**
 * Commands without a process for each, which would use half a second of processor time: one process runs them in turn, with
 * their arguments, their environment, their output and their exit code. What depends on the process itself (signals, a
 * broken pipe, a start that fails halfway) needs a real one.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Ran {
  code: number | null
  out: string
  err: string
}

export class Commands {
  readonly #cwd: string
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** @param env - what each command has in its environment, beside that of this process */
  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.#cwd = cwd
    this.#env = env
  }

  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    const ran = this.#last.then(() => this.#run(args, env))
    this.#last = ran.catch(() => undefined)
    return ran
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  async #run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
    const child = (this.#child ??= fork(join(import.meta.dirname, 'commands-process.ts'), {
      cwd: this.#cwd,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    }))
    child.send({ args, env: { ...process.env, ...this.#env, ...env } })
    const done = new AbortController()
    try {
      const [answer] = (await Promise.race([
        once(child, 'message', done),
        once(child, 'exit', done).then(() => {
          throw new Error(`the process of commands ended at ${args.join(' ')}`)
        }),
      ])) as [Ran]
      return answer
    } finally {
      done.abort()
    }
  }
}
