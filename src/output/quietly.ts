/** Runs a program in the background: at the lowest priority, and never longer than this process. */
import { spawn } from 'node:child_process'

export interface QuietOptions {
  /** Where it runs. Default: here. */
  cwd?: string
  /** Ends it at once. */
  signal: AbortSignal
}

/**
 * The shell waits for the program and for the end of its own input, which comes when this process is gone, however that happened.
 * A program that reads no input would go on without us.
 */
const SUPERVISED = `exec 3<&0
nice -n 19 "$@" </dev/null 3<&- &
job=$!
{ read -r line <&3; kill -KILL $job; } >/dev/null 2>&1 &
watch=$!
wait $job
code=$?
kill -KILL $watch
exit $code`

const SAID_BYTES = 2000

/** @throws {Error} with what the program said last; the reason of `signal` if that ended it */
export async function runQuietly(
  program: string,
  given: readonly string[],
  { cwd, signal }: QuietOptions,
): Promise<void> {
  signal.throwIfAborted()
  const child = spawn('/bin/sh', ['-c', SUPERVISED, 'sh', program, ...given], {
    cwd,
    stdio: ['pipe', 'ignore', 'pipe'],
    // A group of its own, so that shell and program end together.
    detached: true,
  })
  child.stdin.on('error', () => undefined)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-SAID_BYTES)))
  const end = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', () => {
        if (signal.aborted) end()
        else signal.addEventListener('abort', end, { once: true })
      })
      child.once('error', reject)
      child.once('exit', () => child.stdin.destroy())
      child.once('close', (code, killedBy) => {
        if (code === 0) resolve()
        else reject(new Error(`ffmpeg ended with ${killedBy ?? code}: ${said.trim()}`))
      })
    })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', end)
  }
}
