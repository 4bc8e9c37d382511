/** The examples of programs in a meeting, each as a process of its own beside a real server. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { joinMeeting, type Agent } from '../src/agent/agent.ts'
import { RealServer } from './support/real-server.ts'
import { tone } from './support/sounds.ts'
import { API_KEY, signAnything } from './support/test-server.ts'

/** A pause ends what is said, and then the minutes have it. */
const NOTED_MS = 3000

let server: RealServer
before(async () => (server = await RealServer.start({ MEDIA_WORKERS: '1' })))
after(() => server.stop())

const token = signAnything({ apikey: API_KEY, permissions: ['allow_join'] })

class Example {
  said = ''
  readonly #child: ChildProcess
  readonly #listeners = new Set<() => void>()

  constructor(name: string, meetingId: string, env: NodeJS.ProcessEnv = {}) {
    const file = join(import.meta.dirname, '../examples/agents', `${name}.ts`)
    this.#child = spawn(process.execPath, ['--conditions=source', file], {
      env: { ...process.env, URL: server.url, TOKEN: token, MEETING_ID: meetingId, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk: Buffer) => {
        this.said += String(chunk)
        for (const look of this.#listeners) look()
      })
    this.#child.on('exit', () => {
      for (const look of this.#listeners) look()
    })
  }

  /** Waits until it has said this. */
  async says(what: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.said.match(what)
      if (match) return match
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.said}`)
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#listeners.delete(look)
          resolve()
        }
        this.#listeners.add(look)
      })
    }
  }

  /** Stops it as Ctrl-C does, and waits until it has ended in order. */
  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGINT')
    assert.deepEqual(await exit, [0, null], this.said)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

async function withExample(
  name: string,
  env: NodeJS.ProcessEnv,
  run: (example: Example, enter: (name: string) => Promise<Agent>) => Promise<void>,
): Promise<void> {
  const meetingId = await server.createMeeting()
  const example = new Example(name, meetingId, env)
  const agents: Agent[] = []
  try {
    await example.says(/is in the meeting/)
    await run(example, async (who) => {
      const agent = await joinMeeting({ url: server.url, token, meetingId, name: who })
      agents.push(agent)
      return agent
    })
    await example.stop()
  } finally {
    example.kill()
    await Promise.all(agents.map((agent) => agent.leave()))
  }
}

test('without a token an example ends with the server’s sentence', { timeout: 180_000 }, async () => {
  const example = new Example('echo', await server.createMeeting(), { TOKEN: '' })
  await assert.rejects(example.says(/is in the meeting/), /MeetingError/)
})

test('the echo bot prints how long a round trip takes', { timeout: 180_000 }, async (t) => {
  await withExample('echo', { MEASURE: 'true' }, async (example) => {
    const trips = await example.says(/(Round trip: \d+ ms\s+){3}/)
    const ms = [...trips[0].matchAll(/\d+/g)].map(Number)
    t.diagnostic(`round trips of ${ms.join(', ')} ms`)
    assert.ok(ms.every((one) => one > 0))
  })
})

test('the greeter greets with speech, and answers in the chat', { timeout: 180_000 }, async () => {
  await withExample('greeter', {}, async (example, enter) => {
    const ann = await enter('Ann')
    const [greeter] = ann.participants.values()
    let loudest = 0
    const listening = (async () => {
      for await (const { samples } of ann.pcm(greeter!.id)) loudest = Math.max(loudest, ...samples)
    })()
    const answered = new Promise<string>((resolve) =>
      ann.chat.listen('CHAT', ({ text }) => {
        if (text.startsWith('Here are')) resolve(text)
      }),
    )
    await example.says(/Greeted Ann\./)
    assert.ok(loudest > 1000, `the loudest sample was ${loudest}`)
    await ann.chat.publish('CHAT', '!who')
    assert.equal(await answered, 'Here are Ann.')
    await ann.leave()
    await listening
  })
})

test('the minutes have who spoke when', { timeout: 180_000 }, async () => {
  await withExample('minutes', {}, async (example, enter) => {
    const [ann, bob] = [await enter('Ann'), await enter('Bob')]
    /** More than once if need be: what is said before the example receives it is in no minutes. */
    const speaksUntil = async (agent: Agent, line: RegExp): Promise<void> => {
      let isNoted = false
      const noted = example.says(line).then(() => (isNoted = true))
      do {
        const speech = await agent.publishAudio(tone(440, 50))
        await speech.ended
        await Promise.race([noted, delay(NOTED_MS)])
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- changed by an event
      } while (!isNoted)
    }
    await speaksUntil(ann, /\d\d:\d\d:\d\d – \d\d:\d\d:\d\d {2}Ann\n/)
    await speaksUntil(bob, /Ann\n.*Bob\n/)
  })
})
