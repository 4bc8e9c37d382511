/** The scales of a plot. Pure functions. */

/** Round numbers from 0 to at least `top`, three to six of them. */
export function niceTicks(top: number): number[] {
  if (!(top > 0)) return [0, 1]
  const rough = top / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough)!
  const ticks: number[] = []
  for (let at = 0; ticks.length < 8; at += step) {
    // Corrects rounding errors such as 0.1 + 0.2.
    ticks.push(Number(at.toPrecision(12)))
    if (at >= top) break
  }
  return ticks
}

const STEPS_MS = [
  1000, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000,
  21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
]

/** At most `most` round instants between two others, in the reader's time zone. */
export function timeTicks(from: number, to: number, most: number, zoneOffsetMs = 0): number[] {
  const span = to - from
  if (!(span > 0) || most < 1) return []
  const step = STEPS_MS.find((one) => span / one <= most) ?? Math.ceil(span / most / 86_400_000) * 86_400_000
  const ticks: number[] = []
  for (
    let at = Math.ceil((from + zoneOffsetMs) / step) * step - zoneOffsetMs;
    at <= to && ticks.length <= most;
    at += step
  )
    ticks.push(at)
  return ticks
}

/** The index of the entry nearest to an instant, in an ascending list; -1 if the list is empty. */
export function nearestIndex(times: readonly number[], at: number): number {
  let low = 0
  let high = times.length - 1
  if (high < 0) return -1
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! < at) low = middle + 1
    else high = middle
  }
  return low > 0 && at - times[low - 1]! <= times[low]! - at ? low - 1 : low
}

/** At most `most` entries of a list, evenly spaced, including the last. */
export function someOf<One>(list: readonly One[], most: number): One[] {
  const every = Math.max(1, Math.ceil(list.length / most))
  return list.filter((_, index) => (list.length - 1 - index) % every === 0)
}
