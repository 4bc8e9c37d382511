// An app server's own get-token, in a few lines. Run: npm run example:token-server, then curl http://localhost:9001/get-token
import { createServer } from 'node:http'
import { mintToken } from 'anteroom/token'

const { VIDEOSDK_API_KEY: apiKey, VIDEOSDK_SECRET_KEY: secret } = process.env
if (!apiKey || !secret)
  throw new Error('Set VIDEOSDK_API_KEY and VIDEOSDK_SECRET_KEY, e.g. from data/api-key.env.')

createServer((request, response) => {
  if (request.url !== '/get-token') {
    response.writeHead(404).end()
    return
  }
  // Your app decides here who the caller is, and what the caller may do.
  const token = mintToken({
    apiKey,
    secret,
    now: Date.now(),
    permissions: ['allow_join'],
    expiresInSeconds: 600,
  })
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }))
}).listen(9001, '127.0.0.1')
