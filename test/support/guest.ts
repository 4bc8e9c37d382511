/** Somebody with our own client in a meeting whose nodes come and go. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { OwnClient } from './own-client.ts'
import { API_KEY, signAnything } from './test-server.ts'

const token = signAnything({ apikey: API_KEY, permissions: ['allow_join', 'allow_mod'] })
const PATIENCE_MS = 60_000

/** Our own client, through a node or a balancer, and what its app is told while nodes end. */
export class Guest {
  readonly client: OwnClient
  /** The states of its meeting since it joined. */
  readonly states: string[] = []

  constructor(t: TestContext, { url }: { url: string }, meetingId: string, participantId: string) {
    this.client = new OwnClient({
      url,
      token,
      meetingId,
      participantId,
      mic: false,
      camera: false,
    })
    this.client.meeting.on('stateChanged', (state) => this.states.push(state))
    t.after(() => this.client.meeting.leave())
  }

  async joined(): Promise<this> {
    await this.client.until(() => this.client.meeting.state === 'joined', 'joined', PATIENCE_MS)
    return this
  }

  /** How often it joined: once, and after each time that it was cut off. */
  get joins(): number {
    return this.states.filter((state) => state === 'joined').length
  }

  /** Waits until it has joined this often, and knows all. It must never have left. */
  async isBackAmong(people: number, joins = 2): Promise<void> {
    const { client } = this
    await client.until(
      () =>
        this.joins >= joins &&
        client.meeting.state === 'joined' &&
        client.meeting.participants.size === people - 1,
      'came back',
      PATIENCE_MS,
    )
    assert.ok(!this.states.includes('left'), this.states.join())
  }
}
