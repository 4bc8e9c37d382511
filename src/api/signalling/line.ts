/** Checks whether the other end of a WebSocket is still there: every client answers pings of the protocol by itself. */
import type { WebSocket } from 'ws'

/** Resolves with false if nothing arrives within this time, or if the socket closes. */
export async function lineAnswers(
  socket: Pick<WebSocket, 'readyState' | 'OPEN' | 'ping' | 'on' | 'off'>,
  withinMs: number,
): Promise<boolean> {
  if (socket.readyState !== socket.OPEN) return false
  return new Promise((resolve) => {
    const settle = (isAlive: boolean): void => {
      clearTimeout(timer)
      socket.off('pong', alive)
      socket.off('message', alive)
      socket.off('close', dead)
      resolve(isAlive)
    }
    const alive = (): void => settle(true)
    const dead = (): void => settle(false)
    // First read what arrived while this process was busy.
    const timer = setTimeout(() => setImmediate(dead), withinMs)
    socket.on('pong', alive)
    socket.on('message', alive)
    socket.on('close', dead)
    socket.ping()
  })
}
