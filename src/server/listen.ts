/** Opens a port, and explains why it cannot be opened. */
import type { HttpListener } from '../api/http/server.ts'
import { StartError } from '../errors.ts'

/** Returns the port that is open; it differs from the requested one if that was 0. @throws {StartError} */
export async function listen(
  listener: HttpListener,
  host: string,
  port: number,
  variable: string,
): Promise<number> {
  try {
    await listener.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new StartError(`Port ${port} is in use: stop what uses it, or choose another in ${variable}.`, {
        cause: error,
      })
    }
    if (code === 'EACCES') {
      throw new StartError(
        `Port ${port} may not be opened by this user: choose one above 1023 in ${variable}, or allow it with AmbientCapabilities=CAP_NET_BIND_SERVICE in systemd or "sysctl -w net.ipv4.ip_unprivileged_port_start=80".`,
        { cause: error },
      )
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new StartError(`${host} is not an address of this machine: change HOST.`, { cause: error })
    }
    if (code === undefined) throw error
    throw new StartError(`Cannot listen on ${host} port ${port} (${code}): change HOST or ${variable}.`, {
      cause: error,
    })
  }
  const address = listener.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}
