import type { TransportHost } from '../../src/media/mediasoup/transport.ts'

/** What a transport asks of its router, where the router is the only one. */
export const transportHost: TransportHost = {
  log: undefined,
  register: () => undefined,
  worker: 0,
  bring: (id) => Promise.resolve({ id, hold: () => undefined }),
}
