import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outputs } from './outputs.ts'

function someOutputs() {
  const told: string[] = []
  const asked: string[] = []
  const outputs = new Outputs(
    (method) => Promise.resolve(asked.push(method)),
    (event, ...values) => void told.push([event, ...values].join(' ')),
  )
  return { outputs, told, asked }
}

test('each state is told once, and forgotten before the server tells it again', () => {
  const { outputs, told } = someOutputs()
  outputs.heard('recording', 'RECORDING_STARTING')
  outputs.heard('recording', 'RECORDING_STARTED')
  outputs.heard('recording', 'RECORDING_STARTED')
  assert.deepEqual(told, ['outputChanged recording starting', 'outputChanged recording started'])
  outputs.reset()
  assert.equal(outputs.state('recording'), 'stopped')
  assert.equal(told.length, 2)
})

test('HLS has an address from when it can be played until it stops', () => {
  const { outputs } = someOutputs()
  outputs.heard('hls', 'HLS_STARTED')
  assert.equal(outputs.playbackUrl, undefined)
  outputs.playable('https://meet.example.org/outputs/1/s/index.m3u8')
  assert.match(outputs.playbackUrl!, /index\.m3u8$/)
  outputs.heard('hls', 'HLS_STOPPING')
  assert.equal(outputs.playbackUrl, undefined)
})

test('each output is started and stopped by its own request', async () => {
  const { outputs, asked } = someOutputs()
  for (const name of ['recording', 'livestream', 'hls', 'transcription'] as const) {
    await outputs.start(name)
    await outputs.stop(name)
  }
  assert.deepEqual(asked, [
    ...['startRecording', 'stopRecording', 'startLivestream', 'stopLivestream'],
    ...['startHls', 'stopHls', 'startTranscription', 'stopTranscription'],
  ])
})
