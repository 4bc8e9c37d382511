/** One clock for everything that this process sends: what is due is sent together, however many streams there are. */

const TICK_MS = 5

type Work = (now: number) => void

const works = new Set<Work>()
let timer: NodeJS.Timeout | undefined

/** Calls `work` every few ms until the returned function is called. */
export function everyTick(work: Work): () => void {
  works.add(work)
  timer ??= setInterval(() => {
    for (const one of [...works]) one(performance.now())
  }, TICK_MS)
  return () => {
    works.delete(work)
    if (works.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}
