// The image's HEALTHCHECK: exits with 0 if the server of this container answers, otherwise with 1 and a sentence.
import { get } from 'node:http'

const { HOST = '127.0.0.1', PORT = '9000' } = process.env
const TIMEOUT_MS = 8000
const anywhere = /** @type {Record<string, string>} */ ({ '0.0.0.0': '127.0.0.1', '::': '::1' })

const fail = (/** @type {string} */ why) => {
  console.log(`The server does not answer: ${why}.`)
  process.exitCode = 1
}
const request = get(
  { host: anywhere[HOST] ?? HOST, port: PORT, path: '/health/live', timeout: TIMEOUT_MS },
  (answer) => {
    answer.resume()
    if (answer.statusCode !== 200) fail(`status ${answer.statusCode}`)
  },
)
request.on('timeout', () => request.destroy(new Error(`nothing came within ${TIMEOUT_MS / 1000} s`)))
request.on('error', (error) => fail(error.message))
