/**
 * A media server in memory, for tests that need no worker: the same interface, the same refusals and the same events.
 * It negotiates parameters with mediasoup's own rules, which are plain functions. Packets move only from an ingress to
 * a tap.
 */
import type { Sfu } from '../sfu.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { Placement } from '../placement.ts'
import { FakeRouter } from './router.ts'

/**
 * One call that changed something: its method, e.g. `produce`, and the id of the object it was called on or created.
 */
export interface FakeCall {
  method: string
  id: string
}

export interface FakeSfu extends Sfu {
  /** Every router that was opened, including closed ones. */
  readonly routers: FakeRouter[]
  readonly calls: FakeCall[]
  /** Simulates the death of one worker, or of all: everything on it is lost, and a new worker replaces it. */
  kill(worker?: number): void
}

export interface FakeSfuOptions {
  /** Makes a media server that is off, for this reason. */
  unavailable?: string
  /** Default: 1. */
  workers?: number
  placement?: Placement
}

export function createFakeSfu(options: FakeSfuOptions = {}): FakeSfu {
  const routers: FakeRouter[] = []
  const calls: FakeCall[] = []
  const { unavailable, workers: count = 1, placement = 'auto' } = options
  const workers = Array.from({ length: count }, (_, index) => index)
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
        ? { available: true, ports: workers.map((index) => 40_000 + index), workers: count, tried: true }
        : { available: false, reason: unavailable, isComing: false },
    openRouter(asked) {
      if (unavailable !== undefined) {
        return Promise.reject(new Refusal('MEDIA_UNAVAILABLE', { message: unavailable }))
      }
      if (isClosed) return Promise.reject(new Refusal('MEDIA_UNAVAILABLE', { reason: 'closed' }))
      const router = new FakeRouter(newId, record, { count, placement, routers }, asked)
      routers.push(router)
      record('openRouter', router.id)
      return Promise.resolve(router)
    },
    tcpTarget: () => undefined,
    usage() {
      if (unavailable !== undefined || isClosed) return Promise.resolve([])
      const open = routers.filter(({ closed: gone }) => !gone)
      return Promise.resolve(
        workers.map((index) => {
          const total = { members: 0, producers: 0, consumers: 0, pipesIn: 0, pipesOut: 0 }
          for (const router of open) {
            const counts = router.countOn(index)
            for (const what of Object.keys(total) as (keyof typeof total)[]) total[what] += counts[what]
          }
          return {
            index,
            port: 40_000 + index,
            cpuSeconds: 0,
            routers: open.filter((router) => router.isOn(index)).length,
            ...total,
          }
        }),
      )
    },
    close() {
      isClosed = true
      for (const router of routers) router.closeAll()
      return Promise.resolve()
    },
    kill(worker) {
      for (const dead of worker === undefined ? workers : [worker])
        for (const router of [...routers]) router.lose(dead)
    },
  }
}
