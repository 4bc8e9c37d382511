/** What the requests of a participant do: a row for each method that reaches a meeting. */
import type { LiveMeeting } from '../../meeting/live-meeting.ts'
import type { Acknowledged } from '../../meeting/outputs/outputs.ts'
import type { Participant } from '../../meeting/roster/participant.ts'
import type { StreamKind } from '../../protocol/media.ts'
import type { RequestData, RequestMethod } from '../../protocol/requests.ts'
import { Relay } from '../../meeting/across/relay.ts'
import {
  hlsOrder,
  livestreamOrder,
  recordingOrder,
  transcriptionOrder,
} from '../../meeting/outputs/orders.ts'
import { Refusal } from '../../protocol/errors.ts'
import { cleanName } from '../../protocol/ids.ts'

/** An answer and what must only happen once it is on its way. */
export class WithAfter {
  readonly data: unknown
  readonly after: () => void

  constructor(data: unknown, after: () => void) {
    this.data = data
    this.after = after
  }
}

type Handler<M extends RequestMethod> = (
  live: LiveMeeting,
  self: Participant,
  data: RequestData<M>,
) => unknown
export type MeetingMethod = Exclude<
  RequestMethod,
  | 'requestEntry'
  | 'definePeerLeftReason'
  | 'ping'
  | 'leave'
  | 'getRouterRtpCapabilities'
  | 'join'
  | 'switchToMeeting'
  | 'mediaRelayRequestSent'
  | 'pubsubSubscribe'
  | 'pubsubUnsubscribe'
  | 'pubsubPublish'
>

/** What each request of a participant does. The table is the whole list: nothing else reaches a meeting from a socket. */
export const handlers: { [M in MeetingMethod]: Handler<M> } = {
  createWebRtcTransport: async (live, self, data) => {
    const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } =
      await live.media.createTransport(self, data)
    return { id, iceParameters, iceCandidates, dtlsParameters, ...(sctpParameters && { sctpParameters }) }
  },
  connectWebRtcTransport: async (live, self, data) => {
    await self.media.requireTransport(data.transportId).connect(data.dtlsParameters)
  },
  restartIce: (live, self, data) => self.media.requireTransport(data.transportId).restartIce(),
  rejoinMedia: (live, self, data) => live.media.rejoin(self, data),
  changeMode: (live, self, data) => live.roster.changeMode(self, data.mode),

  produce: (live, self, data) => live.media.streams.produce(self, data),
  closeProducer: (live, self, data) => live.media.streams.closeProducer(self, data.producerId),
  pauseProducer: (live, self, data) => live.media.streams.pauseProducer(self, data.producerId, true),
  resumeProducer: (live, self, data) => live.media.streams.pauseProducer(self, data.producerId, false),
  produceError: () => undefined,

  reportDevice: (_live, self, data) => self.media.heardOfDevice(data),

  produceData: (live, self, data) => live.media.data.produce(self, data),
  getDataProducerStats: (live, self, data) => live.media.data.stats(self, data.dataProducerId),
  getDataConsumerStats: (live, self, data) => live.media.data.stats(self, data.dataConsumerId),
  iceRestarted: () => undefined,

  pauseConsumer: (live, self, data) => live.media.subscriptions.pauseConsumer(self, data.consumerId, true),
  resumeConsumer: (live, self, data) => live.media.subscriptions.pauseConsumer(self, data.consumerId, false),
  pauseAllConsumers: (live, self, data) =>
    live.media.subscriptions.pauseAllConsumers(self, data.kind ?? 'all', true),
  resumeAllConsumers: (live, self, data) =>
    live.media.subscriptions.pauseAllConsumers(self, data.kind ?? 'all', false),
  consumeAudioStreams: (live, self, data) =>
    live.media.subscriptions.subscribe(self, data.peerId, 'audio', true),
  consumeVideoStreams: (live, self, data) =>
    live.media.subscriptions.subscribe(self, data.peerId, 'video', true),
  stopConsumingAudioStreams: (live, self, data) =>
    live.media.subscriptions.subscribe(self, data.peerId, 'audio', false),
  stopConsumingVideoStreams: (live, self, data) =>
    live.media.subscriptions.subscribe(self, data.peerId, 'video', false),
  enableAdaptiveSubscription: (live, self) => live.media.subscriptions.setAdaptive(self, true),
  disableAdaptiveSubscription: (live, self) => live.media.subscriptions.setAdaptive(self, false),
  setConsumerPriority: (live, self, data) =>
    live.media.subscriptions.setPriority(self, data.consumerId, data.priority),
  setConsumerPreferredLayers: (live, self, { consumerId, spatialLayer, temporalLayer }) =>
    self.media
      .requireConsumer(consumerId)
      .consumer.setPreferredLayers({ spatialLayer, ...(temporalLayer !== undefined && { temporalLayer }) }),
  requestConsumerKeyFrame: (live, self, data) =>
    self.media.requireConsumer(data.consumerId).consumer.requestKeyFrame(),
  getTransportStats: (live, self, data) => live.media.transportStats(self, data),

  changeDisplayName: (live, self, data) => live.roster.changeDisplayName(self, cleanName(data.displayName)),
  switchPeerRoom: (live, self, data) => live.moderation.askToSwitch(self, data),

  realtimeStoreSet: (live, self, data) =>
    live.shared.values.set(data.key, data.value ?? null, self.id, self.holder),
  realtimeStoreGet: (live, _self, data) => ({ status: 'ok', value: live.shared.values.get(data.key) }),
  realtimeStoreObserve: (live, self, data) => live.shared.values.observe(data.key, self),
  realtimeStoreStopObserve: (live, self, data) => live.shared.values.stopObserving(data.key, self.link),

  respondToMediaRelayRequest: (live, self, data) => live.relays.respond(self, data),
  mediaRelayRequestStop: (_live, self, data) => relayTo(self, data.meetingId).stop('STOPPED'),
  enableRelayMedia: (_live, self, data) => relayTo(self, data.meetingId).setKind(streamKind(data.kind), true),
  disableRelayMedia: (_live, self, data) =>
    relayTo(self, data.meetingId).setKind(streamKind(data.kind), false),

  respondEntry: (live, self, data) => live.entrance.respond(self, data.id, data.decision, data.always),
  liftRemoval: (live, self, data) => live.evictions.lift(self, data.peerId),

  startRecording: async (live, self, data) =>
    acknowledge(
      await live.outputs.start(self, recordingOrder(data, self.link.baseUrl, 'START_RECORDING_FAILED')),
    ),
  stopRecording: (live, self) => acknowledge(live.outputs.stop(self, 'recording')),
  startHls: async (live, self, data) =>
    acknowledge(await live.outputs.start(self, hlsOrder(data, self.link.baseUrl))),
  stopHls: (live, self) => acknowledge(live.outputs.stop(self, 'hls')),
  startLivestream: async (live, self, data) =>
    acknowledge(await live.outputs.start(self, livestreamOrder(data, self.link.baseUrl))),
  stopLivestream: (live, self) => acknowledge(live.outputs.stop(self, 'livestream')),
  startTranscription: async (live, self, data) =>
    acknowledge(await live.outputs.start(self, transcriptionOrder(data, self.link.baseUrl))),
  stopTranscription: (live, self) => acknowledge(live.outputs.stop(self, 'transcription')),

  startWhiteboard: (live, self) => new WithAfter({}, live.outputs.whiteboard.start(self)),
  stopWhiteboard: (live, self) => new WithAfter({}, live.outputs.whiteboard.stop(self)),

  closeRoom: async (live, self) => new WithAfter({}, await live.endForAll(self)),
  removePeer: (live, self, { peerId, mayReturn }) =>
    mayReturn ? live.evictions.removeForNow(self, peerId) : live.evictions.remove(self, peerId),
  stopAll: (live, self, data) => live.moderation.stopAll(self, data.kind),
  setRules: (live, self, data) => live.hosting.setRules(self, data),
  setCoHost: (live, self, data) => live.hosting.appoint(self, data.peerId, data.coHost),
  renamePeer: (live, self, data) => live.hosting.rename(self, data.peerId, cleanName(data.displayName)),
  lowerHands: (live, self, data) => live.hosting.lowerHands(self, data.peerIds),
  setTimer: (live, self, data) => live.hosting.setTimer(self, data.seconds),
  pauseTimer: (live, self, data) => live.hosting.pauseTimer(self, data.paused),
  openBreakouts: (live, self, data) => live.breakouts.open(self, data),
  assignBreakout: (live, self, data) => live.breakouts.assign(self, data.peerId, data.roomId),
  enterBreakout: (live, self, data) => live.breakouts.enter(self, data.roomId),
  announceBreakouts: (live, self, data) => live.breakouts.announce(self, data.message),
  closeBreakouts: (live, self) => live.breakouts.close(self),
  createPoll: async (live, self, data) => ({ pollId: await live.shared.polls.ask(self, data) }),
  votePoll: async (live, self, { pollId, choices }) => ({
    choices: await live.shared.polls.vote(self, pollId, choices),
  }),
  endPoll: (live, self, data) => live.shared.polls.end(self, data.pollId),
  enablePeerMic: (live, self, data) => live.moderation.askForStream(self, data.peerId, 'audio'),
  disablePeerMic: (live, self, data) => live.moderation.stopStream(self, data.peerId, 'audio'),
  enablePeerWebcam: (live, self, data) => live.moderation.askForStream(self, data.peerId, 'video'),
  disablePeerWebcam: (live, self, data) => live.moderation.stopStream(self, data.peerId, 'video'),
  enablePeerShare: (live, self, data) => live.moderation.askForStream(self, data.peerId, 'share'),
  disablePeerShare: (live, self, data) => live.moderation.stopStream(self, data.peerId, 'share'),
  pinStateChanged: (live, self, { peerId, state }) =>
    live.moderation.pin(self, peerId, {
      ...(state.cam !== undefined && { cam: state.cam }),
      ...(state.share !== undefined && { share: state.share }),
    }),
}

function acknowledge({ afterReply }: Acknowledged): WithAfter {
  return new WithAfter({}, afterReply)
}

export function streamKind(kind: StreamKind | 'share_audio'): StreamKind {
  return kind === 'share_audio' ? 'shareAudio' : kind
}

function relayTo(self: Participant, meetingId: string): Relay {
  for (const listener of self.producerListeners)
    if (listener instanceof Relay && listener.meetingId === meetingId) return listener
  throw new Refusal('NOT_FOUND', { message: 'Nothing is relayed to this meeting.' })
}
