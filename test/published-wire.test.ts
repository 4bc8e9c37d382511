/** The published browser client in less common uses, and on a failing network. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './support/browser.ts'
import { Cable } from './support/proxy.ts'
import { AppServer, Published, type PublishedOptions } from './support/published.ts'
import { RealServer } from './support/real-server.ts'
import { signAnything } from './support/test-server.ts'
import { WireClient } from './support/wire-client.ts'

let browser: Browser
let app: AppServer
let server: RealServer
let windows: Published[] = []

before(async () => {
  browser = await launchBrowser(['--ignore-certificate-errors'])
  app = await AppServer.start()
  server = await RealServer.start({ LOBBY_TIMEOUT_SECONDS: '30' })
})
after(async () => {
  await browser.close()
  app.stop()
  await server.stop()
})
afterEach(async () => {
  await Promise.all(windows.map((window) => window.close()))
  windows = []
})

const DIRECT = ['allow_join']
const MODERATOR = ['allow_join', 'allow_mod']
const ASKS = ['ask_join']

const token = (permissions: string[], claims: Record<string, unknown> = {}): string =>
  signAnything({ apikey: 'test-key', permissions, ...claims })

async function meeting(): Promise<string> {
  const answer = await fetch(`${server.url}/v2/rooms`, {
    method: 'POST',
    headers: { authorization: token(DIRECT) },
  })
  return ((await answer.json()) as { roomId: string }).roomId
}

async function window(): Promise<Published> {
  const one = await Published.at(browser, app)
  windows.push(one)
  return one
}

async function inside(
  meetingId: string,
  participantId: string,
  options: Partial<PublishedOptions> & { at?: string } = {},
): Promise<Published> {
  const { at = server.secureUrl, ...rest } = options
  const one = await window()
  return one.inside(at, { token: token(DIRECT), meetingId, participantId, name: participantId, ...rest })
}

const STILL = { micEnabled: false, webcamEnabled: false }

const LISTEN = (options = '{}'): string => `
  globalThis.chat = []
  globalThis.batches = []
  await m.pubSub.subscribe('CHAT', {
    onMessageReceived: ({ message }) => chat.push(message),
    onBatchReceived: (messages) => batches.push(messages.map(({ message }) => message)),
    onOldMessagesReceived: (messages) => chat.push(...messages.map(({ message }) => message)),
    onMessageDrop: ({ droppedCount }) => log.push(['dropped', droppedCount]),
  }, ${options})`

test('each refusal that only the socket knows reaches the app with its code', async () => {
  const meetingId = await meeting()
  const ann = await inside(meetingId, 'ann', { token: token(MODERATOR), ...STILL })
  const one = await window()
  await one.join(server.secureUrl, {
    token: token(DIRECT),
    meetingId,
    participantId: 'white space',
    ...STILL,
  })
  await one.logged('error', `values[0].code === 4004 && values[0].name === 'INVALID_PARTICIPANT_ID'`)

  const removed = token(DIRECT)
  const bad = await inside(meetingId, 'bad', { token: removed, ...STILL })
  await ann.until(`m.participants.has('bad')`)
  await ann.run(`await m.participants.get('bad').remove()`)
  await bad.logged('meeting-left', 'values[0].code === 1002')
  await bad.join(server.secureUrl, { token: removed, meetingId, participantId: 'other', ...STILL })
  await bad.logged('error', `values[0].code === 4025 && values[0].name === 'UNAUTHORIZED_REQUEST'`)

  await one.join(server.secureUrl, { token: token(ASKS), meetingId, participantId: 'guest', ...STILL })
  await ann.until(`last['entry-requested']?.participantId === 'guest'`)
  await ann.run(`last['entry-requested'].deny()`)
  await one.logged('error', `values[0].code === 4025`)
  await one.logged('meeting-left')
})

test('modes: between any two, by old names too, sends and receives what the mode says', async () => {
  const meetingId = await meeting()
  const bob = await inside(meetingId, 'bob')
  const ann = await inside(meetingId, 'ann', { mode: 'SIGNALLING_ONLY' })
  await bob.until(`m.participants.get('ann')?.mode === 'SIGNALLING_ONLY'`)
  await ann.until(`m.participants.has('bob')`)
  assert.equal(await ann.run(`return m.participants.get('bob').streams.size`), 0)
  for (const [said, mode] of [
    ['RECV_ONLY', 'RECV_ONLY'],
    ['SEND_AND_RECV', 'SEND_AND_RECV'],
    ['SIGNALLING_ONLY', 'SIGNALLING_ONLY'],
    ['SEND_AND_RECV', 'SEND_AND_RECV'],
    ['RECV_ONLY', 'RECV_ONLY'],
    ['SIGNALLING_ONLY', 'SIGNALLING_ONLY'],
    ['CONFERENCE', 'SEND_AND_RECV'],
    ['VIEWER', 'SIGNALLING_ONLY'],
  ]) {
    await bob.run(`log.length = 0`)
    await ann.run(`await m.changeMode('${said}')`)
    await bob.logged(
      'participant-mode-changed',
      `values[0].participantId === 'ann' && values[0].mode === '${mode}'`,
    )
    if (mode === 'SEND_AND_RECV') {
      await ann.run('await m.enableWebcam().catch(() => 0); await m.unmuteMic().catch(() => 0)')
      await bob.seesAndHears(1)
    } else await bob.until(`m.participants.get('ann').streams.size === 0 && !m.participants.get('ann').micOn`)
    if (mode === 'SIGNALLING_ONLY') await ann.until(`m.participants.get('bob').streams.size === 0`)
    else await ann.seesAndHears(1)
  }
})

test('a codec that a participant cannot decode: its sender changes to another, and all see', async () => {
  const meetingId = await meeting()
  const [ann, bob] = [
    await inside(meetingId, 'ann', { webcamEnabled: false }),
    await inside(meetingId, 'bob'),
  ]
  await ann.run(
    `await m.enableWebcam(await VideoSDK.createCameraVideoTrack({ codec: 'VP9', multiStream: false }))`,
  )
  await bob.seesAndHears(1)
  const old = new WireClient({ url: server.url, token: token(DIRECT), meetingId, participantId: 'old' })
  try {
    await old.enter()
    await old.hears('entryResponded')
    const rtpCapabilities = await old.request('getRouterRtpCapabilities')
    const codecs = rtpCapabilities.codecs.filter(({ mimeType }: any) => !/H264|VP9|AV1/i.test(mimeType))
    const asked = old.finishJoin({ rtpCapabilities: { ...rtpCapabilities, codecs } })
    await ann.logged('codec-changed')
    await asked
    const heard: any = await old.hears(
      'request:newConsumer',
      ({ peerId, kind }) => peerId === 'ann' && kind === 'video',
    )
    assert.equal(heard.rtpParameters.codecs[0].mimeType, 'video/VP8')
    await bob.seesAndHears(1)
  } finally {
    old.close()
  }
})

test('switchTo: with the own token, and through the lobby of the other meeting', async () => {
  const [first, second, third] = [await meeting(), await meeting(), await meeting()]
  const ann = await inside(first, 'ann')
  const [bob, carl] = [await inside(second, 'bob'), await inside(third, 'carl')]
  await ann.run(`await m.switchTo({ meetingId: '${second}' })`)
  await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
  await ann.run(`globalThis.switching = m.switchTo({ meetingId: '${third}', token: '${token(ASKS)}' })`)
  await carl.until(`last['entry-requested']?.participantId === 'ann'`)
  await bob.until(`m.participants.has('ann')`)
  await carl.run(`last['entry-requested'].allow()`)
  await bob.logged('participant-left', `values[0].id === 'ann' && values[1].code === 1005`)
  await Promise.all([ann.seesAndHears(1), carl.seesAndHears(1)])
  await ann.run('await switching')
})

test('asking another to switch; names, own data and connection numbers', async () => {
  const meetingId = await meeting()
  const ann = await inside(meetingId, 'ann', { token: token(MODERATOR), metaData: { team: 'red' } })
  const bob = await inside(meetingId, 'bob', { name: 'Bob B.', metaData: { team: 'blue' } })
  await ann.until(`m.participants.get('bob')?.displayName === 'Bob B.'`)
  assert.deepEqual(await ann.run(`return m.participants.get('bob').metaData`), { team: 'blue' })
  assert.deepEqual(await bob.run(`return m.participants.get('ann').metaData`), { team: 'red' })
  await ann.run(
    `await m.participants.get('bob').switchTo({ meetingId: 'else-wher-eeee', payload: 'a talk', token: 't' })`,
  )
  await bob.logged('switch-meeting', `values[0].meetingId === 'else-wher-eeee' && values[0].token === 't'`)
  await bob.seesAndHears(1)
  await ann.until(`/[1-9]/.test(JSON.stringify(await m.localParticipant.getTransportStats()))`)
})

test('debugMode reports only to this server, and checkConnection finds it', async () => {
  const meetingId = await meeting()
  const hosts = new Set<string>()
  const ann = await window()
  // An address without a host stays in the browser: chat's worker comes from a blob.
  ann.page.on('request', (request) => hosts.add(new URL(request.url()).host))
  ann.page.on('websocket', (socket) => hosts.add(new URL(socket.url()).host))
  await ann.inside(server.secureUrl, {
    token: token(DIRECT),
    meetingId,
    participantId: 'ann',
    debugMode: true,
  })
  const host = new URL(server.secureUrl).host
  const found = await ann.run(`return VideoSDK.checkConnection({ baseUrl: '${host}' }).catch(String)`)
  assert.equal(found, 'Connection established')
  await ann.run(LISTEN())
  await ann.run(`await m.pubSub.publish('CHAT', 'hello'); await m.leave()`)
  for (const own of ['', new URL(app.url).host]) hosts.delete(own)
  assert.deepEqual([...hosts], [host])
})

test('chat: batches, a limit with a queue and one with drops, as each listener asked', async () => {
  const meetingId = await meeting()
  const [ann, queues, drops] = [
    await inside(meetingId, 'ann', STILL),
    await inside(meetingId, 'queues', STILL),
    await inside(meetingId, 'drops', STILL),
  ]
  await queues.run(LISTEN('{ newMessageLimit: 5 }'))
  await drops.run(LISTEN(`{ newMessageLimit: 2, realtimeOverflow: 'drop' }`))
  const said = Array.from({ length: 30 }, (_, at) => `m${at}`)
  await ann.run(`await Promise.all(${JSON.stringify(said)}.map((text) => m.pubSub.publish('CHAT', text)))`)
  await queues.until(`chat.length === ${said.length}`)
  assert.deepEqual((await queues.run<string[]>('return chat')).toSorted(), said.toSorted())
  const batches = await queues.run<string[][]>('return batches')
  assert.deepEqual(batches.flat(), await queues.run('return chat'))
  assert.ok(batches.some((batch) => batch.length > 1))
  await ann.run(
    `globalThis.saying = setInterval(() => m.pubSub.publish('CHAT', 'later').catch(() => 0), 600)`,
  )
  await drops.logged('dropped', 'values[0] > 0')
  await ann.run('clearInterval(saying)')
  assert.ok((await drops.run<string[]>('return chat')).length < said.length)
})

test('a chat socket that is cut reconnects by itself, and no message arrives twice', async () => {
  const meetingId = await meeting()
  const cable = await Cable.to(Number(new URL(server.secureUrl).port))
  try {
    const ann = await inside(meetingId, 'ann', { ...STILL, at: `https://localhost:${cable.port}` })
    const bob = await inside(meetingId, 'bob', STILL)
    await ann.run(LISTEN())
    await bob.run(
      `let at = 0; globalThis.saying = setInterval(() => m.pubSub.publish('CHAT', 'm' + at++, { persist: true }), 200)`,
    )
    await ann.until('chat.length > 2')
    const opened = cable.opened
    cable.cutNewest()
    const before = await ann.run<number>('return chat.length')
    await ann.until(`chat.length > ${before + 3}`)
    assert.ok(cable.opened > opened)
    await bob.run('clearInterval(saying)')
    assert.deepEqual(await ann.run(`return log.filter(([name]) => name === 'meeting-left')`), [])
    const heard = await ann.run<string[]>('return chat')
    assert.deepEqual(heard, [...new Set(heard)])
    // A client that subscribes again gets everything.
    const carl = await inside(meetingId, 'carl', STILL)
    await carl.run(LISTEN())
    await carl.until(`chat.includes(${JSON.stringify(heard.at(-1))})`)
    const all = await carl.run<string[]>('return chat')
    assert.deepEqual(
      all,
      all.map((_, at) => `m${at}`),
    )
  } finally {
    cable.close()
  }
})

for (const unnoticed of [false, true]) {
  test(`a cut ${unnoticed ? 'that the server has not noticed' : 'of the TCP connection'}: the same session, media back, nobody doubled`, async () => {
    const meetingId = await meeting()
    const cable = await Cable.to(Number(new URL(server.secureUrl).port))
    try {
      const ann = await inside(meetingId, 'ann', { at: `https://localhost:${cable.port}` })
      const bob = await inside(meetingId, 'bob')
      await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
      await bob.run(LISTEN())
      await bob.run(`await m.pubSub.publish('CHAT', 'before', { persist: true }); log.length = 0`)
      await ann.run('log.length = 0')
      cable.cut({ unnoticed })
      await bob.logged(
        'participant-left',
        `values[0].id === 'ann' && values[1].code === ${unnoticed ? 1011 : 1001}`,
      )
      await bob.logged('participant-joined', `values[0].id === 'ann'`)
      await Promise.all([ann.seesAndHears(1), bob.seesAndHears(1)])
      assert.equal(await ann.run('return m.participants.size'), 1)
      assert.equal(await bob.run('return m.participants.size'), 1)
      assert.equal(await bob.run(`return m.participants.get('ann').streams.size`), 2)
      await ann.run(LISTEN())
      await ann.until(`chat.includes('before')`)
      assert.deepEqual(await ann.run(`return log.filter(([name]) => name === 'meeting-left')`), [])
    } finally {
      cable.close()
    }
  })
}
