/** Which addresses and names mean this machine to itself. */

/** Whether only this machine reaches an address. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address)
}

/** Whether a host, with or without a port, is a name of this machine that no other can have. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i.test(host)
}
