/**
 * Shapes of media negotiation (contract, signalling §3 and §6), validated at the door and passed through.
 * Inner shapes are open where mediasoup itself validates them; sizes are bounded here.
 */
import { Type, type Static } from 'typebox'

export const MediaKind = Type.Union([Type.Literal('audio'), Type.Literal('video')])
export type MediaKind = Static<typeof MediaKind>

/** The kinds of streams that SDK users handle. */
export const StreamKind = Type.Union([
  Type.Literal('audio'),
  Type.Literal('video'),
  Type.Literal('share'),
  Type.Literal('shareAudio'),
])
export type StreamKind = Static<typeof StreamKind>

export const PreferredProtocol = Type.Union([
  Type.Literal('UDP_OVER_TCP'),
  Type.Literal('UDP_ONLY'),
  Type.Literal('TCP_ONLY'),
])
export type PreferredProtocol = Static<typeof PreferredProtocol>

const ShortText = Type.String({ maxLength: 256 })
const ParameterValue = Type.Union([
  Type.String({ maxLength: 512 }),
  Type.Number(),
  Type.Boolean(),
  Type.Null(),
])
const CodecParameters = Type.Record(ShortText, ParameterValue, { maxProperties: 64 })
const RtcpFeedback = Type.Object({ type: ShortText, parameter: Type.Optional(ShortText) })

export const RtpCapabilities = Type.Object({
  codecs: Type.Optional(
    Type.Array(
      Type.Object({
        kind: MediaKind,
        mimeType: ShortText,
        preferredPayloadType: Type.Optional(Type.Integer({ minimum: 0, maximum: 127 })),
        clockRate: Type.Integer({ minimum: 1 }),
        channels: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })),
        parameters: Type.Optional(CodecParameters),
        rtcpFeedback: Type.Optional(Type.Array(RtcpFeedback, { maxItems: 32 })),
      }),
      { maxItems: 64 },
    ),
  ),
  headerExtensions: Type.Optional(
    Type.Array(
      Type.Object({
        kind: MediaKind,
        uri: ShortText,
        preferredId: Type.Integer({ minimum: 1, maximum: 255 }),
        preferredEncrypt: Type.Optional(Type.Boolean()),
        direction: Type.Optional(ShortText),
      }),
      { maxItems: 64 },
    ),
  ),
})
export type RtpCapabilities = Static<typeof RtpCapabilities>

export const RtpParameters = Type.Object({
  mid: Type.Optional(ShortText),
  codecs: Type.Array(
    Type.Object({
      mimeType: ShortText,
      payloadType: Type.Integer({ minimum: 0, maximum: 127 }),
      clockRate: Type.Integer({ minimum: 1 }),
      channels: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })),
      parameters: Type.Optional(CodecParameters),
      rtcpFeedback: Type.Optional(Type.Array(RtcpFeedback, { maxItems: 32 })),
    }),
    { minItems: 1, maxItems: 32 },
  ),
  headerExtensions: Type.Optional(
    Type.Array(
      Type.Object({
        uri: ShortText,
        id: Type.Integer({ minimum: 1, maximum: 255 }),
        encrypt: Type.Optional(Type.Boolean()),
        parameters: Type.Optional(CodecParameters),
      }),
      { maxItems: 32 },
    ),
  ),
  encodings: Type.Optional(
    Type.Array(Type.Record(ShortText, Type.Unknown(), { maxProperties: 32 }), { maxItems: 8 }),
  ),
  rtcp: Type.Optional(
    Type.Object({
      cname: Type.Optional(ShortText),
      reducedSize: Type.Optional(Type.Boolean()),
      mux: Type.Optional(Type.Boolean()),
    }),
  ),
})
export type RtpParameters = Static<typeof RtpParameters>

export const DtlsParameters = Type.Object({
  role: Type.Optional(Type.Union([Type.Literal('auto'), Type.Literal('client'), Type.Literal('server')])),
  fingerprints: Type.Array(Type.Object({ algorithm: ShortText, value: ShortText }), {
    minItems: 1,
    maxItems: 8,
  }),
})
export type DtlsParameters = Static<typeof DtlsParameters>

export const SctpCapabilities = Type.Object({
  numStreams: Type.Object({
    OS: Type.Integer({ minimum: 1, maximum: 65535 }),
    MIS: Type.Integer({ minimum: 1, maximum: 65535 }),
  }),
})
export type SctpCapabilities = Static<typeof SctpCapabilities>

export const SctpStreamParameters = Type.Object({
  streamId: Type.Integer({ minimum: 0, maximum: 65535 }),
  ordered: Type.Optional(Type.Boolean()),
  maxPacketLifeTime: Type.Optional(Type.Integer({ minimum: 1, maximum: 60_000 })),
  maxRetransmits: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
})
export type SctpStreamParameters = Static<typeof SctpStreamParameters>

/** The server's description of a transport; sent, never received. */
export interface IceParameters {
  usernameFragment: string
  password: string
  iceLite?: boolean
}
export interface IceCandidate {
  foundation: string
  priority: number
  ip: string
  address?: string
  protocol: 'udp' | 'tcp'
  port: number
  type: string
  tcpType?: string
}
export interface SctpParameters {
  port: number
  OS: number
  MIS: number
  maxMessageSize: number
}
