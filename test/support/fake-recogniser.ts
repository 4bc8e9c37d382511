/** An OpenAI-compatible endpoint that recognises the same text in every request. `speech.ts` has real recognisers. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeRecogniser {
  /** A value for `TRANSCRIPTION_URL`. */
  url: string
  close(): void
}

export async function startFakeRecogniser(text: string): Promise<FakeRecogniser> {
  const server = createServer((_request, response) => response.end(JSON.stringify({ text })))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
