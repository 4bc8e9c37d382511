/** What is wrong with a TURN server, by what our server found of it, and the cure. */
import type { RelayCheck } from '../protocol/check.ts'

export function relayProblem(check: RelayCheck): { sentence: string; cure: string } | undefined {
  switch (check.relay) {
    case 'works':
      return undefined
    case 'unreachable':
      return {
        sentence: `The server does not reach ${check.url}: ${check.says}.`,
        cure: 'Start that TURN server, open its port for this server too, and compare its address with TURN_URLS.',
      }
    case 'refused':
      return {
        sentence: `${check.url} refuses the credentials of the server: ${check.says}.`,
        cure: 'Set TURN_SECRET to the static-auth-secret of that TURN server, and compare the clocks of both machines.',
      }
    case 'forbidden':
      return {
        sentence: `${check.url} does not relay to the media ports: ${check.says}.`,
        cure: 'Allow the announced address of the media ports there: allowed-peer-ip in turnserver.conf.',
      }
    case 'silent':
      return {
        sentence: `${check.url} relays, and nothing comes back from the media ports: ${check.says}.`,
        cure: 'Open the media ports (UDP) for what the TURN server relays, and its relay ports for what comes back.',
      }
  }
}
