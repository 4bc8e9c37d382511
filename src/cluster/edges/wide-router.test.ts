import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Router, Transport } from '../../media/sfu.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { EdgeLink } from './edge-link.ts'
import { WideRouter } from './wide-router.ts'

/** Edges that take a moment for everything, chosen in turn. */
function wide({ fails = false } = {}) {
  const links = ['a', 'b', 'c'].map((nodeId) => {
    const link = {
      nodeId,
      isLost: false,
      closed: [] as number[],
      newKey: () => 1,
      call: async () => {
        await delay(1)
        if (fails) throw new Refusal('MEDIA_UNAVAILABLE')
      },
      make: () => Promise.resolve({ node: nodeId }),
      closeRouter: (key: number) => link.closed.push(key),
    }
    return link
  })
  let chosen = 0
  const router = new WideRouter({
    local: { createTransport: () => Promise.resolve({ node: 'home' } as Transport) } as unknown as Router,
    choose: () => links[chosen++ % links.length]!.nodeId,
    linkTo: (nodeId) => Promise.resolve(links.find((link) => link.nodeId === nodeId) as unknown as EdgeLink),
    onProducer: () => () => undefined,
    onError: () => undefined,
  })
  /** The nodes of both transports of a member. */
  const seat = async (member: object) => {
    const both = (['send', 'receive'] as const).map((direction) =>
      router.createTransport({ direction, member }),
    )
    return (await Promise.all(both)).map((transport) => (transport as { node?: string }).node)
  }
  return { links, seat, router }
}

test('who cannot reach other nodes is at the home, whichever node would be chosen', async () => {
  const { router } = wide()
  const { node } = await router.createTransport({ direction: 'receive', member: {}, staysHere: true })
  assert.equal(node, 'home')
})

test('both transports of a member are on one node, also if it asks for them at once, and after that is lost', async () => {
  const { links, seat } = wide()
  const member = {}
  assert.deepEqual(await seat(member), ['a', 'a'])
  assert.deepEqual(await seat({}), ['b', 'b'])
  links[0]!.isLost = true
  assert.deepEqual(await seat(member), ['c', 'c'])
})

test('a meeting goes on at its home where a node does not open it, and leaves nothing there', async () => {
  const { links, seat } = wide({ fails: true })
  assert.deepEqual(await seat({}), ['home', 'home'])
  assert.deepEqual(links[0]!.closed, [1])
})
