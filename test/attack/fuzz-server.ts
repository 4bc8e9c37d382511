/** The server under test, in its own process, so that a crash and its memory are its own. */
import { TestServer } from '../support/test-server.ts'

// No limits, because they would hide the code behind them.
const NO_LIMIT = 10_000_000
const server = await TestServer.start({
  logLevel: 'silent',
  maxRequestsPerSecond: NO_LIMIT,
  maxWaitingPerAddress: NO_LIMIT,
  maxConnectionsPerAddress: NO_LIMIT,
  maxHttpRequestsPerSecond: NO_LIMIT,
  maxKeyRequestsPerSecond: NO_LIMIT,
  maxFailedTokensPerMinute: NO_LIMIT,
  maxEntryRequestsPerMinute: NO_LIMIT,
  maxMediaOpeningsPerMinute: NO_LIMIT,
  maxFileUploadsPerMinute: NO_LIMIT,
  maxSessionFileUploadsPerMinute: NO_LIMIT,
  maxChatMessagesPerSecond: NO_LIMIT,
  maxEntryRequests: NO_LIMIT,
  maxParticipants: 1000,
  sessionGraceSeconds: 3600,
})

process.on('message', (asked) => {
  if (asked === 'memory') {
    // Several times, because finalisers release objects that only the next collection frees.
    for (let time = 0; time < 3; time++) (globalThis as { gc?: () => void }).gc?.()
    process.send!({ memory: process.memoryUsage() })
  }
  if (asked === 'stop') void server.stop().then(() => process.exit(0))
})
process.on('disconnect', () => process.exit(1))
process.send!({ url: server.url })
