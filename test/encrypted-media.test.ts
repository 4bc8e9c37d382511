/** End-to-end encryption, seen in what arrives in a real browser: with the key, with another one, and without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaStage, type MediaClient } from './support/media-clients.ts'
import { eventually, LOW } from './support/sizes.ts'

const KEY = 'correct horse battery'

const stage = mediaStage()

const silent = { camera: false, mic: false }
const streams = ({ tap }: MediaClient, of: string): Promise<{ kind: string; locked: boolean }[]> =>
  tap.page.evaluate(
    `[...m.participants.get('${of}').streams.values()].map(({ kind, locked }) => ({ kind, locked }))`,
  )
const untilLocked = ({ tap }: MediaClient, of: string, locked: boolean): Promise<unknown> =>
  tap.page.waitForFunction(
    `(() => {
      const streams = [...(m.participants.get('${of}')?.streams.values() ?? [])]
      return streams.length === 2 && streams.every((stream) => stream.locked === ${locked})
    })()`,
    undefined,
    { polling: 100, timeout: 90_000 },
  )

/** None, while the server starts others. */
function runningWorkers(): number[] {
  try {
    return stage.server.workers
  } catch {
    return []
  }
}

const VIDEO = `[...participants.get('ann').streams.values()].find(({ kind }) => kind === 'video')`

/** The share of the picture that has the colour of the fake camera. @param track where it is in the meeting */
const greenOf = ({ tap }: MediaClient, track: string): Promise<number> =>
  tap.page.evaluate(`(async () => {
    const { participants, devices } = m
    const video = Object.assign(document.createElement('video'), { muted: true, srcObject: new MediaStream([${track}]) })
    await video.play()
    const canvas = new OffscreenCanvas(64, 36)
    const context = canvas.getContext('2d')
    context.drawImage(video, 0, 0, 64, 36)
    const { data } = context.getImageData(0, 0, 64, 36)
    let green = 0
    for (let at = 0; at < data.length; at += 4)
      if (data[at] < 60 && data[at + 1] > 100 && data[at + 1] < 170 && data[at + 2] < 60) green++
    return green / (64 * 36)
  })()`)

test('those with the key see and hear each other, at every size, and after the key has changed', async () => {
  const meetingId = await stage.server.createMeeting({ encryption: 'required' })
  const ann = await stage.clients.join('our client', { meetingId, participantId: 'ann', key: KEY })
  const ben = await stage.clients.join('our client', { meetingId, participantId: 'ben', key: KEY, ...silent })
  const eve = await stage.clients.join('our client', {
    meetingId,
    participantId: 'eve',
    key: 'another key',
    ...silent,
  })
  await Promise.all([ben.tap.flows('ann', 'video'), ben.tap.flows('ann', 'audio')])
  await ben.setQuality('ann', 'low')
  await ben.tap.sees('ann', LOW)
  await untilLocked(ben, 'ann', false)
  const phrases = [ann, ben, eve].map(({ tap }) => tap.page.evaluate<string>('m.encryption.phrase'))
  const [ofAnn, ofBen, ofEve] = await Promise.all(phrases)
  assert.equal(ofAnn, ofBen)
  assert.notEqual(ofAnn, ofEve)

  // The packets reach her, but no frame and no sound.
  await untilLocked(eve, 'ann', true)
  const [picture, sound] = [await eve.tap.received('ann', 'video'), await eve.tap.received('ann', 'audio')]
  assert.ok(picture!.packets > 0 && sound!.packets > 0)
  assert.deepEqual([picture!.frames, sound!.energy], [0, 0])

  // A new key: those who do not have it are shut out, and who gets it is back.
  await ann.tap.page.evaluate(`m.encryption.setKey('another key')`)
  await untilLocked(eve, 'ann', false)
  await eve.tap.flows('ann', 'video')
  await eve.tap.flows('ann', 'audio')
  await untilLocked(ben, 'ann', true)
  const { frames } = (await ben.tap.received('ann', 'video'))!
  await ben.tap.page.evaluate(`m.encryption.setKey('another key')`)
  await untilLocked(ben, 'ann', false)
  await ben.tap.until('ann', 'video', 'was back', (now) => now.frames > frames)
})

/** Counts the keys with which the page opens frames, and notes each time when the one that seals changes. */
const COUNT_KEYS = `
  globalThis.keys = { open: 0, sealing: 0 }
  const { postMessage } = Worker.prototype
  let before
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message.keys) {
      keys.open = message.keys.open.length
      if (message.keys.seal && message.keys.seal !== before) keys.sealing++
      before = message.keys.seal
    }
    return postMessage.call(this, message, ...rest)
  }
`

test('when somebody leaves, the others change the key by themselves, and go on', async () => {
  const meetingId = await stage.server.createMeeting({ encryption: 'required' })
  const entry = { meetingId, key: KEY, prepare: COUNT_KEYS }
  const ann = await stage.clients.join('our client', { ...entry, participantId: 'ann' })
  const ben = await stage.clients.join('our client', { ...entry, participantId: 'ben' })
  const carl = await stage.clients.join('our client', { ...entry, ...silent, participantId: 'carl' })
  for (const [hearer, of] of [
    [ben, 'ann'],
    [carl, 'ann'],
    [ann, 'ben'],
  ] as const)
    await Promise.all([hearer.tap.flows(of, 'video'), hearer.tap.flows(of, 'audio')])
  const sealing = ({ tap }: MediaClient): Promise<number> => tap.page.evaluate('keys.sealing')
  const before = [await sealing(ann), await sealing(ben)]
  await carl.close()
  for (const [at, client] of [ann, ben].entries())
    await client.tap.page.waitForFunction(`keys.sealing > ${before[at]}`, undefined, {
      polling: 100,
      timeout: 90_000,
    })
  await Promise.all([ben.tap.flows('ann', 'video'), ben.tap.flows('ann', 'audio')])
  await Promise.all([ann.tap.flows('ben', 'video'), ann.tap.flows('ben', 'audio')])
  assert.ok((await streams(ben, 'ann')).every(({ locked }) => !locked))
})

for (const [name, prepare] of [
  ['with createEncodedStreams alone', 'delete globalThis.RTCRtpScriptTransform'],
  [
    'with H264',
    `const { load } = Device.prototype
    Device.prototype.load = function ({ routerRtpCapabilities: { codecs, ...rest }, ...options }) {
      const others = codecs.filter(({ mimeType, parameters }) => !/vp8/i.test(mimeType))
      return load.call(this, { ...options, routerRtpCapabilities: { ...rest, codecs: others } })
    }`,
  ],
] as const)
  test(`two see and hear each other ${name}, also after a media worker died`, async () => {
    const meetingId = await stage.server.createMeeting({ encryption: 'required' })
    const entry = { meetingId, key: KEY, prepare }
    const ann = await stage.clients.join('our client', { ...entry, participantId: 'ann' })
    const ben = await stage.clients.join('our client', { ...entry, participantId: 'ben' })
    const flow = async (): Promise<void> => {
      for (const [hearer, of] of [
        [ben, 'ann'],
        [ann, 'ben'],
      ] as const)
        await Promise.all([hearer.tap.flows(of, 'video'), hearer.tap.flows(of, 'audio')])
    }
    await flow()
    assert.ok((await streams(ben, 'ann')).every(({ locked }) => !locked))
    const { workers } = stage.server
    for (const pid of workers) process.kill(pid, 'SIGKILL')
    await eventually('other workers run', () => {
      const now = runningWorkers()
      return Promise.resolve(now.length === workers.length && now.every((pid) => !workers.includes(pid)))
    })
    await flow()
  })

test('the key is needed to join, and a published client that does not encrypt is put out', async () => {
  const meetingId = await stage.server.createMeeting({ encryption: 'required' })
  const ann = await stage.clients.join('our client', { meetingId, participantId: 'ann', key: KEY })
  const { page } = ann.tap
  const refused = await page.evaluate(
    `connect(${JSON.stringify({ url: stage.server.url, token: stage.clients.token(), meetingId, name: 'Ben' })}).catch(({ reason, message }) => ({ reason, message }))`,
  )
  assert.deepEqual(refused, {
    reason: 'ENCRYPTION_REQUIRED',
    message: 'This meeting is end-to-end encrypted, and needs its key.',
  })
  await page.evaluate(`m.on('participantJoined', ({ id }) => (globalThis.carolCame ||= id === 'carol'))`)
  const gone = page.waitForFunction(`globalThis.carolCame && !m.participants.has('carol')`, undefined, {
    polling: 100,
    timeout: 90_000,
  })
  const published = stage.clients.join('js-sdk', { meetingId, participantId: 'carol', camera: false })
  await published.catch(() => undefined)
  await gone
  assert.deepEqual(await ann.tap.offers(), [], 'nothing of hers was offered')
})

test('without the key, an encrypted stream is neither shown nor heard; with one, a plain stream is not', async () => {
  const meetingId = await stage.server.createMeeting()
  const ann = await stage.clients.join('our client', { meetingId, participantId: 'ann', key: KEY })
  const ben = await stage.clients.join('our client', { meetingId, participantId: 'ben' })
  await untilLocked(ben, 'ann', true)
  assert.deepEqual(
    await ben.tap.page.evaluate(
      `[...m.participants.get('ann').streams.values()].map(({ track }) => track.enabled)`,
    ),
    [false, false],
  )
  // Whoever decodes what the server forwards gets no picture of hers: the fake camera is green.
  assert.ok((await greenOf(ben, 'devices.camera')) > 0.5)
  await ben.tap.page.evaluate(
    `for (const { track } of m.participants.get('ann').streams.values()) track.enabled = true`,
  )
  const seen = await ben.tap.until('ann', 'video', 'came', (now) => now.packets > 300)
  if (seen.frames > 0) assert.ok((await greenOf(ben, `${VIDEO}.track`)) < 0.1)
  await untilLocked(ann, 'ben', true)
  assert.equal((await streams(ann, 'ben')).length, 2)
  assert.equal((await ann.tap.received('ben', 'video'))!.frames, 0)
})

test('a meeting started encrypted on the page: its link brings the key, and the bare address does not', async () => {
  const context = () => stage.browser.newContext({ permissions: ['camera', 'microphone'] })
  const host = await (await context()).newPage()
  await host.goto(stage.server.url)
  await host.getByTestId('start-encrypted').check()
  await host.getByRole('button', { name: 'Start a meeting' }).click()
  await host.getByTestId('name').fill('Ann')
  await host.getByTestId('join').click()
  const sign = host.getByTestId('sign-encrypted')
  await sign.waitFor()
  const phrase = (await sign.textContent())!.trim()
  assert.match(phrase, /\d{4} \d{4} \d{4}$/)
  assert.match(new URL(host.url()).hash, /^#key=[\w-]{22}$/)
  await host.getByTestId('invite').click()
  const linkOf = () => host.getByTestId('invite-link').inputValue()
  await eventually('there is a link', async () => (await linkOf()) !== '')
  const link = await linkOf()
  const asked: string[] = []

  const guest = await (await context()).newPage()
  guest.on('request', (request) => asked.push(request.url() + (request.postData() ?? '')))
  await guest.goto(link)
  await guest.getByTestId('name').fill('Ben')
  await guest.getByTestId('join').click()
  assert.equal((await guest.getByTestId('sign-encrypted').textContent())!.trim(), phrase)
  const pictures = () =>
    guest
      .locator('[data-testid=tile] video')
      .evaluateAll((all) => all.filter((video) => (video as HTMLVideoElement).videoWidth > 0).length)
  await eventually('both have a picture', async () => (await pictures()) === 2)
  assert.equal(await guest.getByTestId('tile-locked').count(), 0)
  const key = new URLSearchParams(new URL(link).hash.slice(1)).get('key')!
  assert.ok(asked.length > 0 && asked.every((one) => !one.includes(key)), 'the server never gets the key')

  // The same invite without its key, and with another one.
  const stranger = await (await context()).newPage()
  await stranger.goto(link.replace(/&key=.*/, ''))
  await stranger.getByTestId('name').fill('Eve')
  await stranger.getByTestId('join').click()
  await stranger.getByText('This meeting is end-to-end encrypted').waitFor()
  await stranger.goto('about:blank')
  await stranger.goto(link.replace(/key=.*/, 'key=another-key-of-22-bytes'))
  await stranger.getByTestId('name').fill('Eve')
  await stranger.getByTestId('join').click()
  await stranger.getByTestId('tile-locked').first().waitFor()
  await Promise.all([host, guest, stranger].map((page) => page.context().close()))
})
