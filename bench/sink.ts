/** Both ends of the packets of a measurement that has no clients. */
import { spawn } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** Opens a UDP socket that is never read, so the kernel drops the packets silently. */
export async function openSink(): Promise<{ port: number; close: () => void }> {
  const sink = spawn(
    process.execPath,
    [
      '-e',
      `const s = require('node:dgram').createSocket('udp4'); s.bind(0, '127.0.0.1', () => { console.log(s.address().port) })`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = (await once(sink.stdout, 'data')) as [Buffer]
  sink.kill('SIGSTOP')
  return { port: Number(String(said)), close: () => void sink.kill('SIGKILL') }
}

/** Opens a UDP socket that sends. */
export async function openFeed(): Promise<Socket> {
  const feed = createSocket('udp4')
  feed.bind(0, '127.0.0.1')
  await once(feed, 'listening')
  return feed
}
