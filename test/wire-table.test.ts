/** `docs/wire.md` agrees with the protocol, and names existing tests. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { notifications, serverRequests } from '../src/protocol/notifications.ts'
import { absentServices, requests } from '../src/protocol/requests.ts'
import {
  chatRows,
  notificationRows,
  requestRows,
  serverRequestRows,
  wireDocument,
} from './support/wire-rows.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

test('every request of the protocol has one row', () => {
  const names = requestRows.map(({ name }) => name).sort()
  assert.deepEqual(names, [...Object.keys(requests), ...absentServices].sort())
})

test('every notification and server request of the protocol has one row', () => {
  for (const [schemas, rows] of [
    [notifications, notificationRows],
    [serverRequests, serverRequestRows],
  ] as const) {
    for (const name of Object.keys(schemas))
      assert.equal(rows.filter((row) => row.name === name).length, 1, name)
  }
})

/** The names of the contract, signalling §4.1, §4.2 and §4.3. */
const contract = {
  requests: `requestEntry respondEntry getRouterRtpCapabilities createWebRtcTransport join connectWebRtcTransport produce
    closeProducer pauseProducer resumeProducer produceError produceData pauseConsumer resumeConsumer
    setConsumerPreferredLayers setConsumerPriority requestConsumerKeyFrame restartIce iceRestarted pauseAllConsumers
    resumeAllConsumers consumeAudioStreams consumeVideoStreams stopConsumingAudioStreams stopConsumingVideoStreams
    changeMode definePeerLeftReason closeRoom removePeer enablePeerMic disablePeerMic enablePeerWebcam disablePeerWebcam
    pinStateChanged changeDisplayName switchToMeeting switchPeerRoom openConnection closeConnection
    connectionSwitchPeerRoom connectionSendChatMessage connectionCloseRoom realtimeStoreSet realtimeStoreGet
    realtimeStoreObserve realtimeStoreStopObserve startRecording startLivestream startHls startTranscription
    startTranslation changeTranslationLanguage startWhiteboard stopRecording stopLivestream stopHls stopTranscription
    stopTranslation stopWhiteboard enableAdaptiveSubscription disableAdaptiveSubscription mediaRelayRequestSent
    respondToMediaRelayRequest mediaRelayRequestStop enableRelayMedia disableRelayMedia joinCharacter leaveCharacter
    sendCharacterMessage interruptCharacter getTransportStats getDataProducerStats getDataConsumerStats
    applyNetworkThrottle resetNetworkThrottle`,
  serverRequests: `newConsumer newDataConsumer enableMic enableWebcam disableMic disableWebcam pinStateChanged switchRoom
    statsData close connectionSuccess`,
  notifications: `error entryRequested entryResponded newPeer peerClosed peerDisplayNameChanged
    participantMediaStateChanged consumerClosed consumerPaused consumerResumed consumerLayersChanged consumerScore
    producerScore activeSpeaker dataConsumerClosed consumerPausedSubManager consumerResumedSubManager peerModeChanged
    restartIce unsupportedCodecAdded realtimeStoreValueChanged recordingStateChanged livestreamStateChanged
    recordingStarted recordingStopped livestreamStarted livestreamStopped hlsStopped hlsStateChanged
    hlsPlayableStateChanged hlsStarted transcriptionStateChanged translationStateChanged transcriptionText
    translationText translationLanguageChanged whiteboardStarted whiteboardStopped mediaRelayStarted mediaRelayStopped
    mediaRelayError mediaRelayRequestReceived mediaRelayRequestResponse connectionOpen connectionClose
    connectionChatMessage connectionParticipantJoined connectionParticipantLeft agentStateChanged agentTranscript
    agentMetrics addCharacter removeCharacter characterStateChanged characterMessage userMessage characterData
    characterError`,
}

test('every row of the contract has one row here', () => {
  for (const [names, rows] of [
    [contract.requests, requestRows],
    [contract.serverRequests, serverRequestRows],
    [contract.notifications, notificationRows],
  ] as const) {
    for (const name of names.split(/\s+/)) {
      assert.equal(rows.filter((row) => row.name === name).length, 1, name)
    }
  }
})

test('the tests that rows name exist', () => {
  const files = new Map(
    globSync(['test/*.test.ts', 'src/api/**/*.test.ts'], { cwd: root }).map(
      (path) => [path.replace(/^test\//, ''), read(path).replaceAll("\\'", "'")] as const,
    ),
  )
  for (const { name, state, shown } of [
    ...requestRows,
    ...serverRequestRows,
    ...notificationRows,
    ...chatRows,
  ]) {
    if (state === 'never sent') continue
    const [file, title] = [shown.slice(0, shown.indexOf(': ')), shown.slice(shown.indexOf(': ') + 2)]
    const text = files.get(file)
    assert.ok(text, `${name}: there is no ${file}`)
    assert.ok(
      text.includes(`test('${title}`) || text.includes(`test("${title}`),
      `${name}: no test "${title}" in ${file}`,
    )
  }
})

test('docs/wire.md is up to date: npm run wire-table', () => {
  assert.equal(read('docs/wire.md'), wireDocument())
})
