/**
 * Real speech and a real recogniser, both from the distribution: espeak-ng speaks words, and pocketsphinx recognises
 * them.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * The recogniser is old and the voice synthetic: it distinguishes these words, but would not understand free speech. It
 * accepts any number of them in any order.
 */
const WORDS =
  'monday wednesday thursday saturday january september november seven elephant banana yellow window hospital telephone computer umbrella mountain river garden'

/** Why tests of speech cannot run here; false if they can. */
export const noSpeech: string | false = (() => {
  const missing = [
    ['espeak-ng', '--version'],
    ['pocketsphinx_continuous', '-help'],
    ['ffmpeg', '-version'],
  ].filter(([program = '', option = '']) => spawnSync(program, [option], { stdio: 'ignore' }).error)
  return missing.length === 0
    ? false
    : `${missing.map(([program]) => program).join(', ')} not installed (apt-get install espeak-ng pocketsphinx pocketsphinx-en-us ffmpeg)`
})()

/** Writes `text` as speech into a WAV file of 48 kHz, with silence before and after it. */
export async function speak(
  text: string,
  path: string,
  { silenceMs = 1000, afterMs = 2000 }: { silenceMs?: number; afterMs?: number } = {},
): Promise<void> {
  const raw = `${path}.espeak.wav`
  await run('espeak-ng', ['-v', 'en-us', '-s', '120', '-g', '8', '-w', raw, text])
  const filter = `adelay=${silenceMs},apad=pad_dur=${afterMs / 1000}`
  await run('ffmpeg', [
    '-nostdin',
    '-loglevel',
    'error',
    '-y',
    '-i',
    raw,
    '-af',
    filter,
    '-ar',
    '48000',
    '-ac',
    '1',
    path,
  ])
  await rm(raw)
}

/** Uses ffmpeg as a microphone: sends the file as Opus over RTP, payload type 111, in real time. */
export async function play(
  wav: string,
  ssrc: number,
  send: (packet: Buffer, index: number) => void,
): Promise<void> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  let index = 0
  socket.on('message', (packet) => send(packet, index++))
  // RTCP goes to a port on which nothing listens.
  const to = `rtp://127.0.0.1:${socket.address().port}?rtcpport=9`
  const codec = ['-c:a', 'libopus', '-b:a', '32k', '-ac', '2', '-payload_type', '111', '-ssrc', String(ssrc)]
  const ffmpeg = spawn(
    'ffmpeg',
    ['-nostdin', '-loglevel', 'error', '-re', '-i', wav, ...codec, '-f', 'rtp', to],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  await once(ffmpeg, 'close')
  // Lets the last packets arrive.
  await new Promise((resolve) => setTimeout(resolve, 200))
  socket.close()
}

export interface SpeechServer {
  /** A value for `TRANSCRIPTION_URL`. */
  url: string
  /** The requests that it received. */
  readonly asked: { authorization: string | undefined; bytes: number; text: string }[]
  close(): Promise<void>
}

/** Starts an OpenAI-compatible endpoint, including a language model that repeats its input. */
export async function startSpeechServer(): Promise<SpeechServer> {
  const folder = await mkdtemp(join(tmpdir(), 'anteroom-speech-'))
  const grammar = join(folder, 'words.gram')
  const words = WORDS.replaceAll(' ', ' | ')
  await writeFile(grammar, `#JSGF V1.0;\ngrammar words;\npublic <said> = ( ${words} )+ ;\n`)
  const asked: SpeechServer['asked'] = []
  let count = 0

  async function recognise(form: FormData): Promise<string> {
    const file = form.get('file')
    if (!(file instanceof Blob)) throw new Error('no file')
    count += 1
    const path = join(folder, `${count}.wav`)
    await writeFile(path, new Uint8Array(await file.arrayBuffer()))
    const options = ['-infile', path, '-jsgf', grammar, '-logfn', '/dev/null']
    const { stdout } = await run('pocketsphinx_continuous', options)
    return stdout.trim().replaceAll('\n', ' ')
  }

  const server = createServer((request, response) => {
    const answer = async (): Promise<object> => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      const body = new Uint8Array(Buffer.concat(parts))
      const { authorization } = request.headers
      if (request.url === '/v1/chat/completions') {
        const { messages } = JSON.parse(Buffer.from(body).toString()) as { messages: { content: string }[] }
        const content = `They said: ${messages.at(-1)!.content}`
        return { choices: [{ message: { role: 'assistant', content } }] }
      }
      if (request.url !== '/v1/audio/transcriptions') throw new Error(`no such address: ${request.url}`)
      const type = request.headers['content-type'] ?? ''
      const text = await recognise(await new Response(body, { headers: { 'content-type': type } }).formData())
      asked.push({ authorization, bytes: body.length, text })
      return { text }
    }
    answer().then(
      (value) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
