/** A server that only mints tokens, in front of another meeting service. */
import { displayHost } from '../addresses.ts'
import { createOwner } from '../api/http/owner.ts'
import { Gate } from '../api/limits/gate.ts'
import { buildTokenServer } from '../api/token-server.ts'
import type { Config } from '../config/read.ts'
import { StartError } from '../errors.ts'
import { createLog, logDestination } from '../log.ts'
import type { RunningServer } from './contract.ts'
import { listen } from './listen.ts'

/** @throws {StartError} */
export async function startTokenServer(config: Config): Promise<RunningServer> {
  const log = createLog(config.logLevel, logDestination(config.logFormat))
  if (config.apiEndpoint === undefined || config.apiKey === undefined) {
    throw new StartError(
      'The token server needs VIDEOSDK_API_ENDPOINT, VIDEOSDK_API_KEY and VIDEOSDK_SECRET_KEY: set the address of the meeting service and the key it knows.',
    )
  }
  if (config.domain !== undefined)
    throw new StartError(
      'The token server does not speak HTTPS, so it cannot use DOMAIN: unset it, and set HOST, PORT and PUBLIC_URL.',
    )
  const listener = buildTokenServer({
    settings: config,
    endpoint: config.apiEndpoint,
    key: config.apiKey,
    gate: new Gate({ settings: config, now: Date.now }),
    owner: createOwner({ settings: config, userId: process.getuid?.(), log }),
    now: Date.now,
    log,
  })
  const port = await listen(listener, config.host, config.port, 'PORT')
  const url = `http://${displayHost(config.host)}:${port}`
  return {
    urls: [url],
    ready: {
      text: `Anteroom token server\n  address   ${url}\n  upstream  ${config.apiEndpoint}\n  API key   ${config.apiKey.apiKey}`,
      fields: { urls: [url], upstream: config.apiEndpoint },
      hints: [],
    },
    close: async () => {
      await listener.close()
    },
  }
}
