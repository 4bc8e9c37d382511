/**
 * Takes each published version through an app's actions in a meeting, each journey with a real browser, socket and
 * media server. The other side is the newest version. At the end, a file prints its results: versions × journeys.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { Cable } from '../support/proxy.ts'
import { AppServer, Published, type PublishedOptions, type Version } from '../support/published.ts'
import { RealServer } from '../support/real-server.ts'
import { API_KEY, signAnything } from '../support/test-server.ts'
import { Table } from './table.ts'

const DIRECT = ['allow_join']
const MODERATOR = ['allow_join', 'allow_mod']
const ASKS = ['ask_join']
const WITHOUT_DEVICES = { micEnabled: false, webcamEnabled: false }

/** The columns of the table, in the order of the journeys. */
const COLUMNS = [
  'create',
  'join',
  'picture',
  'sound',
  'mute',
  'chat',
  'history',
  'hand',
  'share',
  'moderates',
  'obeys',
  'leave',
  'rejoin',
  'cut',
  'end',
  'camera first',
  'off and on',
  'lobby',
  'not allowed',
  'refused',
  'no output',
  'chat refused',
  'one host',
] as const
type Column = (typeof COLUMNS)[number]

const token = (permissions: string[], claims: Record<string, unknown> = {}): string =>
  signAnything({ apikey: API_KEY, permissions, ...claims })

/** Flags for many windows on few cores: the fake camera has a low frame rate. */
export const SLOW_CAMERA = '--use-fake-device-for-media-stream=fps=10'

/** Versions that run at the same time: more would be slower, not faster. */
const AT_ONCE = 4

export function journeys(...versions: Version[]): void {
  let browser: Browser
  let app: AppServer
  let server: RealServer
  const table = new Table(COLUMNS)

  before(async () => {
    browser = await launchBrowser([
      '--ignore-certificate-errors',
      '--auto-select-desktop-capture-source=Entire screen',
      SLOW_CAMERA,
      // Connections to other hosts fail on this machine; attempts are recorded anyway.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost',
    ])
    app = await AppServer.start()
    server = await RealServer.start({ MEDIA_WORKERS: '1', FFMPEG_BIN: '/where/there/is/none' })
  })
  after(async () => {
    await browser.close()
    app.stop()
    await server.stop()
    table.print()
  })

  describe('js-sdk', { concurrency: AT_ONCE }, () => {
    for (const version of versions) {
      test(version, async (context) => {
        const journey = new Journey({ version, browser, app, server, table, context })
        await journey.open()
        await journey.together()
        await journey.cameraFirst()
        await journey.lobby()
        await journey.refusals()
        await journey.close()
      })
    }
  })
}

interface Stage {
  version: Version
  browser: Browser
  app: AppServer
  server: RealServer
  table: Table<Column>
  context: TestContext
}

/** All journeys of one version: Ann uses it, and Bob uses the newest. */
class Journey {
  readonly #stage: Stage
  #ann!: Published
  #bob!: Published
  /** Ann's connection to the server. */
  #cable!: Cable
  /** A failed step; steps that depend on it are skipped. */
  #broken: string | undefined
  /** Something failed since the windows were opened, so they may still be in a meeting. */
  #failed = false

  constructor(stage: Stage) {
    this.#stage = stage
  }

  async open(): Promise<void> {
    const { browser, app, server, version } = this.#stage
    this.#ann = await Published.at(browser, app, version)
    this.#bob = await Published.at(browser, app, '1.1.1')
    this.#cable = await Cable.to(Number(new URL(server.secureUrl).port))
  }

  async close(): Promise<void> {
    await Promise.all([this.#ann.close(), this.#bob.close()])
    this.#cable.close()
  }

  /** One meeting, from its creation to its end. */
  async together(): Promise<void> {
    const { server } = this.#stage
    const [ann, bob, cable] = [this.#ann, this.#bob, this.#cable]
    const viaCable = `https://localhost:${cable.port}`
    const options = (name: string): PublishedOptions => ({
      token: token(MODERATOR),
      meetingId,
      participantId: name,
      name,
    })
    let meetingId = ''

    await this.#step(
      'create',
      'creates and validates a meeting',
      async () => {
        meetingId = await createAsQuickstartsDo(ann, server.secureUrl)
      },
      { carries: true },
    )
    const annJoins = options('ann')
    const bobJoins = options('bob')
    await this.#step(
      'join',
      'joins, and each knows the other',
      async () => {
        await ann.inside(viaCable, annJoins)
        await bob.inside(server.secureUrl, bobJoins)
        await this.#two(ann, bob)
        assert.equal(await bob.run(`return m.participants.get('ann').displayName`), 'ann')
        assert.equal(await ann.run(`return m.participants.get('bob').displayName`), 'bob')
      },
      { carries: true },
    )
    await this.#step('picture', 'sees the other and is seen', () =>
      Promise.all([ann.sees('bob'), bob.sees('ann')]),
    )
    await this.#step('sound', 'hears the other and is heard', () =>
      Promise.all([ann.hears('bob'), bob.hears('ann')]),
    )
    await this.#step('mute', 'mutes and unmutes, and sees it of the other', async () => {
      for (const [one, other, name] of [
        [ann, bob, 'ann'],
        [bob, ann, 'bob'],
      ] as const) {
        await one.run('await m.muteMic()')
        await other.until(`!m.participants.get('${name}').micOn && m.participants.get('${name}').webcamOn`)
        await one.run('await m.disableWebcam()')
        await other.until(`!m.participants.get('${name}').webcamOn`)
        await other.until(`m.participants.get('${name}').streams.size === 0`)
        await one.run('await m.unmuteMic()')
        await one.enableWebcam()
        await other.until(`m.participants.get('${name}').micOn && m.participants.get('${name}').webcamOn`)
        await Promise.all([other.sees(name), other.hears(name)])
      }
    })
    await this.#step('chat', 'says and hears, each sender named by the server', () => this.#chat(ann, bob))
    await this.#step('history', 'hears what was said before, of both, in order', () =>
      this.#history(ann, bob),
    )
    await this.#step('hand', 'raises a hand and sees one raised', async () => {
      for (const one of [ann, bob]) await one.subscribe('RAISE_HAND')
      for (const [one, other, name] of [
        [ann, bob, 'ann'],
        [bob, ann, 'bob'],
      ] as const) {
        await one.publish('RAISE_HAND', `${name} raises a hand`)
        assert.equal((await other.heard(`${name} raises a hand`)).senderId, name)
      }
    })
    await this.#step('share', 'shares a screen and sees one shared', async () => {
      for (const [one, other, name] of [
        [ann, bob, 'ann'],
        [bob, ann, 'bob'],
      ] as const) {
        await one.run('await m.enableScreenShare()')
        await other.until(`m.activePresenterId === '${name}'`)
        await other.sees(name, 'share')
        await one.run('await m.disableScreenShare()')
        await other.until(
          `[...m.participants.get('${name}').streams.values()].every(({ kind }) => kind !== 'share')`,
        )
      }
    })
    await this.#step('moderates', 'switches devices of another off, and on by consent', () =>
      moderates(ann, bob, 'bob'),
    )
    await this.#step('obeys', 'is switched off and asked on', () => moderates(bob, ann, 'ann'))
    await this.#step(
      'leave',
      'leaves without a ghost, and sees none of one who left',
      async () => {
        await ann.run('await m.leave()')
        await bob.logged('participant-left', `values[0].id === 'ann' && values[1].code === 1101`)
        await ann.logged('meeting-left')
        assert.equal(await bob.run('return m.participants.size'), 0)
        await ann.inside(viaCable, annJoins)
        await this.#two(ann, bob)
        await bob.run('await m.leave()')
        await ann.logged(
          'participant-left',
          `values[0].id === 'bob'${ann.traits.leaveReason ? ' && values[1].code === 1101' : ''}`,
        )
        assert.equal(await ann.run('return m.participants.size'), 0)
      },
      { carries: true },
    )
    await this.#step(
      'rejoin',
      'comes back once, seen and heard',
      async () => {
        await bob.inside(server.secureUrl, bobJoins)
        await this.#two(ann, bob)
        await Promise.all([ann.sees('bob'), bob.sees('ann'), ann.hears('bob'), bob.hears('ann')])
      },
      { carries: true },
    )
    await this.#step(
      'cut',
      'comes back after a cut, once, with media and chat',
      async () => {
        await ann.subscribe('AFTER')
        const known = await bob.run<number>('return log.length')
        cable.cut()
        const since = (event: string): Promise<unknown> =>
          bob.until(`log.slice(${known}).find(([name, who]) => name === '${event}' && who.id === 'ann')`)
        await since('participant-left')
        await since('participant-joined')
        await this.#two(ann, bob)
        if (!ann.traits.restoresCamera) {
          // As a person does after coming back.
          await bob.hears('ann')
          await ann.switchCamera('ann', bob)
        }
        await Promise.all([ann.sees('bob'), bob.sees('ann'), ann.hears('bob'), bob.hears('ann')])
        // The newest version forgets its subscriptions; older ones do not subscribe again, and their apps need not
        // either.
        if (ann.traits.chat === 'listeners') await ann.subscribe('AFTER')
        await bob.publish('AFTER', 'still there?')
        await ann.heard('still there?')
      },
      { carries: true },
    )
    await this.#step('end', 'ends the meeting for all, and hears its end', async () => {
      await bob.run('await m.end()')
      await ann.logged('meeting-left', ann.traits.leaveReason ? 'values[0].code === 1008' : 'true')
      await bob.logged('meeting-left', 'values[0].code === 1008')
      await this.#nobodyIn(meetingId)
      await bob.inside(server.secureUrl, bobJoins)
      await ann.inside(viaCable, annJoins)
      await this.#two(ann, bob)
      await ann.run('await m.end()')
      await bob.logged('meeting-left', 'values[0].code === 1008')
      await ann.logged('meeting-left')
      await this.#nobodyIn(meetingId)
    })
  }

  /** An entry request, denied and allowed, from both sides; and moderation with and without permission. */
  async lobby(): Promise<void> {
    const { server } = this.#stage
    const [ann, bob] = await this.#anew()
    const meetingId = await server.createMeeting()
    const options = (permissions: string[], name: string): PublishedOptions => ({
      token: token(permissions),
      meetingId,
      participantId: name,
      name,
      ...WITHOUT_DEVICES,
    })
    const bobRequests = (name: string): Promise<unknown> =>
      bob.until(`last['entry-requested']?.participantId === '${name}'`)
    await this.#step('lobby', 'asks, is denied and let in; denies and lets in', async () => {
      await bob.inside(server.secureUrl, options(DIRECT, 'bob'))
      await ann.join(server.secureUrl, options(ASKS, 'ann'))
      await bobRequests('ann')
      assert.equal(await ann.run(`return log.some(([name]) => name === 'meeting-joined')`), false)
      await bob.run(`last['entry-requested'].deny()`)
      if (ann.traits.hearsDenial) await ann.logged('entry-responded', `values[1] === 'denied'`)
      await ann.logged('error', 'values[0].code === 4025')
      await ann.logged('meeting-left')
      assert.equal(await bob.run('return m.participants.size'), 0)

      await ann.join(server.secureUrl, options(ASKS, 'ann-again'))
      await bobRequests('ann-again')
      await bob.run(`last['entry-requested'].allow()`)
      await ann.logged('meeting-joined')
      await bob.until(`m.participants.has('ann-again')`)
      await ann.run('await m.leave()')
      await bob.run('await m.leave()')

      await ann.inside(server.secureUrl, options(DIRECT, 'ann-inside'))
      await bob.join(server.secureUrl, options(ASKS, 'bob'))
      await ann.until(`last['entry-requested']?.participantId === 'bob'`)
      await ann.run(`last['entry-requested'].deny()`)
      await bob.logged('entry-responded', `values[1] === 'denied'`)
      await bob.logged('meeting-left')
      await bob.join(server.secureUrl, options(ASKS, 'bob-again'))
      await ann.until(`last['entry-requested']?.participantId === 'bob-again'`)
      await ann.run(`last['entry-requested'].allow()`)
      await bob.logged('meeting-joined')
      await ann.until(`m.participants.has('bob-again')`)
      await bob.run('await m.leave()')
      await ann.run('await m.leave()')
    })
    await this.#step('not allowed', 'hears that it may not, and is removed by one who may', async () => {
      await bob.inside(server.secureUrl, { ...options(MODERATOR, 'bob'), micEnabled: true })
      await ann.inside(server.secureUrl, options(DIRECT, 'ann-without'))
      await ann.until(`m.participants.get('bob')?.micOn`)
      for (const call of [
        `participants.get('bob').disableMic()`,
        `participants.get('bob').enableMic()`,
        `participants.get('bob').disableWebcam()`,
        `participants.get('bob').enableWebcam()`,
        `participants.get('bob').pin()`,
        `participants.get('bob').remove()`,
        'end()',
      ])
        await ann.refused(call, 4008)
      await ann.until(`m.participants.get('bob')?.micOn`)
      await bob.until(`m.participants.get('ann-without')`)
      assert.equal(await bob.run(`return last['webcam-requested']`), undefined)
      await bob.run(`await m.participants.get('ann-without').remove()`)
      await ann.logged('meeting-left', ann.traits.leaveReason ? 'values[0].code === 1002' : 'true')
      await bob.logged('participant-left', `values[0].id === 'ann-without' && values[1].code === 1002`)
      await ann.join(server.secureUrl, options(DIRECT, 'ann-without'))
      await ann.logged('error', 'values[0].code === 4025')
      assert.equal(await bob.run('return m.participants.size'), 0)

      await ann.inside(server.secureUrl, options(MODERATOR, 'ann-with'))
      await ann.until(`m.participants.get('bob')`)
      await ann.run(`await m.participants.get('bob').remove()`)
      await bob.logged('meeting-left', 'values[0].code === 1002')
      await ann.until('m.participants.size === 0')
      await ann.run('await m.leave()')
    })
  }

  /** The camera opens before the microphone, as for somebody who joins muted, and everything goes off and on again. */
  async cameraFirst(): Promise<void> {
    const { server } = this.#stage
    const [ann, bob] = await this.#anew()
    // In the sizes that each version requests, so that all of its layers are sent.
    await ann.run('smallPictures = false')
    const meetingId = await server.createMeeting()
    const options = { token: token(DIRECT), meetingId }
    const closed = (kind: string): Promise<unknown> =>
      bob.until(
        `[...m.participants.get('ann').streams.values()].every((stream) => stream.kind !== '${kind}')`,
      )
    await this.#step(
      'camera first',
      'is seen and heard where the camera opens before the microphone',
      async () => {
        await bob.inside(server.secureUrl, { ...options, ...WITHOUT_DEVICES, participantId: 'bob' })
        await ann.inside(server.secureUrl, { ...options, micEnabled: false, participantId: 'ann' })
        await bob.sees('ann')
        await ann.run('await m.unmuteMic()')
        await bob.hears('ann')
        await bob.logged('speaker-changed', `values[0] === 'ann'`)
        await ann.run('await m.enableScreenShare()')
        await Promise.all([bob.sees('ann', 'share'), bob.sees('ann')])
      },
      { carries: true },
    )
    await this.#step(
      'off and on',
      'is seen and heard again after camera, microphone and share were off',
      async () => {
        await ann.run('await m.disableScreenShare()')
        await closed('share')
        await ann.run('await m.disableWebcam()')
        await closed('video')
        await bob.hears('ann')
        await ann.run('await m.muteMic()')
        await closed('audio')
        await ann.enableWebcam()
        await bob.sees('ann')
        await ann.run('await m.unmuteMic()')
        await bob.hears('ann')
        await ann.run('await m.enableScreenShare()')
        await Promise.all([bob.sees('ann', 'share'), bob.sees('ann')])
        // Only video, and a new stream.
        await ann.run('await m.disableWebcam()')
        await closed('video')
        await ann.enableWebcam()
        await bob.sees('ann')
        await ann.run('smallPictures = true; await m.leave()')
        await bob.run('await m.leave()')
      },
    )
  }

  /** Every refusal reaches the app, which then connects to no other host. */
  async refusals(): Promise<void> {
    const { app, server } = this.#stage
    const [ann] = await this.#anew()
    const meetingId = await server.createMeeting()
    const disabled = await server.createMeeting()
    await server.rest('POST', '/v2/rooms/deactivate', { roomId: disabled })
    await this.#step('refused', 'hears each refusal at the door', async () => {
      const cases: [code: number, given: string, to: string][] = [
        [4001, signAnything({ apikey: 'nobody', permissions: DIRECT }), meetingId],
        [4002, `${token(DIRECT).slice(0, -3)}AAA`, meetingId],
        [4002, token(DIRECT, { exp: 1_700_000_000, iat: 1_600_000_000 }), meetingId],
        [4003, token(DIRECT), 'aaaa-bbbb-cccc'],
        [4008, token(['ask_join', 'allow_mod']), meetingId],
        [4022, token(DIRECT, { roomId: 'aaaa-bbbb-cccc' }), meetingId],
        [4024, token(DIRECT, { roles: ['crawler'] }), meetingId],
        [4052, token(DIRECT), disabled],
      ]
      for (const [code, given, to] of cases) {
        const told = await ann.refusedAt(server.secureUrl, {
          token: given,
          meetingId: to,
          ...WITHOUT_DEVICES,
        })
        if (ann.traits.refusedJoin === 'FAILED') assert.equal(told.state, 'FAILED')
        else assert.equal(told.code, code)
      }
      // The socket detects it, so it is reported as an error event.
      await ann.join(server.secureUrl, {
        token: token(DIRECT, { participantId: 'somebody' }),
        meetingId,
        participantId: 'ann',
        ...WITHOUT_DEVICES,
      })
      await ann.logged('error', 'values[0].code === 4023')
    })
    await this.#step('no output', 'is not told that something runs that does not', async () => {
      await ann.inside(server.secureUrl, {
        token: token(MODERATOR),
        meetingId,
        participantId: 'ann',
        ...WITHOUT_DEVICES,
      })
      const { refused } = ann.traits
      for (const [call, code] of [
        ['startRecording()', refused.recording],
        ['startHls()', refused.hls],
        [`startLivestream([{ url: 'rtmp://localhost', streamKey: 'k' }])`, refused.livestream],
        ['startTranscription({})', refused.transcription],
        [`startVideo({ link: 'https://localhost/video' })`, refused.externalVideo],
      ] as const)
        if (code !== undefined) await ann.refused(call, code)
    })
    await this.#step('chat refused', 'hears that what it says, or wants to hear, is refused', async () => {
      const tooLong = 'x'.repeat(300)
      const failed = await ann.publish(tooLong, 'said to nobody')
      if (ann.traits.publishRejects) assert.ok(failed)
      else await ann.logged('error', 'values[0].code === 5000')
      // The newest version refuses it by itself.
      if (ann.traits.chat === 'answer')
        await ann.refused(`pubSub.subscribe('${tooLong}', () => undefined)`, 5000)
      await ann.run('await m.leave()')
    })
    await this.#step('one host', 'called nobody but this server', async () => {
      const viaCable = `https://localhost:${this.#cable.port}`
      assert.deepEqual(ann.strangers(app.url, server.secureUrl, viaCable), [])
      assert.ok(ann.addresses.some((address) => address.startsWith('wss:')))
      assert.deepEqual(await ann.run('return iceServers'), [])
    })
  }

  /** With `carries`, later journeys are skipped if it fails. */
  async #step(
    column: Column,
    title: string,
    work: () => Promise<unknown>,
    { carries = false } = {},
  ): Promise<void> {
    const { context, version, table } = this.#stage
    if (this.#broken !== undefined) {
      table.set(version, column, '-')
      await context.test(title, { skip: `it stands on this, which failed: ${this.#broken}` })
      return
    }
    await context.test(title, async () => {
      try {
        await work()
        table.set(version, column, 'yes')
      } catch (error) {
        table.set(version, column, 'NO')
        this.#failed = true
        if (carries) this.#broken = title
        throw error
      }
    })
  }

  /** Opens new windows, in no meeting. */
  async #anew(): Promise<[ann: Published, bob: Published]> {
    if (this.#failed) await Promise.all([this.#ann.reload(), this.#bob.reload()])
    this.#failed = false
    this.#broken = undefined
    return [this.#ann, this.#bob]
  }

  /** Each sees exactly the other. */
  async #two(ann: Published, bob: Published): Promise<void> {
    await ann.until(`[...m.participants.keys()].join() === 'bob'`)
    await bob.until(`[...m.participants.keys()].join() === 'ann'`)
  }

  async #nobodyIn(meetingId: string): Promise<void> {
    const { body } = await this.#stage.server.rest('GET', `/v2/sessions?roomId=${meetingId}`)
    for (const session of body.data) assert.equal(session.status, 'ended')
  }

  async #chat(ann: Published, bob: Published): Promise<void> {
    for (const one of [ann, bob]) await one.subscribe('CHAT')
    const payload = { at: 1, deep: { er: ['x'] } }
    for (const [one, name] of [
      [ann, 'ann'],
      [bob, 'bob'],
    ] as const) {
      await one.publish('CHAT', `${name} says`, { persist: true }, one.traits.payload ? payload : undefined)
      for (const listener of [ann, bob]) {
        const heard = await listener.heard(`${name} says`)
        assert.equal(heard.senderId, name)
        assert.equal(heard.senderName, name)
        assert.equal(heard.topic, 'CHAT')
        assert.ok(typeof heard.id === 'string' && heard.id !== '')
        assert.ok(Math.abs(new Date(heard.timestamp).getTime() - Date.now()) < 60_000)
        if (one.traits.payload && listener.traits.payload) assert.deepEqual(heard.payload, payload)
      }
      await one.publish('CHAT', `${name} to nobody here`, { sendOnly: ['nobody'] })
      await one.publish('CHAT', `${name} to both`, { sendOnly: ['ann', 'bob'] })
      const other = one === ann ? bob : ann
      await other.heard(`${name} to both`)
      assert.equal(
        await other.run(`return chat.some(({ message }) => message === '${name} to nobody here')`),
        false,
      )
    }
    // Once each, although one side may receive it over another socket than the other.
    for (const listener of [ann, bob]) {
      const heard = await listener.run<string[]>(
        `return chat.filter(({ message }) => message.endsWith('says')).map(({ message }) => message)`,
      )
      assert.deepEqual(heard.sort(), ['ann says', 'bob says'])
    }
  }

  async #history(ann: Published, bob: Published): Promise<void> {
    for (const [at, one] of [ann, bob, ann].entries())
      await one.publish('BEFORE', `before ${at}`, { persist: true })
    await ann.publish('BEFORE', 'not kept', {})
    for (const one of [ann, bob]) {
      await one.subscribe('BEFORE')
      await one.heard('before 2', 'old')
      const old = await one.run<any[]>(
        `return chat.filter(({ topic, when }) => topic === 'BEFORE' && when === 'old')`,
      )
      assert.deepEqual(
        old.map(({ message, senderId }) => [message, senderId]),
        [
          ['before 0', 'ann'],
          ['before 1', 'bob'],
          ['before 2', 'ann'],
        ],
      )
      for (const { timestamp } of old) assert.ok(!Number.isNaN(new Date(timestamp).getTime()))
    }
  }
}

/** `one` switches off the devices of `other`, and asks to switch them on. */
async function moderates(one: Published, other: Published, name: string): Promise<void> {
  const target = `m.participants.get('${name}')`
  await one.until(`${target}.micOn && ${target}.webcamOn`)
  for (const [method, device, on] of [
    ['Mic', 'mic', 'micOn'],
    ['Webcam', 'webcam', 'webcamOn'],
  ] as const) {
    await one.run(`await ${target}.disable${method}()`)
    await one.until(`!${target}.${on}`)
    await other.until(`!m.localParticipant.${on}`)
    await other.run(`delete last['${device}-requested']`)
    await one.run(`await ${target}.enable${method}()`)
    await other.until(`last['${device}-requested']`)
    assert.equal(await one.run(`return ${target}.${on}`), false)
    await other.accept(device)
    await one.until(`${target}.${on}`)
  }
  await Promise.all([one.sees(name), one.hears(name)])
}

/** Makes the calls of the quickstarts of its time, from the app's page. */
async function createAsQuickstartsDo(one: Published, secureUrl: string): Promise<string> {
  const [creates, validates] =
    one.traits.modes[0] === 'CONFERENCE'
      ? [`'/v1/meetings', post`, '`/v1/meetings/${id}`, post']
      : [`'/v2/rooms', post`, '`/v2/rooms/validate/${id}`, { headers: post.headers }']
  return one.run(`
    const { token } = await (await fetch('${secureUrl}/get-token')).json()
    const post = { method: 'POST', headers: { authorization: token } }
    const call = async (path, options) => (await fetch('${secureUrl}' + path, options)).json()
    const created = await call(${creates})
    const id = created.roomId ?? created.meetingId
    const validated = await call(${validates})
    if ((validated.roomId ?? validated.meetingId) !== id) throw new Error(JSON.stringify(validated))
    return id
  `)
}
