/** Prepares the media worker in its own process while the server does everything else. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { timeLeft } from '../../scripts/media-worker/progress.mjs'
import type { Preparing } from './sfu.ts'

const Told = Type.Object({
  told: Type.Object({
    step: Type.String(),
    done: Type.Integer({ minimum: 0 }),
    total: Type.Integer({ minimum: 0 }),
    secondsLeft: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  }),
})
const Output = Type.Object({ said: Type.String() })
const Brought = Type.Object({ bin: Type.String({ minLength: 1 }), source: Type.String() })
const NotBrought = Type.Object({ bin: Type.Null(), reason: Type.String(), passing: Type.Boolean() })

export type Outcome = Static<typeof Brought> | Static<typeof NotBrought>

export interface PreparationEvents {
  onTold: (told: Static<typeof Told>['told']) => void
  /** Called with messages for a person. */
  onSaid: (text: string) => void
}

/** How much of its last output is kept to explain an end without a result. */
const KEPT_CHARACTERS = 500

/**
 * Runs the script that downloads or builds the worker, until `signal` is aborted or this process ends. Never rejects: a
 * failure is an outcome.
 */
export async function prepareWorker(
  script: string,
  signal: AbortSignal,
  { onTold, onSaid }: PreparationEvents,
): Promise<Outcome> {
  const child = spawn(process.execPath, [script, '--background'], {
    // Its input stays open while this process lives; nothing is written to it.
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGTERM',
  })
  let outcome: Outcome | undefined
  let complaint = ''
  child.stdin.on('error', () => undefined)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-KEPT_CHARACTERS)
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = parsed(line)
    if (Value.Check(Told, event)) onTold(event.told)
    else if (Value.Check(Output, event)) onSaid(event.said)
    else if (Value.Check(Brought, event) || Value.Check(NotBrought, event)) outcome = event
  })
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', (error) => {
      complaint ||= error.message
      // A program that could not be started emits no `close`.
      if (child.pid === undefined) resolve()
    })
  })
  return (
    outcome ?? {
      bin: null,
      reason: `Media is off, all else works: preparing the media worker ended early (${complaint.trim().split('\n').at(-1) ?? ''}); the server tries again by itself.`,
      passing: true,
    }
  )
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Tells the progress in one sentence to people who try to join in the meantime. */
export function sentenceOf({ done, total, secondsLeft }: Preparing): string {
  const count = total > 0 ? `, ${done} of ${total}` : ''
  return `Media is being prepared${count}${secondsLeft === null ? '' : `; ${timeLeft(secondsLeft)} left`}.`
}
