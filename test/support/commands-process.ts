/** Runs one command after the other in this process, for `commands.ts`. */
import { Interruption } from '../../src/cli/interruption.ts'
import { main } from '../../src/cli/main.ts'

/** Thrown where the program would end. */
class Ended extends Error {
  readonly code: number

  constructor(code: number) {
    super('the command ended')
    this.code = code
  }
}

process.umask(0o077)
const interruption = new Interruption()
let [out, err] = ['', '']
process.stdout.write = collect((text) => (out += text))
process.stderr.write = collect((text) => (err += text))
process.exit = (code) => {
  throw new Ended(Number(code))
}

function collect(add: (text: string) => void): typeof process.stdout.write {
  return (chunk: string | Uint8Array, encoding?: unknown, written?: unknown): boolean => {
    add(String(chunk))
    const callback = typeof encoding === 'function' ? encoding : written
    if (typeof callback === 'function') callback()
    return true
  }
}

const exitCode = (): number => Number(process.exitCode ?? 0)

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  ;[out, err] = ['', '']
  for (const name of Object.keys(process.env)) if (!(name in env)) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, env)
  process.exitCode = undefined
  try {
    await main(args, interruption)
    return exitCode()
  } catch (error) {
    if (error instanceof Ended) return error.code
    throw error
  } finally {
    process.exitCode = undefined
  }
}

process.on('message', ({ args, env }: { args: string[]; env: NodeJS.ProcessEnv }) => {
  void run(args, env).then((code) => process.send!({ code, out, err }))
})
