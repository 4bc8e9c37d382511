/** One clock for everything that this process sends: what is due is sent together, however many streams there are. */

const TICK_MS = 5
/** How much of a tick may be spent on preparing what is not due yet; the rest is for what has arrived. */
const PREPARING_MS = 4

type Work = (now: number) => void

const works = new Set<Work>()
let timer: NodeJS.Timeout | undefined
let beganAt = -Infinity

/** Calls `work` every few ms until the returned function is called. */
export function everyTick(work: Work): () => void {
  works.add(work)
  timer ??= setInterval(() => {
    beganAt = performance.now()
    for (const one of [...works]) one(performance.now())
  }, TICK_MS)
  return () => {
    works.delete(work)
    if (works.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Whether there is time in this tick for what is not due yet. */
export function mayPrepare(): boolean {
  return performance.now() - beganAt < PREPARING_MS
}
