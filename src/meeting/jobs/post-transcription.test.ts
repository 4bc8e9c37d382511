import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutputFileRecord, OutputRecord } from '../../store/store.ts'
import { postTranscriptionOrder } from './post-transcription.ts'

const file = (path: string, type: OutputFileRecord['type'] = 'video'): OutputFileRecord => ({
  fileId: 'f',
  path,
  type,
  contentType: 'video/mp4',
  size: 1,
  startedAt: 1,
  endedAt: 2,
})
const playlist = file('index.m3u8', 'playlist')
const output = (transcription: unknown, files = [file('recording.mp4')]): OutputRecord => ({
  outputId: 'o',
  kind: 'recording',
  projectId: 'p',
  meetingId: 'm',
  sessionId: 's',
  participantId: null,
  config: { fileFormat: 'mp4', ...(transcription !== undefined && { transcription }) },
  secret: 'secret',
  baseUrl: 'https://meet.example',
  webhookUrl: 'https://app.example/hook',
  apiKey: 'key',
  storedAt: null,
  state: 'stopped',
  createdAt: 1,
  startedAt: 1,
  endedAt: 2,
  files,
})

for (const [what, record] of [
  ['none was asked for', output(undefined)],
  ['it is not enabled', output({})],
  ['it is switched off', output({ enabled: false, summary: { enabled: true } })],
  ['what an older version kept does not fit', output({ enabled: 'yes' })],
  ['nothing was recorded', output({ enabled: true }, [])],
  ['there is no sound', output({ enabled: true }, [file('thumbnails/a.jpg', 'image')])],
] as const)
  test(`no text is made where ${what}`, () => assert.equal(postTranscriptionOrder(record), undefined))

for (const [what, files, heard] of [
  ['a recording', [file('recording.mp4')], 'recording.mp4'],
  ['HLS that was recorded too', [playlist, file('hls.mp4')], 'hls.mp4'],
  ['HLS alone', [playlist, file('live.m3u8', 'playlist')], 'index.m3u8'],
  ['sound alone', [file('recording.m4a', 'audio')], 'recording.m4a'],
] as const)
  test(`the text of ${what} is made of ${heard}`, () => {
    const order = postTranscriptionOrder(output({ enabled: true }, [...files]))
    assert.deepEqual(
      order?.inputs.map((input) => input.file.path),
      [heard],
    )
  })

test('model, language and summary are those of the start, and the same receiver is told', () => {
  const asked = {
    enabled: true,
    modelId: 'large',
    language: 'de',
    summary: { enabled: true, prompt: 'Short.' },
  }
  const order = postTranscriptionOrder(output(asked))
  assert.deepEqual(order?.config, { modelId: 'large', language: 'de', summary: { prompt: 'Short.' } })
  assert.deepEqual([order.outputId, order.webhookUrl], ['o', 'https://app.example/hook'])
  const recording = output(asked)
  const inFolder = { ...recording, config: { ...recording.config, dirPath: 'team/a' } }
  assert.equal(postTranscriptionOrder(inFolder)?.config.dirPath, 'team/a')
  assert.equal(postTranscriptionOrder(output({ enabled: true, summary: {} }))?.config.summary, undefined)
})
