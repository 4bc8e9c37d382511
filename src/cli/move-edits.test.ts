import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyEdits, examine } from './move-edits.ts'
import { generationOf } from './sdk-generations.ts'

const SERVER = 'meet.example.org:9443'

test('finds what to change in a file, and changes it', () => {
  for (const [name, before, after] of [
    ['REST', 'fetch(`https://api.videosdk.live/v2/rooms`)', `fetch(\`https://${SERVER}/v2/rooms\`)`],
    ['the old REST host', "const A = 'https://api.zujonow.com'", `const A = 'https://${SERVER}'`],
    [
      'initMeeting',
      'm = VideoSDK.initMeeting({\n  meetingId,\n})',
      `m = VideoSDK.initMeeting({ signalingBaseUrl: "${SERVER}",\n  meetingId,\n})`,
    ],
    [
      'another server',
      "initMeeting({ name: 'A } b', signalingBaseUrl: 'old.example.org' })",
      `initMeeting({ name: 'A } b', signalingBaseUrl: '${SERVER}' })`,
    ],
    [
      'a provider',
      '<MeetingProvider\n  config={{\n    meetingId,\n  }}\n  token={t}>',
      `<MeetingProvider\n  config={{ signalingBaseUrl: "${SERVER}",\n    meetingId,\n  }}\n  token={t}>`,
    ],
  ] as const) {
    const { findings } = examine(before, SERVER)
    assert.equal(findings.length, 1, name)
    assert.equal(applyEdits(before, findings), after, name)
    assert.deepEqual(examine(after, SERVER).findings, [], `${name}, once more`)
  }
})

test('reports what needs a decision, and does not change it', () => {
  for (const text of [
    'VideoSDK.initMeeting(options)',
    '<MeetingProvider config={config} token={t}>',
    'new VideoSDKMeeting().init({})',
  ]) {
    const { findings } = examine(text, SERVER)
    assert.equal(findings.length, 1, text)
    assert.equal(findings[0]!.edit, undefined, text)
  }
})

test('skips what needs no change', () => {
  for (const text of [
    `initMeeting({ signalingBaseUrl: '${SERVER}' })`,
    'initMeeting({ signalingBaseUrl: host, meetingId })',
    'async initMeeting() {\n  this.start()\n}',
    'this.initMeeting();',
    'function initMeeting(id: string): void {',
    'https://docs.videosdk.live/react',
  ])
    assert.deepEqual(examine(text, SERVER).findings, [], text)
})

test('finds SDKs with their versions, and refused services with their lines', () => {
  const { sdks, absent } = examine(
    '{"dependencies":{"@videosdk.live/react-sdk": "^0.3.0"}}\n<script src="https://sdk.videosdk.live/js-sdk/0.0.82/videosdk.js">\nmeeting.startRecording()',
    SERVER,
  )
  assert.deepEqual(sdks, [
    { line: 1, sdk: 'react-sdk', version: '^0.3.0' },
    { line: 2, sdk: 'js-sdk', version: '0.0.82' },
  ])
  assert.deepEqual(absent, [{ line: 3, call: 'startRecording' }])
})

test('a version belongs to the newest generation that begins at or before it', () => {
  for (const [sdk, version, name] of [
    ['js-sdk', '0.0.69', 'before 0.0.71'],
    ['js-sdk', '0.0.71', '0.0.71 to 0.1.6'],
    ['js-sdk', '^0.1.6', '0.0.71 to 0.1.6'],
    ['js-sdk', '0.2.7', '0.2 to 0.10'],
    ['js-sdk', '~0.11.5', '0.11'],
    ['js-sdk', '1.1.1', '1.x'],
    ['react-sdk', '0.1.75', 'before 0.0.71'],
    ['react-sdk', '0.1.77', '0.0.71 to 0.1.6'],
    ['react-sdk', '0.12.2', '0.2 to 0.10'],
    ['react-sdk', '0.13.5', '0.11'],
    ['js-sdk', 'latest', undefined],
  ] as const)
    assert.equal(generationOf(sdk, version)?.name, name, `${sdk} ${version}`)
})
