/**
 * What a recording of a meeting loses and what people notice of it: frames of a 720p recording, gaps in the sound that people hear, and
 * how long HLS takes from what is drawn to what a player shows. Goals: fewer than 1 % of frames lost, no gap, less than 6 seconds.
 */
import { readFile } from 'node:fs/promises'
import { availableParallelism, loadavg } from 'node:os'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { launchBrowser, Person } from '../test/support/browser.ts'
import { examineMedia } from '../test/support/media-file.ts'
import { AppServer } from '../test/support/published.ts'
import { RealServer } from '../test/support/real-server.ts'
import { printGoal } from './table.ts'

const RECORD_SECONDS = Number(process.argv[2] ?? 30)
const FRAME_RATE = 30
const GOALS = { lostPercent: 1, concealedPercent: 0.1, latencySeconds: 6 }
const pause = (ms: number): Promise<void> => new Promise((next) => setTimeout(next, ms))

/** A page that shows the time as stripes, black or white, one for each bit of the hundredths of a second. */
const BITS = 24
const clock = `<!doctype html><body style="margin:0;background:#000"><canvas width="1280" height="720"></canvas><script>
const place = document.querySelector('canvas').getContext('2d')
requestAnimationFrame(function draw() {
  const now = Math.floor(Date.now() / 10)
  for (let bit = 0; bit < ${BITS}; bit++) {
    place.fillStyle = Math.floor(now / 2 ** bit) % 2 ? '#fff' : '#000'
    place.fillRect(bit * 50, 0, 50, 720)
  }
  requestAnimationFrame(draw)
})
</script>`

const browser = await launchBrowser()
const server = await RealServer.start({ OUTPUTS_ALLOW_PRIVATE: 'true' })
const app = await AppServer.start({ '/clock': clock, '/player': '<!doctype html><title>player</title>' })
try {
  console.log(`${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)} before it begins`)
  const ann = await Person.at(browser, 'Ann')
  await ann.start(server.url)
  const bob = await Person.at(browser, 'Bob')
  await bob.open(await ann.invite('direct'))
  await bob.seesAndHears(1)
  await ann.seesAndHears(1)
  const roomId = await ann.page.evaluate<string>('globalThis.anteroom.meeting.meetingId')
  const alone = await concealed(bob, RECORD_SECONDS)
  const { file, during } = await record(roomId, bob)
  const { seconds, frames } = await examineMedia(file.fileUrl)
  const lost = 100 * (1 - frames / (seconds * FRAME_RATE))
  console.log(
    `recorded ${seconds.toFixed(1)} s with ${frames} frames; the longest wait for one was ${await longestGap(file.fileUrl)} ms`,
  )
  goal('frames lost', Math.max(0, lost), '%', GOALS.lostPercent)
  console.log(`sound that people missed without it: ${alone.toFixed(2)} %`)
  goal('sound that people missed during it', during, '%', GOALS.concealedPercent)
  await ann.close()
  await bob.close()
  await watch(browser)
} finally {
  await browser.close()
  await server.stop()
  app.stop()
}

function goal(what: string, value: number, unit: string, below: number): void {
  printGoal(`${what}: ${value.toFixed(2)} ${unit}, goal < ${below} ${unit}`, value < below)
}

/** Which share of the sound that this person heard was made up, as nothing had come. */
async function concealed(person: Person, seconds: number): Promise<number> {
  const from = await heard(person)
  await pause(seconds * 1000)
  const to = await heard(person)
  return (100 * (to.concealed - from.concealed)) / (to.all - from.all)
}

function heard(person: Person): Promise<{ all: number; concealed: number }> {
  return person.page.evaluate(`(async () => {
    let receive
    // There is nothing to ask while the media is made anew.
    while (!(receive = (await globalThis.anteroom.meeting.stats()).receive)) await new Promise((next) => setTimeout(next, 100))
    const reports = [...receive.values()].filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')
    const sum = (name) => reports.reduce((total, report) => total + (report[name] ?? 0), 0)
    return { all: sum('totalSamplesReceived'), concealed: sum('concealedSamples') - sum('silentConcealedSamples') }
  })()`)
}

async function record(roomId: string, bob: Person): Promise<{ file: any; during: number }> {
  await server.rest('POST', '/v2/recordings/start', { roomId })
  const going = async (): Promise<any> =>
    (await server.rest('GET', `/v2/recordings?roomId=${roomId}`)).body.data[0]
  while ((await going()).start === (await going()).createdAt) await pause(100)
  await pause(4000)
  const during = await concealed(bob, RECORD_SECONDS)
  await server.rest('POST', '/v2/recordings/end', { roomId })
  for (;;) {
    const { end, file } = await going()
    if (end !== null) return { file, during }
    await pause(200)
  }
}

async function longestGap(url: string): Promise<number> {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v',
    '-show_entries',
    'packet=pts_time',
    '-of',
    'csv=p=0',
    url,
  ]
  const { stdout } = await promisify(execFile)('ffprobe', args, { maxBuffer: 64 * 1024 * 1024 })
  const times = stdout
    .trim()
    .split('\n')
    .map(Number.parseFloat)
    .sort((a, b) => a - b)
  return Math.round(1000 * Math.max(...times.slice(1).map((time, i) => time - times[i]!)))
}

/** A page of ours is drawn, streamed and played on one machine, so its clock tells how old a picture is. */
async function watch(browser: Browser): Promise<void> {
  const cid = await Person.at(browser, 'Cid')
  await cid.start(server.url)
  const roomId = await cid.page.evaluate<string>('globalThis.anteroom.meeting.meetingId')
  const { body } = await server.rest('POST', '/v2/hls/start', { roomId, templateUrl: `${app.url}/clock` })
  while (!(await fetch(body.playbackHlsUrl)).ok) await pause(200)
  await pause(4000)
  const page = await (await browser.newContext()).newPage()
  await page.goto(`${app.url}/player`)
  await page.addScriptTag({
    content: await readFile(new URL(import.meta.resolve('hls.js/dist/hls.min.js')), 'utf8'),
  })
  const ages: number[] = await page.evaluate(
    async ({ url, bits }) => {
      const video = document.createElement('video')
      video.muted = true
      document.body.append(video)
      const { Hls } = globalThis as any
      const hls = new Hls()
      hls.loadSource(url)
      hls.attachMedia(video)
      await video.play()
      const canvas = document.createElement('canvas')
      canvas.width = 1280
      canvas.height = 720
      const place = canvas.getContext('2d', { willReadFrequently: true })!
      const ages: number[] = []
      for (let i = 0; i < 100; i++) {
        await new Promise((next) => setTimeout(next, 100))
        place.drawImage(video, 0, 0, 1280, 720)
        let then = 0
        for (let bit = 0; bit < bits; bit++)
          if (place.getImageData(bit * 50 + 25, 360, 1, 1).data[1]! > 127) then += 2 ** bit
        const now = Math.floor(Date.now() / 10) % 2 ** bits
        ages.push((now - then) / 100)
      }
      return ages
    },
    { url: body.livestreamUrl, bits: BITS },
  )
  // A picture that was read while its stripes changed says anything.
  const sane = ages.filter((age) => age > 0 && age < 60).sort((a, b) => a - b)
  if (sane.length < 20) throw new Error(`the clock could not be read: ${ages.join(' ')}`)
  const median = sane[Math.floor(sane.length / 2)]!
  console.log(`HLS: ${sane[0]!.toFixed(1)} to ${sane.at(-1)!.toFixed(1)} s from drawn to played`)
  goal('HLS, drawn to played', median, 's', GOALS.latencySeconds)
  await server.rest('POST', '/v2/hls/end', { roomId })
}
