/** The server that is fuzzed, in a process of its own, so that its death and its memory are its own. */
import { TestServer } from '../support/test-server.ts'

// Limits are a part of the product; here they would hide the code behind them.
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
    // More than once: what finalisers let go of is collected by the next.
    for (let time = 0; time < 3; time++) (globalThis as { gc?: () => void }).gc?.()
    process.send!({ memory: process.memoryUsage() })
  }
  if (asked === 'stop') void server.stop().then(() => process.exit(0))
})
process.on('disconnect', () => process.exit(1))
process.send!({ url: server.url })
