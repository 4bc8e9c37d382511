/**
 * `npm run attack:kills`: a hundred kills under load, with clients in a browser that return by themselves; then ten
 * orderly restarts with the same people inside.
 */
import { launchBrowser } from '../support/browser.ts'
import { attackByKills, restartInOrder } from './kills.ts'

const [kills, restarts] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 10)]
const browser = await launchBrowser()
try {
  if (restarts > 0) await restartInOrder({ restarts, browser, say: console.log })
  if (kills > 0) await attackByKills({ kills, graceSeconds: 15, browser, say: console.log })
} finally {
  await browser.close()
}
