// A backend next to a server: creates a meeting, hands out links, admits people by its own rule, and receives events.
// Run the server with WEBHOOK_ALLOW_PRIVATE=true, then: npm run example:backend, then curl -X POST
// http://localhost:9002/meetings
import { createServer, type IncomingMessage } from 'node:http'
import {
  ServerClient,
  ServerClientError,
  signatureHeader,
  verifyWebhook,
  WebhookError,
} from 'anteroom/server'

const { VIDEOSDK_API_KEY: apiKey, VIDEOSDK_SECRET_KEY: secret } = process.env
if (!apiKey || !secret)
  throw new Error('Set VIDEOSDK_API_KEY and VIDEOSDK_SECRET_KEY, e.g. from data/api-key.env.')

const anteroom = new ServerClient({
  url: process.env.VIDEOSDK_API_ENDPOINT ?? 'http://localhost:9000',
  apiKey,
  secret,
})
const publicKey = await anteroom.webhooks.publicKey()

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

createServer((request, response) => {
  const answer = async (): Promise<unknown> => {
    if (request.method === 'POST' && request.url === '/meetings') {
      const { roomId } = await anteroom.rooms.create({
        customRoomId: 'team-weekly',
        webhook: { endPoint: 'http://localhost:9002/hook', events: ['*'] },
      })
      const { link } = await anteroom.invites.create({ roomId, entry: 'ask' })
      // For the host of the meeting; your app knows who that is.
      const token = anteroom.tokens.participant({ roomId, permissions: ['allow_join', 'allow_mod'] })
      return { roomId, link, token }
    }
    if (request.method === 'POST' && request.url === '/hook') {
      const told = verifyWebhook(await bodyOf(request), request.headers[signatureHeader], publicKey)
      console.log(told.webhookType, told.data)
      if (told.webhookType === 'participant-joined') {
        const { entryRequests } = await anteroom.live.view(told.data.meetingId)
        for (const { participantId, name } of entryRequests) {
          // Your rule: people on the list are admitted.
          if (name.startsWith('Team'))
            await anteroom.live.respondEntry(told.data.meetingId, participantId, 'allowed')
        }
      }
      return {}
    }
    response.statusCode = 404
    return {}
  }
  answer().then(
    (value) => response.end(`${JSON.stringify(value)}\n`),
    (error: unknown) => {
      // The code is for programs, e.g. INVALID_TOKEN, CONNECTION_FAILED.
      const code = error instanceof ServerClientError ? error.code : String(error)
      response.writeHead(error instanceof WebhookError ? 401 : 502).end(`${JSON.stringify({ code })}\n`)
    },
  )
}).listen(9002, '127.0.0.1')
