// What a person sees while the worker is brought.

/**
 * Each step is a line with the time since the start. The count within a step changes in place on a terminal; elsewhere it
 * is a line for each tenth.
 * @param {NodeJS.WriteStream} stream
 */
export function createProgress(stream) {
  const startedAt = Date.now()
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

  return {
    /** @param {string} text */
    step(text) {
      closeLine()
      lastTenth = -1
      stream.write(`${text} (${elapsed()})\n`)
    },
    /**
     * @param {string} text
     * @param {number} done
     * @param {number} total
     */
    count(text, done, total) {
      const line = `${text}: ${done}/${total} (${elapsed()})`
      const tenth = Math.floor((10 * done) / total)
      if (stream.isTTY) {
        stream.write(`\r\x1b[K${line}`)
        isOpen = true
      } else if (tenth > lastTenth) stream.write(`${line}\n`)
      lastTenth = tenth
    },
    /** @param {string} text */
    say(text) {
      closeLine()
      stream.write(`${text}\n`)
    },
  }
}
