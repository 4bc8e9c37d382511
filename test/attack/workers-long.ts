/** `npm run attack:workers`: thirty deaths, compared with the goals; reports by how much one is missed. */
import { launchBrowser } from '../support/browser.ts'
import { attackWorkers, goals } from './workers.ts'

const browser = await launchBrowser()
try {
  const { own, published, gaps } = await attackWorkers(browser, Number(process.argv[2] ?? 30), console.log)
  const p95 = [...own].sort((a, b) => a - b)[Math.floor(own.length * 0.95)] ?? Infinity
  const held = (what: string, ms: number, goalMs: number): boolean => {
    console.log(`${what}: ${Math.round(ms)} ms, goal ${goalMs} ms: ${ms < goalMs ? 'reached' : 'missed'}`)
    return ms < goalMs
  }
  const all = [
    held('own client back, p95', p95, goals.ownP95),
    held('published client back, longest', Math.max(...published), goals.published),
    held('gap in the other meeting, longest', Math.max(...gaps), goals.gap),
  ]
  if (all.includes(false)) process.exitCode = 1
} finally {
  await browser.close()
}
