import type { TransportHost } from '../../src/media/mediasoup/transport.ts'

/** Replaces the router of a transport if it is the only one. */
export const transportHost: TransportHost = {
  log: undefined,
  register: () => undefined,
  worker: 0,
  bring: (id) => Promise.resolve({ id, hold: () => undefined }),
}
