// Reports progress to a person, to a program, or to processes that wait for the same worker.

/** @typedef {import('./lock.mjs').Told} Told */
/**
 * @typedef {{
 *  step(text: string): void,
 *  count(text: string, done: number, total: number): void,
 *  told(told: Told): void,
 *  say(text: string): void,
 * }} Progress - `step` starts a step, `count` reports its progress, `told` passes on the progress of another process
 */

/**
 * For a person. Each step is a line with the time since the start. On a terminal, the count within a step changes in
 * place; elsewhere, every tenth of it is a line.
 * @param {NodeJS.WriteStream} stream
 * @returns {Progress}
 */
export function createProgress(stream) {
  const startedAt = Date.now()
  const left = createEstimate()
  let lastTenth = -1
  let isOpen = false

  const elapsed = () => {
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    return seconds < 60
      ? `${seconds}s`
      : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
  }
  const closeLine = () => {
    if (isOpen) stream.write('\n')
    isOpen = false
  }
  const show = (/** @type {Told} */ { step, done, total, secondsLeft }) => {
    const line = `${step}: ${done}/${total}${secondsLeft === null ? '' : `, ${timeLeft(secondsLeft)} left`} (${elapsed()})`
    const tenth = Math.floor((10 * done) / total)
    if (stream.isTTY) {
      stream.write(`\r\x1b[K${line}`)
      isOpen = true
    } else if (tenth > lastTenth) stream.write(`${line}\n`)
    lastTenth = tenth
  }

  return {
    step(text) {
      closeLine()
      lastTenth = -1
      stream.write(`${text} (${elapsed()})\n`)
    },
    count: (step, done, total) => show({ step, done, total, secondsLeft: left(done, total) }),
    told(told) {
      if (told.total > 0) show(told)
    },
    say(text) {
      closeLine()
      stream.write(`${text}\n`)
    },
  }
}

/**
 * For the server that started this process: each change is a line of JSON.
 * @param {NodeJS.WriteStream} stream
 * @returns {Progress}
 */
export function createEvents(stream) {
  const left = createEstimate()
  const told = (/** @type {Told} */ what) => void stream.write(`${JSON.stringify({ told: what })}\n`)
  const step = (/** @type {string} */ text) => told({ step: text, done: 0, total: 0, secondsLeft: null })
  return {
    step,
    count: (text, done, total) => told({ step: text, done, total, secondsLeft: left(done, total) }),
    told,
    say: (text) => void stream.write(`${JSON.stringify({ said: text })}\n`),
  }
}

/**
 * Reports everything to the waiting processes as well.
 * @param {Progress} progress
 * @param {(told: Told) => void} tell
 * @returns {Progress}
 */
export function shared(progress, tell) {
  const left = createEstimate()
  return {
    ...progress,
    step(text) {
      progress.step(text)
      tell({ step: text, done: 0, total: 0, secondsLeft: null })
    },
    count(text, done, total) {
      progress.count(text, done, total)
      tell({ step: text, done, total, secondsLeft: left(done, total) })
    },
  }
}

/** Estimates the seconds left from the pace since the first count; null until there is one. */
function createEstimate() {
  /** @type {{ at: number, done: number } | undefined} */
  let first
  return (/** @type {number} */ done, /** @type {number} */ total) => {
    if (first === undefined || done < first.done) first = { at: Date.now(), done }
    const since = done - first.done
    return since === 0 ? null : Math.ceil((((Date.now() - first.at) / since) * (total - done)) / 1000)
  }
}

/**
 * Formats seconds as part of a sentence.
 * @param {number} seconds
 */
export function timeLeft(seconds) {
  if (seconds < 60) return 'less than a minute'
  const minutes = Math.ceil(seconds / 60)
  return `about ${minutes} minute${minutes === 1 ? '' : 's'}`
}
