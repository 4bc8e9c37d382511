/** What of an offer is taken, for a client that sends and for one that receives. Pure functions. */
import type { RtpCapabilities, RtpParameters } from '../../protocol/media.ts'
import type { OfferedCodec, OfferedMedia } from './offer.ts'
import { unacceptable } from './offer.ts'

/** One medium of the answer. */
export interface AnsweredMedia {
  offered: OfferedMedia
  codecs: OfferedCodec[]
  extensions: { id: number; uri: string }[]
  /** Whether retransmissions have their own payload type. */
  retransmits: boolean
}

/** The feedback that this server sends, or understands. */
const FEEDBACK = new Set(['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc'])
/** What the router takes of each profile (RFC 6184, section 8.1). */
const H264_PARAMETERS = {
  'packetization-mode': 1,
  'profile-level-id': '42e01f',
  'level-asymmetry-allowed': 1,
}
const CONSTRAINED_BASELINE = /^42[4-7c-f][0-9a-f]{3}$/i
/** Named layers, from the smallest. */
const NAMED = [
  ['q', 'h', 'f'],
  ['l', 'm', 'h'],
  ['low', 'mid', 'high'],
]

/**
 * What a sender sends: the first codec of its offer that the router takes.
 * @throws {Refusal} NOT_ACCEPTABLE if there is none
 */
export function takeFromSender(
  offered: OfferedMedia,
  capabilities: RtpCapabilities,
): { answered: AnsweredMedia; rtpParameters: RtpParameters } {
  const known = (capabilities.codecs ?? []).map(({ mimeType }) => mimeType.toLowerCase())
  const codec = offered.codecs.find((one) => known.includes(one.mimeType) && isTaken(one))
  if (!codec) {
    const names = [...new Set(offered.codecs.map(({ name }) => name))].join(', ') || 'nothing'
    const ours = known.filter((name) => name.startsWith(offered.kind) && !name.endsWith('/rtx'))
    const takes = [...new Set(ours)].map((name) => name.split('/')[1]!).join(', ')
    throw unacceptable(
      `The ${offered.kind} of the offer can be ${names}, of which this server takes none; it takes ${takes}.`,
    )
  }
  const taken = withKnownFeedback(codec)
  const supported = new Set(
    (capabilities.headerExtensions ?? [])
      .filter(({ kind, direction }) => kind === offered.kind && direction !== 'sendonly')
      .map(({ uri }) => uri),
  )
  const extensions = offered.extensions.filter(({ uri }) => supported.has(uri))
  const answered = { offered, codecs: [taken], extensions, retransmits: taken.rtx !== undefined }
  return { answered, rtpParameters: parametersOf(answered, taken) }
}

function parametersOf({ offered, extensions }: AnsweredMedia, codec: OfferedCodec): RtpParameters {
  const { payloadType, clockRate, channels, feedback, rtx } = codec
  const isVp8 = codec.mimeType === 'video/vp8'
  return {
    mid: offered.mid,
    codecs: [
      {
        mimeType: codec.mimeType,
        payloadType,
        clockRate,
        ...(offered.kind === 'audio' && { channels: channels ?? 1 }),
        // Browsers decode each of its profiles, whatever the declaration says.
        parameters:
          codec.mimeType === 'video/h264' ? { ...codec.parameters, ...H264_PARAMETERS } : codec.parameters,
        rtcpFeedback: feedback,
      },
      ...(rtx === undefined
        ? []
        : [
            {
              mimeType: `${offered.kind}/rtx`,
              payloadType: rtx,
              clockRate,
              parameters: { apt: payloadType },
              rtcpFeedback: [],
            },
          ]),
    ],
    headerExtensions: extensions.map(({ id, uri }) => ({ id, uri, encrypt: false, parameters: {} })),
    encodings:
      offered.layers.length > 1
        ? fromSmallest(offered.layers).map((rid) => ({
            rid,
            dtx: false,
            ...(isVp8 && { scalabilityMode: 'L1T3' }),
          }))
        : [encodingOf(offered, rtx !== undefined)],
    rtcp: { ...(offered.cname !== undefined && { cname: offered.cname }), reducedSize: true },
  }
}

function encodingOf({ ssrc, rtxSsrc, layers: [only] }: OfferedMedia, retransmits: boolean) {
  if (ssrc === undefined) return only ? { rid: only.rid } : {}
  return { ssrc, ...(retransmits && rtxSsrc !== undefined && { rtx: { ssrc: rtxSsrc } }) }
}

/**
 * The layers from the smallest, as the media server wants them. OBS numbers them from the largest (contract, outputs §6.2);
 * others name them, tell their width, or begin with the smallest.
 */
export function fromSmallest(layers: OfferedMedia['layers']): string[] {
  const rids = layers.map(({ rid }) => rid)
  if (layers.every(({ maxWidth }) => maxWidth !== undefined))
    return [...layers].sort((a, b) => a.maxWidth! - b.maxWidth!).map(({ rid }) => rid)
  if (rids.every((rid) => /^\d+$/.test(rid))) return rids.toSorted((a, b) => Number(b) - Number(a))
  const names = NAMED.find((known) => rids.every((rid) => known.includes(rid)))
  return names ? rids.toSorted((a, b) => names.indexOf(a) - names.indexOf(b)) : rids
}

/** Codecs of ours that a receiver offered, one of each kind of codec: by MIME type, as `RouterOptions.payloadTypes`. */
export function payloadTypesOf(media: readonly OfferedMedia[]): Record<string, number> {
  const types: Record<string, number> = {}
  for (const { codecs } of media)
    for (const codec of codecs) if (isReceivable(codec)) types[codec.mimeType] ??= codec.payloadType
  return types
}

/**
 * What a receiver gets: every codec that both sides have, in the receiver's order, because what is sent changes.
 * @throws {Refusal} NOT_ACCEPTABLE if there is none
 */
export function giveToReceiver(
  media: readonly OfferedMedia[],
  capabilities: RtpCapabilities,
): { answered: AnsweredMedia[]; rtpCapabilities: RtpCapabilities } {
  const ours = new Map(
    (capabilities.codecs ?? []).map((codec) => [codec.preferredPayloadType, codec.mimeType.toLowerCase()]),
  )
  const answered = media.map((offered) => {
    const codecs = offered.codecs
      .filter((one) => ours.get(one.payloadType) === one.mimeType && isReceivable(one))
      .map(withKnownFeedback)
    if (codecs.length === 0)
      throw unacceptable(`The ${offered.kind} of the offer has no codec that this server sends.`)
    const extensions = offered.extensions.filter(({ id, uri }) =>
      (capabilities.headerExtensions ?? []).some(
        (one) => one.kind === offered.kind && one.uri === uri && one.preferredId === id,
      ),
    )
    return { offered, codecs, extensions, retransmits: false }
  })
  return { answered, rtpCapabilities: capabilitiesOf(answered) }
}

function capabilitiesOf(answered: readonly AnsweredMedia[]): RtpCapabilities {
  return {
    codecs: answered.flatMap(({ offered: { kind }, codecs }) =>
      codecs.map(({ mimeType, payloadType, clockRate, channels, parameters, feedback }) => ({
        kind,
        mimeType,
        preferredPayloadType: payloadType,
        clockRate,
        ...(kind === 'audio' && { channels: channels ?? 1 }),
        parameters: mimeType === 'video/h264' ? { ...parameters, ...H264_PARAMETERS } : parameters,
        rtcpFeedback: feedback,
      })),
    ),
    headerExtensions: answered.flatMap(({ offered: { kind }, extensions }) =>
      extensions.map(({ id, uri }) => ({ kind, uri, preferredId: id })),
    ),
  }
}

function withKnownFeedback(codec: OfferedCodec): OfferedCodec {
  const name = ({ type, parameter }: OfferedCodec['feedback'][number]): string =>
    parameter === undefined ? type : `${type} ${parameter}`
  const known = new Map(
    codec.feedback.map((one) => [name(one), one] as const).filter(([one]) => FEEDBACK.has(one)),
  )
  return { ...codec, feedback: [...known.values()] }
}

/** Whether the router takes this form of a codec that it knows. */
function isTaken({ mimeType, clockRate, channels, parameters }: OfferedCodec): boolean {
  if (mimeType === 'audio/opus') return clockRate === 48_000 && channels === 2
  if (mimeType.startsWith('audio/')) return false
  if (clockRate !== 90_000) return false
  return mimeType !== 'video/vp9' || Number(parameters['profile-id'] ?? 0) === 0
}

/** The same for what a receiver decodes: of H264 only what the router promises. */
function isReceivable(codec: OfferedCodec): boolean {
  if (!isTaken(codec)) return false
  if (codec.mimeType !== 'video/h264') return true
  const profile = String(codec.parameters['profile-level-id'] ?? '42e01f')
  return Number(codec.parameters['packetization-mode'] ?? 0) === 1 && CONSTRAINED_BASELINE.test(profile)
}
