/**
 * A media server in memory, for tests that need no worker: the same interface, the same refusals and the same events.
 * Parameters are negotiated by mediasoup's own rules, which are plain functions. No packet moves but from an ingress to a tap.
 */
import type { Sfu } from '../sfu.ts'
import { Refusal } from '../../protocol/errors.ts'
import { FakeRouter } from './router.ts'

/** One call that changed something, in order: `produce`, with the id of what it was called on or made. */
export interface FakeCall {
  method: string
  id: string
}

export interface FakeSfu extends Sfu {
  /** Every router opened, closed ones included. */
  readonly routers: FakeRouter[]
  readonly calls: FakeCall[]
  /** The worker dies: open routers emit `died`, and all that was made from them is gone. */
  kill(): void
}

/** @param options.unavailable makes it a media server that is off, with this sentence */
export function createFakeSfu(options: { unavailable?: string } = {}): FakeSfu {
  const routers: FakeRouter[] = []
  const calls: FakeCall[] = []
  const { unavailable } = options
  const numbers = new Map<string, number>()
  const record = (method: string, id: string): void => void calls.push({ method, id })
  const newId = (what: string): string => {
    const number = (numbers.get(what) ?? 0) + 1
    numbers.set(what, number)
    return `${what}-${number}`
  }
  let isClosed = false
  return {
    routers,
    calls,
    status:
      unavailable === undefined
        ? { available: true, ports: [40000], workers: 1, tried: true }
        : { available: false, reason: unavailable, isComing: false },
    openRouter() {
      if (unavailable !== undefined) {
        return Promise.reject(new Refusal('MEDIA_UNAVAILABLE', { message: unavailable }))
      }
      if (isClosed) return Promise.reject(new Refusal('MEDIA_UNAVAILABLE', { reason: 'closed' }))
      const router = new FakeRouter(newId, record, routers)
      routers.push(router)
      record('openRouter', router.id)
      return Promise.resolve(router)
    },
    usage() {
      const open = routers.filter(({ closed: gone }) => !gone).length
      const there = unavailable === undefined && !isClosed
      return Promise.resolve(there ? [{ index: 0, cpuSeconds: 0, routers: open }] : [])
    },
    close() {
      isClosed = true
      for (const router of routers) router.closeAll()
      return Promise.resolve()
    },
    kill() {
      // Those that are opened in their place live.
      for (const router of [...routers]) router.die()
    },
  }
}
